"""The mix: the same day every time, whose candles and requests are those that its docstring promises."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlewick.benchmarks.mix import CORRECTED_EVERY, INDICATORS, RANGES, TIMEFRAMES, Append, Ask, Correct, Mix, drawn
from candlewick.candles import check_rows
from candlewick.engine.query import query
from candlewick.errors import InputError
from candlewick.store.open import open_store


def small(**fields: Any) -> Mix:
    return Mix(**({"symbols": 4, "sessions": 5, "minutes": 31, "requests": 6} | fields))


def shown(mix: Mix) -> list[Any]:
    """The steps as plain values."""
    found: list[Any] = []
    for step in mix.steps():
        if isinstance(step, Ask):
            found.append((step.kind, step.request))
        else:
            rows = step.candles if isinstance(step, Append) else (step.candles,)
            found.append([(one.symbol, one.microseconds.tolist(), one.close.tolist()) for one in rows])
    return found


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_same_fields_give_the_same_day(seed: int) -> None:
    assert shown(small(seed=seed, minutes=16)) == shown(small(seed=seed, minutes=16))


def test_another_seed_gives_another_day() -> None:
    assert shown(small(seed=1)) != shown(small(seed=2))


def test_each_minute_has_its_candles_then_its_requests_and_some_a_correction() -> None:
    mix = small()
    steps = list(mix.steps())
    assert sum(isinstance(step, Ask) for step in steps) == 31 * 6
    assert sum(isinstance(step, Correct) for step in steps) == 31 // CORRECTED_EVERY
    opened = [step.candles[0].microseconds[0] for step in steps if isinstance(step, Append)]
    assert opened == [mix.opens[-1] + minute * 60_000_000 for minute in range(31)]
    assert isinstance(steps[0], Append)
    assert len(steps[0].candles) == 4, "every symbol trades when the session opens"


def test_what_is_stored_ends_before_today_and_covers_the_sessions() -> None:
    mix = small(sessions=7)
    assert len(mix.opens) == 8
    for candles in mix.history():
        assert mix.opens[0] <= candles.microseconds[0]
        assert candles.microseconds[-1] < mix.opens[-1]
        assert len({int(np.searchsorted(mix.opens, at, side="right")) for at in candles.microseconds}) == 7


def test_every_step_can_be_taken() -> None:
    """Corrections change what is stored, appends are new, requests can be answered."""
    mix = small()
    with open_store("memory:") as store:
        store.upsert_many(mix.history())
        for step in mix.steps():
            if isinstance(step, Append):
                assert all(done.inserted == 1 for done in store.upsert_many(step.candles))
            elif isinstance(step, Correct):
                check_rows({name: getattr(step.candles, name) for name in ("open", "high", "low", "close", "volume")})
                assert store.upsert(step.candles).updated == 1
            else:
                asked = step.request
                answer = query(store, asked.symbol, asked.timeframe, start=asked.start, end=asked.end)
                assert step.kind in RANGES
                assert len(answer.bars)


def test_requests_follow_the_weights_and_the_skew() -> None:
    asked = Mix(symbols=50, sessions=6).asks(6_000)
    for weights, seen in (
        (RANGES, Counter(one.kind for one in asked)),
        (TIMEFRAMES, Counter(str(one.request.timeframe) for one in asked)),
    ):
        for name, weight in weights.items():
            assert abs(seen[name] / 6_000 - weight) < 5 * np.sqrt(weight * (1 - weight) / 6_000), name
    symbols = Counter(one.request.symbol for one in asked)
    harmonic = sum(1 / rank for rank in range(1, 51))
    assert abs(symbols["MIX000"] / 6_000 - 1 / harmonic) < 0.03
    assert symbols["MIX000"] > symbols["MIX004"] > symbols["MIX040"]
    assert {len(one.request.indicators) for one in asked} == {8, 2}


def test_equal_questions_are_equal_requests() -> None:
    asked = [one.request for one in Mix(symbols=3, sessions=5).asks(600)]
    assert len(set(asked)) < 250


@pytest.mark.parametrize("field", ["symbols", "sessions", "minutes", "requests"])
def test_too_few_of_anything(field: str) -> None:
    with pytest.raises(InputError, match=f"{field}: 0 is not valid; give"):
        Mix(**{field: 0})


@pytest.mark.parametrize("weights", [RANGES, TIMEFRAMES, INDICATORS])
def test_weights_are_shares_of_one(weights: dict[str, float]) -> None:
    assert sum(weights.values()) == pytest.approx(1.0)


def test_a_draw_at_the_very_end_is_the_last_name() -> None:
    class One:
        def random(self) -> float:
            return 1.0

    assert drawn(One(), {"a": 0.3, "b": 0.6999999}) == "b"  # type: ignore[arg-type]
