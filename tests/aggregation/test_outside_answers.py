"""Bars of real minutes against pandas, session by session, with exchange-calendars' own schedule."""

from __future__ import annotations

import csv
import math
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from candlewick.aggregation import Forming, aggregate
from candlewick.bars import Bars
from candlewick.candles import Candles

pytestmark = pytest.mark.untraced

NAMES = ("open", "high", "low", "close", "volume")
HOW = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": math.fsum, "n": "sum"}
RULES = {"5m": "5min", "1h": "60min"}
REAL = [("SPY", "XNYS"), ("YESBANK", "XBOM"), ("BTCUSD", "24/7")]


def minutes(folder: Path, symbol: str) -> pd.DataFrame:
    with (folder / "minute" / f"{symbol}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    index = pd.DatetimeIndex([datetime.fromisoformat(row["timestamp"]) for row in rows]).tz_convert("UTC")
    frame = pd.DataFrame({name: [float(row[name]) for row in rows] for name in NAMES}, index=index)
    return frame.sort_index()


def schedule(calendar: str, frame: pd.DataFrame) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Opens and closes of the days in the data, as exchange-calendars has them."""
    first, last = frame.index[0].normalize(), frame.index[-1].normalize()
    if calendar == "24/7":
        days = pd.date_range(first, last, freq="D")
        return [(day, day + pd.Timedelta(days=1)) for day in days]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import exchange_calendars

        table = exchange_calendars.get_calendar(calendar, start="2010-01-01").schedule
    table = table[first.tz_localize(None) - pd.Timedelta(days=1) : last.tz_localize(None)]
    assert table["break_start"].isna().all()
    return list(zip(table["open"], table["close"]))


def by_pandas(frame: pd.DataFrame, calendar: str, timeframe: str) -> pd.DataFrame:
    parts: list[Any] = []
    for opened, closed in schedule(calendar, frame):
        day = frame[(frame.index >= opened) & (frame.index < closed)].assign(n=1)
        if day.empty:
            continue
        if timeframe == "1d":
            grouped = day.groupby(np.full(len(day), opened, dtype=object))
        else:
            grouped = day.resample(RULES[timeframe], origin=opened)
        bars = grouped.agg(HOW)
        parts.append(bars[bars["n"] > 0])
    return pd.concat(parts)


def as_candles(frame: pd.DataFrame, symbol: str, calendar: str) -> Candles:
    columns = {name: frame[name].to_numpy() for name in NAMES}
    return Candles(symbol=symbol, timeframe="1m", calendar=calendar, time=frame.index, **columns)


@pytest.mark.parametrize("timeframe", ["5m", "1h", "1d"])
@pytest.mark.parametrize(("symbol", "calendar"), [pytest.param(*REAL[0], marks=pytest.mark.slow), *REAL[1:]])
def test_bars_equal_an_independent_pandas_computation(
    shared_data: Path, symbol: str, calendar: str, timeframe: str
) -> None:
    frame = minutes(shared_data, symbol)
    expected = by_pandas(frame, calendar, timeframe)
    bars = aggregate(as_candles(frame, symbol, calendar), timeframe)
    assert len(bars) == len(expected) > 2
    stamps = pd.DatetimeIndex(expected.index).tz_convert(None).to_numpy().astype("datetime64[us]")
    assert np.array_equal(bars.time, stamps)
    for name in ("open", "high", "low", "close", "n"):
        assert np.array_equal(getattr(bars, name), expected[name].to_numpy()), name
    volumes = expected["volume"].to_numpy()
    if symbol == "BTCUSD":  # fractions of a coin: one rounding for each candle added
        assert np.all(np.abs(bars.volume - volumes) <= bars.n * 2.0**-53 * volumes)
    else:
        assert np.array_equal(bars.volume, volumes)


@pytest.mark.parametrize(("symbol", "calendar"), REAL)
def test_live_gives_the_bars_of_the_batch(shared_data: Path, symbol: str, calendar: str) -> None:
    candles = as_candles(minutes(shared_data, symbol), symbol, calendar)
    whole = aggregate(candles, "5m")
    forming = Forming("1m", "5m", calendar, symbol)
    parts: list[Bars] = [forming.update(candles.rows(at, at + 97)) for at in range(0, len(candles), 97)]
    parts.append(forming.peek())
    assert sum(map(len, parts)) == len(whole)
    for name in ("time", *NAMES, "n", "final", "anchor"):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name)), name
