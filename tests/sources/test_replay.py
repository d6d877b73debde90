"""Replay: candles told again in the order of a market, at a pace."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.candles import VALUES, Candles
from candlewick.errors import InputError
from candlewick.sources.ingest import ingest
from candlewick.sources.replay import LONGEST, Step, formed, moved, pace, renamed, steps, table_of
from candlewick.sources.simulated import simulate
from candlewick.store.memory import MemoryStore
from candlewick.timeframe import MINUTE

SERIES = tuple(simulate(["A", "B"], "XNYS", 2, seed=3))


def candle(first: float, high: float, low: float, last: float) -> Candles:
    """A single candle."""
    one = SERIES[0].rows(0, 1)
    values = {"open": first, "high": high, "low": low, "close": last, "volume": 100.0}
    return Candles.trusted(
        one.symbol,
        one.timeframe,
        one.calendar,
        one.microseconds,
        {name: np.array([value]) for name, value in values.items()},
    )


def test_everything_is_told_in_order_and_ends_as_it_was():
    series = [one.rows(0, 40) for one in SERIES]
    told = list(steps(series, 3))
    assert [step.at for step in told] == sorted(step.at for step in told)
    store = MemoryStore()
    for step in told:
        for one in step.candles:
            store.upsert(one)
            assert step.final is (step.at == int(one.microseconds[0]) + MINUTE)
    for one in series:
        assert store.read(one.symbol, "1m") == one


@given(
    prices=st.lists(st.floats(-100, 100), min_size=4, max_size=4).map(sorted),
    turned=st.booleans(),
    parts=st.integers(1, 12),
)
def test_a_candle_that_forms_stays_within_the_one_that_it_becomes(prices, turned, parts):
    low, first, last, high = prices
    whole = candle(last, high, low, first) if turned else candle(first, high, low, last)
    before = None
    for part in range(1, parts + 1):
        now = formed(whole, part, parts)
        checked = Candles(
            symbol="A", timeframe="1m", calendar="XNYS", time=now.time, **{name: getattr(now, name) for name in VALUES}
        )
        assert (checked.open, checked.low >= whole.low, checked.high <= whole.high) == (whole.open, True, True)
        assert before is None or (now.high >= before.high and now.low <= before.low and now.volume >= before.volume)
        before = now
    assert before == whole


class Watch:
    """A clock that stands still but for the waiting."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return self.now > 160.0

    def clock(self) -> float:
        return self.now


def test_the_pace_is_kept_and_nights_are_short():
    watch = Watch()
    told = [Step(at * MINUTE, (), final=True) for at in (0, 1, 2, 1000, 1001)]
    paced = pace(told, 60.0, watch.wait, watch.clock)
    seen = []
    for step in paced:
        seen.append((step.at // MINUTE, watch.now))
        if step.at == 2 * MINUTE:
            watch.now += 0.5  # what takes long is made up for
    assert seen == [(0, 100.0), (1, 101.0), (2, 102.0), (1000, 102.0 + LONGEST / MINUTE), (1001, 108.0)]


def test_waiting_can_be_ended():
    watch = Watch()
    told = [Step(at * MINUTE, (), final=True) for at in range(5)]
    assert len(list(pace(told, 1.0, watch.wait, watch.clock))) == 2


@pytest.mark.parametrize("speed", [0.0, -1.0, 1e9, float("nan")])
def test_a_speed_of_no_use(speed):
    with pytest.raises(InputError, match="speed"):
        next(pace([], speed, lambda _: False))


def test_what_cannot_be_replayed():
    assert not list(steps([]))
    with pytest.raises(InputError, match="parts"):
        next(steps(SERIES, 0))
    daily = Candles.trusted("A", SERIES[0].timeframe.parse("1d"), SERIES[0].calendar, *_columns(SERIES[0]))
    with pytest.raises(InputError, match="timeframe"):
        next(steps([daily]))


def _columns(one: Candles):
    return one.microseconds[:1], {name: getattr(one, name)[:1] for name in VALUES}


def test_times_are_moved_without_nights():
    one = renamed(moved(SERIES[0], 600 * MINUTE), "again")
    gaps = np.diff(one.microseconds)
    assert (one.symbol, one.calendar.name, one.microseconds[0]) == ("again", "24/7", 600 * MINUTE)
    assert gaps.max() == LONGEST
    short = np.diff(SERIES[0].microseconds) <= LONGEST
    assert np.array_equal(gaps[short], np.diff(SERIES[0].microseconds)[short])
    assert np.array_equal(one.close, SERIES[0].close)


def test_a_step_is_taken_in_as_one_table():
    store = MemoryStore()
    step = next(steps(SERIES))
    summary = ingest(store, table_of(step), calendar="XNYS", timeframe="1m")
    assert summary.inserted == len(step.candles) == 2
    assert [store.read(one.symbol, "1m") for one in step.candles] == list(step.candles)
