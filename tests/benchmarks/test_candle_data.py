"""Seeded candles."""

from __future__ import annotations

import numpy as np
import pytest

from candlewick.benchmarks.candle_data import minute_candles, symbol_name, trading_minutes, universe, walk
from candlewick.sessions.calendar import find_calendar


@pytest.mark.parametrize("calendar", ["XNYS", "24/7"])
def test_every_candle_is_at_a_trading_minute_and_none_is_missing(calendar: str) -> None:
    found = find_calendar(calendar)
    times = trading_minutes(found, 5_000)
    assert len(times) == 5_000
    assert found.inside(times).all()
    every = np.arange(times[0], times[-1] + 1, 60_000_000)
    assert np.array_equal(every[found.inside(every)], times)


def test_a_million_minutes_reach_over_ten_years() -> None:
    times = trading_minutes(find_calendar("XNYS"), 1_000_000)
    assert len(times) == 1_000_000
    assert str(times[-1].view("datetime64[us]").astype("datetime64[Y]")) == "2020"


def test_the_seed_alone_decides() -> None:
    assert minute_candles(300) == minute_candles(300)
    assert minute_candles(300, seed=2) != minute_candles(300)


def test_a_universe_has_other_candles_for_each_symbol_at_the_same_minutes() -> None:
    one, other = universe(2, 100)
    assert (one.symbol, other.symbol) == (symbol_name(0), symbol_name(1)) == ("SEED0000", "SEED0001")
    assert np.array_equal(one.time, other.time)
    assert not np.array_equal(one.close, other.close)
    assert universe(2, 100)[1] == other


def test_prices_are_ticks_and_no_window_is_flat() -> None:
    candles = minute_candles(100_000)
    for name in ("open", "high", "low", "close"):
        prices = getattr(candles, name)
        assert np.array_equal(prices, np.round(prices, 2))
    windows = np.lib.stride_tricks.sliding_window_view(candles.close, 9)
    assert (windows.max(axis=1) > windows.min(axis=1)).all()
    assert candles.volume.min() >= 1.0


def test_the_walk_stays_where_a_tick_means_the_same() -> None:
    close = walk((50_000, 20), np.random.default_rng(3))["close"]
    assert close.min() >= 60.0
    assert close.max() <= 165.0
    assert close.shape == (50_000, 20)
