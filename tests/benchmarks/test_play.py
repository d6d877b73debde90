"""Playing the mix, and the same requests in pairs: who is asked what, in which order, and what is counted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from candlewick.benchmarks.mix import Append, Ask, Correct, Mix
from candlewick.benchmarks.paired import Pairs, ask_pairs, first_asks, play_pairs
from candlewick.benchmarks.play import Played, fill, play
from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository

MIX = Mix(symbols=2, sessions=5, minutes=16, requests=5)


@pytest.fixture
def store() -> Iterator[CandleRepository]:
    with open_store("memory:") as opened:
        fill(opened, MIX)
        yield opened


class Ticks:
    """A clock that goes on by one second at each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_the_whole_day_reaches_store_and_service(store: CandleRepository) -> None:
    said: list[int] = []
    steps = list(MIX.steps())
    with OptimizedService(store) as service:
        played = play(steps, service, store, said.append)
        stats = service.cache.stats()
    appended = sum(len(step.candles) for step in steps if isinstance(step, Append))
    assert (played.requests, played.appended, played.corrected) == (16 * 5, appended, 1)
    assert played.outcomes.total() == stats.lookups == 80
    assert played.hit_rate == pytest.approx(stats.hit_rate or 0)
    assert said == [5 * minute for minute in range(16)]
    assert played.seconds > 0
    end = MIX.opens[-1] + 16 * 60_000_000
    for candles in MIX.market:
        assert store.find(candles.symbol, "1m").last == candles.between(None, end).microseconds[-1]
    corrected = next(step.candles for step in steps if isinstance(step, Correct))
    at = int(corrected.microseconds[0])
    assert store.read(corrected.symbol, "1m", at, at + 1).close == corrected.close


def test_without_json_no_answer_is_encoded(store: CandleRepository) -> None:
    asked = MIX.asks(3)
    with OptimizedService(store) as service:
        assert play(asked, service, store, json=False).requests == 3
        found = service.cached(asked[0].request)
        assert found is not None
        assert not found._encoded


def test_of_no_requests_the_hit_rate_is_0() -> None:
    from collections import Counter

    assert Played(0, 0, 0, Counter(), 0.0).hit_rate == 0.0


def test_pairs_ask_both_engines_and_change_who_goes_first(store: CandleRepository) -> None:
    order: list[str] = []

    class Noting(ClassicService):
        def __init__(self, name: str) -> None:
            super().__init__(store)
            self.name = name

        def candles(self, request):  # type: ignore[no-untyped-def]
            order.append(self.name)
            return super().candles(request)

    pairs = ask_pairs(Noting("one"), Noting("two"), [one.request for one in MIX.asks(4)], Ticks())
    assert order == ["one", "two", "two", "one", "one", "two", "two", "one"]
    assert pairs == Pairs((1.0,) * 4, (1.0,) * 4)
    assert (pairs.ratio, pairs.median_ratio) == (1.0, 1.0)


def test_ratios_are_of_the_sum_and_of_the_middle_request() -> None:
    pairs = Pairs((1.0, 2.0, 7.0), (0.5, 0.5, 4.0))
    assert pairs.ratio == 0.5
    assert pairs.median_ratio == 0.5


def test_candles_between_the_pairs_reach_the_store_of_both(store: CandleRepository) -> None:
    steps = first_asks(MIX.steps(), 80)
    with ClassicService(store) as classic, OptimizedService(store) as optimized:
        pairs = play_pairs(classic, optimized, store, steps)
        assert len(pairs.classic) == len(pairs.optimized) == 80
        asked = MIX.asks(1)[0].request
        first, second = classic.candles(asked), optimized.candles(asked)
        assert np.array_equal(first.bars.close, second.bars.close)
    assert store.find("MIX000", "1m").last >= MIX.opens[-1] + 14 * 60_000_000


def test_steps_up_to_a_request() -> None:
    steps = first_asks(MIX.steps(), 7)
    assert sum(isinstance(step, Ask) for step in steps) == 7
    assert isinstance(steps[-1], Ask)
    assert first_asks(MIX.steps(), 0) == []
    assert len(first_asks(MIX.steps(), 10_000)) == len(list(MIX.steps()))
