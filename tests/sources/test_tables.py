"""Parquet, Arrow and tables in memory: the same rows, whatever the types of their columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from candlewick.errors import FileFormatError, InputError, MissingColumnError, NaiveTimeError
from candlewick.sources.ingest import ingest
from candlewick.store.memory import MemoryStore
from candlewick.testing.repository_contract import START
from candlewick.timeframe import MINUTE

TIMES = [START, START + MINUTE, START + 2 * MINUTE]
ISO = ["2024-01-02T14:30:00Z", "2024-01-02T14:31:00Z", "2024-01-02T14:32:00Z"]


def table(**columns: Any) -> pa.Table:
    ones = pa.array([1.0, 1.0, 1.0])
    plain: dict[str, Any] = {"symbol": ["A", "A", "B"], "time": pa.array(TIMES, pa.timestamp("us", "UTC"))}
    return pa.table({**plain, **dict.fromkeys(["open", "high", "low", "close", "volume"], ones), **columns})


def write(kind: str, rows: pa.Table, path: Path) -> Path:
    if kind == "parquet":
        parquet.write_table(rows, path, row_group_size=2)
    elif kind == "feather":
        feather.write_feather(rows, str(path), compression="zstd", chunksize=2)
    else:
        with pa.ipc.new_stream(path, rows.schema) as writer:
            writer.write_table(rows, max_chunksize=2)
    return path


@pytest.mark.parametrize("kind", ["parquet", "feather", "arrows"])
def test_files(kind: str, tmp_path: Path) -> None:
    good = table(close=pa.array([1.0, None, 1.0]))
    path = write(kind, good, tmp_path / f"a.{kind}")
    with MemoryStore() as store:
        first = ingest(store, path, calendar="XNYS")
        assert (first.rows, first.inserted, first.quarantined) == (3, 2, 1)
        (row,) = store.quarantined()
        assert (row.line, row.reason, row.symbol) == (2, "not a number", "A")
        assert row.row == "A,2024-01-02T14:31:00+00:00,1.0,1.0,1.0,,1.0"
        second = ingest(store, path, calendar="XNYS")
        assert (second.unchanged, second.quarantined, len(store.quarantined())) == (2, 1, 1)
        assert store.read("B", "1m").microseconds.tolist() == TIMES[2:]


@pytest.mark.parametrize(
    "times",
    [
        pa.array(TIMES, pa.timestamp("us", "America/New_York")),
        pa.array([at * 1000 for at in TIMES], pa.timestamp("ns", "UTC")),
        pa.array([at // 1_000_000 for at in TIMES], pa.timestamp("s", "UTC")),
        pa.array([at // 1_000_000 for at in TIMES], pa.int64()),
        pa.array([at // 1_000_000 for at in TIMES], pa.uint32()),
        pa.array([at // 1000 for at in TIMES], pa.int64()),
        pa.array([at * 1000 for at in TIMES], pa.int64()),
        pa.array(ISO),
        pa.array(ISO, pa.large_string()),
        pa.array(ISO).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_types_of_time(times: pa.Array) -> None:
    with MemoryStore() as store:
        assert ingest(store, table(time=times), calendar="XNYS").inserted == 3
        assert store.read("A", "1m").microseconds.tolist() == TIMES[:2]


def test_local_timestamps_need_a_timezone() -> None:
    local = pa.array([at - 300 * MINUTE for at in TIMES], pa.timestamp("us"))
    with MemoryStore() as store:
        with pytest.raises(NaiveTimeError, match="table"):
            ingest(store, table(time=local), calendar="XNYS")
        ingest(store, table(time=local), calendar="XNYS", timezone="America/New_York")
        assert store.read("A", "1m").microseconds.tolist() == TIMES[:2]


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_dates_are_session_labels(kind: pa.DataType) -> None:
    days = pa.array([dt.date(2024, 1, 2), dt.date(2024, 1, 1), None], kind)
    with MemoryStore() as store:
        summary = ingest(store, table(time=days), calendar="XNYS", timeframe="1d")
        assert (summary.inserted, summary.quarantined) == (1, 2)
        assert store.read("A", "1d").microseconds.tolist() == [START]
        assert [row.reason for row in store.quarantined()] == ["no session on this date", "unreadable time"]
        with pytest.raises(NaiveTimeError):
            ingest(store, table(time=days), calendar="XNYS")


def test_a_date_and_a_time_column() -> None:
    rows = table(time=pa.array(["09:30", "09:31", "09:32"]), date=pa.array([dt.date(2024, 1, 2)] * 3))
    with MemoryStore() as store:
        ingest(store, rows, calendar="XNYS", timezone="America/New_York")
        assert store.read("A", "1m").microseconds.tolist() == TIMES[:2]


@pytest.mark.parametrize(
    "prices",
    [
        pa.array([1, 1, 1], pa.int32()),
        pa.array([1, 1, 1], pa.float32()),
        pa.array([Decimal("1.00")] * 3),
        pa.array(["1", " 1.0 ", "+1e0"]),
        pa.array(["1", "1", "1"]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_types_of_prices(prices: pa.Array) -> None:
    with MemoryStore() as store:
        assert ingest(store, table(close=prices), calendar="XNYS").inserted == 3


def test_columns_that_cannot_be_meant() -> None:
    with MemoryStore() as store:
        for columns, problem in (
            ({"close": pa.array([True] * 3)}, "no type of a number"),
            ({"time": pa.array([1.5] * 3)}, "no type of a time"),
            ({"time": pa.nulls(3)}, "no type of a time"),
        ):
            with pytest.raises(InputError, match=problem):
                ingest(store, table(**columns), calendar="XNYS")
        with pytest.raises(MissingColumnError, match="volume"):
            ingest(store, table().drop_columns(["volume"]), calendar="XNYS")
        with pytest.raises(InputError, match="symbol"):
            ingest(store, table().drop_columns(["symbol"]), calendar="XNYS")
        with pytest.raises(FileFormatError, match="no rows"):
            ingest(store, table().slice(0, 0), calendar="XNYS")
        assert store.series() == []


def test_missing_times_symbols_and_all_null_columns() -> None:
    rows = table(
        time=pa.array([TIMES[0], None, TIMES[2]], pa.timestamp("us", "UTC")),
        symbol=pa.array(["A", "A", None]).dictionary_encode(),
    )
    with MemoryStore() as store:
        assert ingest(store, rows, calendar="XNYS").quarantined == 2
        assert [row.reason for row in store.quarantined()] == ["unreadable time", "no symbol"]
        assert ingest(store, table(close=pa.nulls(3)), calendar="XNYS").quarantined == 3


def test_numbers_of_another_unit_and_conflicts_in_a_table() -> None:
    numbers = pa.array([START // 1_000_000, START, START // 1_000_000], pa.int64())
    rows = table(time=numbers, symbol=["A"] * 3, close=pa.array([1.0, 1.0, 1.0]), volume=pa.array([1.0, 1.0, 2.0]))
    with MemoryStore() as store:
        summary = ingest(store, rows, calendar="XNYS")
        assert (summary.inserted, summary.quarantined) == (1, 2)
        assert [(row.line, row.reason) for row in store.quarantined()] == [
            (1, "conflicting duplicate"),
            (2, "time in another unit than the file's first"),
        ]
        assert store.read("A", "1m").volume.tolist() == [2]


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_a_damaged_file(kind: str, tmp_path: Path) -> None:
    rows = pa.concat_tables([table()] * 1000)
    path = write(kind, rows, tmp_path / f"a.{kind}")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with MemoryStore() as store, pytest.raises(FileFormatError, match="damaged"):
        ingest(store, path, calendar="XNYS")
    path.write_bytes(b"")
    with MemoryStore() as store, pytest.raises(FileFormatError, match="empty"):
        ingest(store, path, calendar="XNYS")


def test_a_large_table_in_pieces(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, csv_file: Callable[..., Path]
) -> None:
    monkeypatch.setattr("candlewick.sources.arrow.BATCH", 7)
    time = pa.array(START + np.arange(100) * MINUTE, pa.timestamp("us", "UTC"))
    ones = pa.array(np.ones(100))
    rows = pa.table({"time": time, **dict.fromkeys("ohlcv", ones)})
    with MemoryStore() as store:
        for number, source in enumerate([rows, write("feather", rows, tmp_path / "a.feather")]):
            summary = ingest(store, source, calendar="XNYS", symbol="A")
            assert (summary.rows, summary.inserted, summary.unchanged) == (100, 100 - 100 * number, 100 * number)


@pytest.mark.parametrize("kind", ["parquet", "arrows", "feather"])
def test_a_text_that_is_none_makes_the_file_a_damaged_one(kind: str, tmp_path: Path) -> None:
    bad = pa.array([b"A", b"\xff\xfe", b"B"], pa.binary()).view(pa.string())
    path = write(kind, table(symbol=bad), tmp_path / f"a.{kind}")
    with MemoryStore() as store, pytest.raises(FileFormatError, match="damaged"):
        ingest(store, path, calendar="XNYS")


@pytest.mark.parametrize("kind", ["parquet", "arrows", "feather"])
def test_times_that_python_has_no_form_for_are_quarantined(kind: str, tmp_path: Path) -> None:
    far = pa.array([2**62, START, START + MINUTE], pa.timestamp("us", "UTC"))
    path = write(kind, table(time=far), tmp_path / f"a.{kind}")
    with MemoryStore() as store:
        summary = ingest(store, path, calendar="XNYS")
        assert (summary.inserted, summary.quarantined) == (2, 1)
        (row,) = store.quarantined()
        assert row.reason == "beyond the dates that the calendar knows"
        assert row.row.startswith(f"A,{2**62},")


@pytest.mark.parametrize("kind", ["parquet", "arrows", "feather"])
def test_a_name_that_is_no_text_makes_the_file_a_damaged_one(kind: str, tmp_path: Path) -> None:
    path = write(kind, table(), tmp_path / f"a.{kind}")
    path.write_bytes(path.read_bytes().replace(b"volume", b"v\xd6lume"))
    with MemoryStore() as store, pytest.raises(FileFormatError, match="damaged"):
        ingest(store, path, calendar="XNYS")
