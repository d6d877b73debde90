from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from candlewick.candles import check_rows
from candlewick.errors import InputError
from candlewick.sources.simulated import simulate


def test_the_same_seed_gives_the_same_bits_whatever_else_is_asked_for() -> None:
    alone = next(simulate(["B"], "XNYS", 3, 7))
    among = list(simulate(["A", "B", "ü"], "XNYS", 3, 7))
    assert among[1] == alone
    assert among[0] != among[2]
    assert next(simulate(["B"], "XNYS", 3, 8)) != alone


@pytest.mark.parametrize("calendar", ["XNYS", "XTKS", "24/7", "XBOM"])
def test_candles_are_sound_and_inside_sessions(calendar: str) -> None:
    for candles in simulate([f"S{k}" for k in range(5)], calendar, 5, 1):
        check_rows({name: getattr(candles, name) for name in ("open", "high", "low", "close", "volume")})
        assert (np.diff(candles.microseconds) > 0).all()
        assert candles.calendar.inside(candles.microseconds).all()
        ticks = candles.close * 100
        assert np.abs(ticks - np.rint(ticks)).max() < 1e-6
        assert candles.volume.min() >= 1
        days = np.unique(candles.time.astype("datetime64[D]"))
        assert len(days) == 5


def test_minutes_without_a_trade_and_busy_ends() -> None:
    candles = list(simulate([f"S{k}" for k in range(20)], "XNYS", 2, 1, start=dt.date(2024, 3, 7)))
    assert len({len(one) for one in candles}) > 5
    assert all(650 < len(one) <= 780 for one in candles)
    minute = candles[0].time.astype("datetime64[m]").astype(np.int64) % 1440
    volume = candles[0].volume
    noon = np.median(volume[(minute > 16 * 60) & (minute < 19 * 60)])
    assert np.median(volume[minute < 15 * 60]) > 1.5 * noon


def test_bad_requests() -> None:
    with pytest.raises(InputError, match="sessions"):
        next(simulate(["A"], "XNYS", 0, 1))
    with pytest.raises(InputError, match="start"):
        next(simulate(["A"], "XNYS", 1, 1, start="soon"))


def test_a_long_holiday_is_stepped_over() -> None:
    assert len(np.unique(next(simulate(["A"], "XSHG", 1, 1, start="2024-02-09")).time.astype("datetime64[D]"))) == 1
