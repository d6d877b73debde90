"""Adjusted answers: those of a store whose candles had been adjusted before, whatever is written and set in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from candlewick.candles import Candles
from candlewick.engine.query import query
from candlewick.explain.explain import explain
from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.service.parity import compare
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository
from candlewick.store.splits import Split, adjusted
from candlewick.testing.service_market import corrected, days_of, market, same

ENGINES: dict[str, type[ClassicService] | type[OptimizedService]] = {
    "classic": ClassicService,
    "optimized": OptimizedService,
}
SPECS = "sma(9),ema(5),vwap,atr(14),rsi(14),bollinger(20,2)"
RAW = Request.of("SIM", "5m", SPECS)
ADJUSTED = Request.of("SIM", "5m", SPECS, adjusted=True)


def rebuilt(store: CandleRepository, splits: tuple[Split, ...], *, raw: bool = False) -> CandleRepository:
    """A store into which the candles of another were written as they look adjusted."""
    made = MemoryStore()
    candles = store.read("SIM", "1m")
    made.upsert(candles if raw else adjusted(candles, splits))
    return made


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[CandleRepository, AnalyticsService]]:
    store = MemoryStore()
    store.upsert(market())
    with ENGINES[request.param](store) as service:
        yield store, service


Engine = tuple[CandleRepository, AnalyticsService]


def test_a_factor_divides_what_was_before_and_indicators_follow(engine: Engine) -> None:
    store, service = engine
    raw, day = service.candles(RAW), int(days_of(market())[2].microseconds[0])
    store.set_split("SIM", day, 7)
    found = service.candles(ADJUSTED)
    before = found.bars.microseconds < day
    assert found.bars.close[before].tolist() == (raw.bars.close[before] / 7).tolist()
    assert found.bars.close[~before].tolist() == raw.bars.close[~before].tolist()
    assert found.splits == (Split(day, 7.0),)
    with ENGINES[service.engine](rebuilt(store, found.splits)) as other:
        assert same(found, other.candles(RAW))
    answer = query(store, "SIM", "5m", SPECS, adjusted=True)
    assert answer.bars.close.tobytes() == found.bars.close.tobytes()
    assert query(store, "SIM", "5m").bars.close.tobytes() == raw.bars.close.tobytes()


def test_what_is_not_adjusted_keeps_its_name_and_a_changed_factor_gives_another(engine: Engine) -> None:
    store, service = engine
    raw = service.candles(RAW)
    assert service.candles(ADJUSTED).fingerprint == raw.fingerprint  # there is nothing to adjust by
    day = int(days_of(market())[1].microseconds[0])
    names = {raw.fingerprint}
    for factor in (7, 2):
        store.set_split("SIM", day, factor)
        found = service.candles(ADJUSTED)
        again = service.candles(ADJUSTED)
        assert again.fingerprint == found.fingerprint
        assert same(again, found)
        assert found.fingerprint not in names
        names.add(found.fingerprint)
        after = service.candles(RAW)
        assert after.fingerprint == raw.fingerprint
        assert same(after, raw)
    store.set_split("OTHER", day, 5)
    assert service.candles(ADJUSTED).fingerprint in names
    store.remove_split("SIM", day)
    assert service.candles(ADJUSTED).fingerprint == raw.fingerprint
    assert same(service.candles(ADJUSTED), raw)


def test_what_is_at_hand_is_that_of_the_factors_of_now() -> None:
    store = MemoryStore()
    store.upsert(market())
    day = int(days_of(market())[1].microseconds[0])
    ended = replace(ADJUSTED, end=int(days_of(market())[2].microseconds[0]))
    with OptimizedService(store) as service:
        for request in (ADJUSTED, ended):
            store.set_split("SIM", day, 7)
            first = service.candles(request)
            at_hand = service.cached(request)
            assert at_hand is not None
            assert at_hand.fingerprint == first.fingerprint
            store.set_split("SIM", day, 2)
            assert service.cached(request) is None
            assert service.candles(request).fingerprint != first.fingerprint
            store.remove_split("SIM", day)
            assert service.cached(request) is None
            store.set_split("SIM", day, 7)
            assert same(service.candles(request), first)


def test_as_of_takes_the_candles_of_then_and_the_factors_of_now(engine: Engine) -> None:
    store, service = engine
    written = store.writes("SIM", "1m")[-1].written_at
    store.set_split("SIM", int(days_of(market())[1].microseconds[0]), 7)
    before = service.candles(ADJUSTED)
    store.upsert(corrected(market(), 100))
    then = service.candles(replace(ADJUSTED, as_of=written))
    assert same(then, before)
    assert not same(service.candles(ADJUSTED), before)


def test_an_explanation_names_the_factors(engine: Engine) -> None:
    store, service = engine
    days = days_of(market())
    store.set_split("SIM", int(days[1].microseconds[0]), 7)
    at = int(service.candles(RAW).bars.microseconds[20])
    stored = store.read("SIM", "1m", at, at + 300_000_000)
    for request in (RAW, ADJUSTED):
        found = explain(service, store, request, at, "sma_9")
        told = found.as_dict()
        assert told["recomputed"]["kept"] is True
        named = [{"time": "2024-01-03T14:30:00Z", "factor": 7.0, "ratio": "7:1"}] if request.adjusted else []
        assert told["series"]["splits"] == named
        by = 7.0 if request.adjusted else 1.0
        assert found.bar.candles[0].close == stored.close[0] / by


def test_answers_by_different_factors_are_not_compared() -> None:
    store = MemoryStore()
    store.upsert(market())
    day = int(days_of(market())[1].microseconds[0])
    store.set_split("SIM", day, 7)
    v1 = ClassicService(store).candles(ADJUSTED)
    with OptimizedService(store) as service:
        assert compare(v1, service.candles(ADJUSTED), store, ADJUSTED).verdict == "equal"
        store.set_split("SIM", day, 2)
        assert compare(v1, service.candles(ADJUSTED), store, ADJUSTED).verdict == "void"
        # Who is wrong is judged by the adjusted candles.
        v2 = service.candles(ADJUSTED)
        good = ClassicService(store).candles(ADJUSTED)
        values = np.array(good.indicators["sma_9"])
        values[20] += 1.0
        bad = replace(good, indicators={**good.indicators, "sma_9": values})
        assert compare(bad, v2, store, ADJUSTED).verdict == "v1 inexact"
        wrong = replace(v2, indicators={**v2.indicators, "sma_9": values})
        assert compare(good, wrong, store, ADJUSTED).verdict == "mismatch"


def _step(store: CandleRepository, step: tuple[str, int, float], rest: list[Candles]) -> None:
    kind, place, factor = step
    whole = store.read("SIM", "1m")
    at = int(whole.microseconds[place % len(whole)])
    day = at // 86_400_000_000 * 86_400_000_000
    if kind == "set":
        store.set_split("SIM", day, factor)
    elif kind == "remove":
        held = store.splits_of("SIM")
        if held:
            store.remove_split("SIM", held[place % len(held)].time)
    elif kind == "append" and rest:
        store.upsert(rest.pop(0))
    elif kind == "correct":
        store.upsert(corrected(whole, place % len(whole)))
    elif kind == "delete" and len(whole) > 100:
        store.delete("SIM", "1m", at, at + 60_000_000)


steps = st.lists(
    st.tuples(
        st.sampled_from(["set", "set", "remove", "append", "correct", "delete"]),
        st.integers(0, 2000),
        st.sampled_from([7.0, 2.0, 0.1, 1.5]),
    ),
    min_size=2,
    max_size=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.sampled_from(["5m", "1h", "1d"]))
def test_whatever_is_set_removed_and_corrected_it_is_a_rebuild(
    history: list[tuple[str, int, float]], timeframe: str
) -> None:
    request = Request.of("SIM", timeframe, SPECS, adjusted=True)
    unadjusted = replace(request, adjusted=False)
    first, *rest = days_of(market(sessions=2))
    store = MemoryStore()
    store.upsert(first)
    with OptimizedService(store) as service, ClassicService(store) as classic:
        for step in history:
            _step(store, step, rest)
            found = service.candles(request)
            splits = store.splits_of("SIM")
            assert found.splits == splits
            with OptimizedService(rebuilt(store, splits), workers=1) as other:
                assert same(found, other.candles(unadjusted))
        with OptimizedService(rebuilt(store, splits, raw=True), workers=1) as other:
            assert same(service.candles(unadjusted), other.candles(unadjusted))
        assert compare(classic.candles(request), found, store, request).verdict in ("equal", "v1 inexact")
