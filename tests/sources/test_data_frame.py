"""Frames of pandas and polars: the same candles whatever the frame looks like, and what cannot be meant is told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlewick.candles import VALUES, Candles
from candlewick.errors import FileFormatError, InputError, MissingColumnError, NaiveTimeError, UnknownNameError
from candlewick.sources.data_frame import is_table, table_of
from candlewick.sources.ingest import ingest
from candlewick.sources.read import from_frame
from candlewick.store.memory import MemoryStore
from candlewick.testing.repository_contract import START
from candlewick.timeframe import MINUTE

NEW_YORK = "America/New_York"
HEADERS = {"open": ["Open", "o", "OPEN_PRICE"], "volume": ["Volume", "vol", "V"], "close": ["Close", "last", " close "]}


def minutes(closes: list[float], gaps: list[int]) -> Candles:
    """Candles of the first session of 2024, with minutes left out."""
    close = np.array(closes)
    time = START + np.cumsum(np.array(gaps[: len(closes)], dtype=np.int64)) * MINUTE
    high, low = close + 1, close - 1
    return Candles(
        symbol="ACME",
        timeframe="1m",
        calendar="XNYS",
        time=time,
        open=close,
        high=high,
        low=low,
        close=close,
        volume=np.abs(close),
    )


@st.composite
def series(draw: st.DrawFn) -> Candles:
    closes = draw(st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), min_size=1, max_size=30))
    gaps = draw(st.lists(st.integers(1, 5), min_size=len(closes), max_size=len(closes)))
    return minutes(closes, gaps)


def frames(candles: Candles, names: dict[str, str], zone: str) -> list[tuple[str, Any, str | None]]:
    """The same candles as frames of every kind, and the timezone to say with each."""
    by_time = candles.to_pandas().rename(columns=names)
    unnamed = by_time.rename_axis(None)
    dated = by_time.rename_axis("Date")
    naive = by_time.tz_convert(zone).tz_localize(None)
    polar = candles.to_polars().rename(names)
    return [
        ("index", by_time, None),
        ("index of another name", by_time.rename_axis("whatever"), None),
        ("index without a name", unnamed, None),
        ("index of a zone", by_time.tz_convert(zone), None),
        ("index named Date", dated, None),
        ("nanoseconds", by_time.set_index(by_time.index.as_unit("ns")), None),
        ("local times", naive, zone),
        ("column", by_time.reset_index(), None),
        ("newest first", by_time.iloc[::-1], None),
        ("every row twice", pd.concat([by_time, by_time]), None),
        ("more columns", by_time.assign(**{"Adj Close": 0.0}), None),
        ("polars", polar, None),
        ("polars of a zone", polar.with_columns(pl.col("time").dt.convert_time_zone(zone)), None),
        ("polars, local times", polar.with_columns(naive_time(polar, zone)), zone),
        ("text", polar.with_columns(pl.col("time").dt.to_string("iso:strict")), None),
        ("epoch", polar.with_columns(pl.col("time").dt.epoch("ms")), None),
        ("arrow", polar.to_arrow(), None),
        ("candles", candles, None),
    ]


def naive_time(polar: pl.DataFrame, zone: str) -> pl.Expr:
    return pl.col("time").dt.convert_time_zone(zone).dt.replace_time_zone(None)


@settings(max_examples=15, deadline=None)
@given(
    series(),
    st.fixed_dictionaries({name: st.sampled_from(headers) for name, headers in HEADERS.items()}),
    st.sampled_from([NEW_YORK, "Asia/Kolkata", "UTC"]),
)
def test_whatever_the_frame_looks_like_the_candles_are_the_same(
    candles: Candles, names: dict[str, str], zone: str
) -> None:
    for kind, frame, timezone in frames(candles, names, zone):
        found = from_frame(frame, symbol="ACME", timeframe="1m", calendar="XNYS", timezone=timezone)
        assert found == candles, kind
        assert all(getattr(found, name).tobytes() == getattr(candles, name).tobytes() for name in VALUES), kind


def test_a_store_takes_the_same_frames() -> None:
    candles = minutes([1.0, 2.0, 3.0], [0, 1, 1])
    for kind, frame, timezone in frames(candles, {"open": "Open"}, NEW_YORK):
        with MemoryStore() as store:
            ingest(store, frame, symbol="ACME", calendar="XNYS", timezone=timezone)
            assert store.read("ACME", "1m") == candles, kind


def days(index: Any) -> pd.DataFrame:
    return pd.DataFrame({name: [1.0, 2.0] for name in ("Open", "High", "Low", "Close", "Volume")}, index=index)


def test_midnights_of_pandas_are_session_labels_from_1d_on() -> None:
    daily = days(pd.DatetimeIndex(["2024-01-02", "2024-01-03"]))
    found = from_frame(daily, symbol="A", timeframe="1d", calendar="XNYS")
    assert found.microseconds.tolist() == [START, START + 1440 * MINUTE]
    polar = pl.DataFrame({**daily.to_dict("list"), "date": [dt.date(2024, 1, 2), dt.date(2024, 1, 3)]})
    assert from_frame(polar, symbol="A", timeframe="1d", calendar="XNYS") == found
    with pytest.raises(NaiveTimeError, match="give a timezone"):
        from_frame(daily, symbol="A", timeframe="1h", calendar="XNYS")


def test_a_time_of_day_among_midnights_is_no_label() -> None:
    """Also when it comes long after the first rows, by which the form is recognised."""
    index = pd.DatetimeIndex(["2024-01-02", "2024-01-03 00:01"])
    with pytest.raises(NaiveTimeError, match="give a timezone"):
        from_frame(days(index), symbol="A", timeframe="1d", calendar="XNYS")
    long = pa.table({name: np.ones(140_000) for name in ("open", "high", "low", "close", "volume")})
    time = np.full(140_000, np.datetime64("2024-01-02", "us"))
    time[-1] += 1
    with pytest.raises(InputError, match=r"row 140000.*time without a timezone"):
        from_frame(long.append_column("time", pa.array(time)), symbol="A", timeframe="1d", calendar="XNYS")


def test_midnights_of_a_timezone_are_no_labels_and_that_is_told() -> None:
    daily = days(pd.DatetimeIndex(["2024-01-02", "2024-01-03"], tz=NEW_YORK))
    with pytest.raises(InputError, match=r"in no session of XNYS; give dates, .*tz_localize\(None\)"):
        from_frame(daily, symbol="A", timeframe="1d", calendar="XNYS")
    assert len(from_frame(daily.tz_localize(None), symbol="A", timeframe="1d", calendar="XNYS")) == 2


def test_a_symbol_is_chosen_or_named() -> None:
    frame = pd.concat([minutes([1.0, 2.0], [0, 1]).to_pandas().assign(ticker=name) for name in "AB"])
    assert from_frame(frame, symbol="B", timeframe="1m", calendar="XNYS").symbol == "B"
    assert from_frame(frame[:2], timeframe="1m", calendar="XNYS").symbol == "A"
    with pytest.raises(InputError, match=r"choose one with symbol=: .* A, B"):
        from_frame(frame, timeframe="1m", calendar="XNYS")
    with pytest.raises(UnknownNameError, match="'AA' is unknown; it is not in frame"):
        from_frame(frame, symbol="AA", timeframe="1m", calendar="XNYS")
    with pytest.raises(InputError, match="has no symbol column"):
        from_frame(frame.drop(columns="ticker"), timeframe="1m", calendar="XNYS")


@pytest.mark.parametrize(
    ("frame", "error", "said"),
    [
        (days(pd.RangeIndex(2)), MissingColumnError, "'time' column is missing; the columns found are: Open"),
        (days(pd.period_range("2024-01-02", periods=2)), InputError, r"is no index of times; .*to_timestamp\(\)"),
        (days(pd.MultiIndex.from_tuples([(1, 2), (3, 4)])), InputError, r"is no index of times; .*reset_index\(\)"),
        (pd.DataFrame({("Open", "SPY"): [1.0]}), InputError, r"column names of several levels; keep one level"),
        (pd.DataFrame([[1.0, 2.0]], columns=["Open", "Open"]), InputError, r"\['Open'\] has columns of the same name"),
        (days(pd.DatetimeIndex([None, "2024-01-03"], tz="UTC")), InputError, "row 1: .*unreadable time"),
        (days(pd.DatetimeIndex(["2024-01-02", "2024-01-03"]))[:0], FileFormatError, "'frame' has columns but no rows"),
        ({"open": [1.0]}, InputError, "'dict' is no table|column is missing"),
        (7, InputError, "frame: 'int' is no table; give a frame of pandas or polars"),
    ],
)
def test_what_cannot_be_meant_is_told(frame: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        from_frame(frame, symbol="A", timeframe="1d", calendar="XNYS")


def test_a_bad_row_is_an_error_with_row_and_reason() -> None:
    frame = minutes([1.0, 2.0, 3.0], [0, 1, 1]).to_pandas()
    frame.iloc[1, frame.columns.get_loc("high")] = 0.5
    with pytest.raises(InputError, match=r"frame row 2: .*high below open or close; correct the row"):
        from_frame(frame, symbol="A", timeframe="1m", calendar="XNYS")


def test_what_is_a_table() -> None:
    frame = days(pd.RangeIndex(2))
    assert all(map(is_table, (frame, pl.DataFrame(), pa.table({}), minutes([1.0], [0]))))
    assert not any(map(is_table, ("a.csv", 7, frame.index)))
    assert table_of(frame).column_names == list(frame.columns)
