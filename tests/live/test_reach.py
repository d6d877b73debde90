"""Reach: where reading begins, by the sessions."""

from __future__ import annotations

import numpy as np
import pytest

from candlewick.aggregation.batch import aggregate
from candlewick.live.reach import bar_at, end_of, reach_back
from candlewick.sources.simulated import simulate
from candlewick.store.memory import MemoryStore
from candlewick.timeframe import MINUTE, Timeframe


def micros(text: str) -> int:
    return int(np.datetime64(text, "us").astype(np.int64))


@pytest.fixture(scope="module", params=["XNYS", "24/7", "CMES"])
def market(request):
    store = MemoryStore()
    (candles,) = simulate(["A"], request.param, 40, seed=1)
    store.upsert(candles)
    return store.find("A", "1m"), candles


@pytest.mark.parametrize("timeframe", ["1m", "5m", "4h", "1d", "1w", "1mo"])
@pytest.mark.parametrize("bars", [1, 7, 100])
def test_there_is_room_for_so_many_bars(market, timeframe, bars):
    series, candles = market
    length = Timeframe.parse(timeframe)
    made = aggregate(candles, length).microseconds
    start = reach_back(series, length, bars)
    assert start is None or np.count_nonzero(made >= start) >= bars * 0.95 - 1  # simulated minutes without a trade
    if start is not None:
        assert np.count_nonzero(made >= start) < 12 * bars + 1440


@pytest.mark.parametrize("timeframe", ["1m", "5m", "4h", "1d", "1w", "1mo"])
def test_a_change_reaches_back_to_the_open_of_its_bar(market, timeframe):
    series, candles = market
    length = Timeframe.parse(timeframe)
    made = aggregate(candles, length, complete_until=series.last + 60 * 86_400_000_000).microseconds
    for place in range(0, len(candles), 397):
        opened = int(candles.microseconds[place])
        holds = int(made[np.searchsorted(made, opened, side="right") - 1])
        assert bar_at(series, length, opened) == holds
        end = end_of(series, length, holds)
        assert end is not None
        assert end > opened
        later = made[np.searchsorted(made, opened, side="right") :]
        assert not len(later) or end <= later[0]


def test_what_no_session_holds(market):
    series, _ = market
    for at in (micros("1800-01-01"), micros("2250-01-01")):
        assert bar_at(series, Timeframe.parse("5m"), at) == at
        assert end_of(series, Timeframe.parse("5m"), at) is None
    if series.calendar == "XNYS":
        night = micros("2024-01-03T02:00")
        assert bar_at(series, Timeframe.parse("5m"), night) == night
        assert bar_at(series, Timeframe.parse("1d"), night) == night
        assert bar_at(series, Timeframe.parse("1w"), night) == micros("2024-01-02T14:30")
        assert end_of(series, Timeframe.parse("5m"), night) is None
        assert end_of(series, Timeframe.parse("5m"), night + 750 * MINUTE) == micros("2024-01-03T14:35")
    assert reach_back(series, Timeframe.parse("1mo"), 9000) is None
