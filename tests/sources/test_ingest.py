from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from candlewick.errors import (
    CandlewickError,
    FileFormatError,
    InputError,
    MissingColumnError,
    NaiveTimeError,
    StoreError,
    UnknownNameError,
)
from candlewick.sources import ingest as ingest_module
from candlewick.sources.ingest import ingest
from candlewick.sources.simulated import simulate
from candlewick.sources.summary import SHOWN, IngestSummary
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository
from candlewick.testing.failing_repository import FailingRepository
from candlewick.testing.repository_contract import START, some
from candlewick.timeframe import MINUTE

Write = Callable[..., Path]

# Rows off session are counted by hand with awk over the files: minutes of the local clock outside the hours.
REAL = [
    ("SPY", "XNYS", 5786, 0, []),
    ("IBM", "XNYS", 2566, 0, []),
    ("BAC", "XNYS", 3466, 0, []),
    ("AAPL", "XNYS", 2303, 0, ["7:1"]),
    ("YESBANK", "XBOM", 1130, 0, []),
    ("NIFTY50", "XBOM", 3018, 1509, []),
    ("BTCUSD", "24/7", 12423, 0, []),
]


@pytest.fixture(params=["memory", "duckdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CandleRepository]:
    with MemoryStore() if request.param == "memory" else DuckDBStore(tmp_path / "store.duckdb") as store:
        yield store


def counts(summary: IngestSummary) -> tuple[int, ...]:
    """rows, inserted, updated, unchanged, duplicates, quarantined: and that they add up."""
    total = summary.inserted + summary.updated + summary.unchanged + summary.duplicates + summary.quarantined
    assert summary.rows == total
    return (
        summary.rows,
        summary.inserted,
        summary.updated,
        summary.unchanged,
        summary.duplicates,
        summary.quarantined,
    )


def minute_row(minute: int, close: str = "1", symbol: str = "A", time: str = "2024-01-02T14:{:02d}:00Z") -> str:
    return f"{symbol},{time.format(minute)},1,2,0.5,{close},3"


@pytest.mark.parametrize(("name", "calendar", "rows", "duplicates", "warned"), REAL)
def test_real_files(
    store: CandleRepository, shared_data: Path, name: str, calendar: str, rows: int, duplicates: int, warned: list[str]
) -> None:
    path = shared_data / "minute" / f"{name}.csv"
    first = ingest(store, path, calendar=calendar)
    assert counts(first) == (rows, rows - duplicates, 0, 0, duplicates, 0)
    assert first.symbols == [name]
    assert len(first.warnings) == len(warned)
    assert all(ratio in warning for ratio, warning in zip(warned, first.warnings, strict=True))
    stored = store.read(name, "1m")
    assert first.off_session == rows - duplicates - int(stored.calendar.inside(stored.microseconds).sum())
    assert (first.off_session > 0) == (calendar != "24/7")
    before = store.series()
    second = ingest(store, path, calendar=calendar)
    assert counts(second) == (rows, 0, 0, rows - duplicates, duplicates, 0)
    assert (second.off_session, second.warnings) == (first.off_session, first.warnings)
    assert store.series() == before


def test_all_real_files_of_an_exchange_at_once(shared_data: Path) -> None:
    with MemoryStore() as store:
        files = [shared_data / "minute" / f"{name}.csv" for name in ("SPY", "IBM", "BAC", "AAPL")]
        summary = ingest(store, files, calendar="XNYS")
        assert counts(summary) == (14121, 14121, 0, 0, 0, 0)
        assert summary.symbols == ["AAPL", "BAC", "IBM", "SPY"]


def test_every_kind_of_bad_row(store: CandleRepository, csv_file: Write) -> None:
    lines = [
        minute_row(30),
        "",
        "A,2024-01-02T14:31:00Z,1,0.9,0.5,1,3",
        "A,2024-01-02T14:32:00Z,1,2,1.5,1,3",
        "A,2024-01-02T14:33:00Z,1,2,0.5,,3",
        "A,2024-01-02T14:34:00Z,1,2,0.5,inf,3",
        "A,2024-01-02T14:35:00Z,1,2,0.5,1,-3",
        "A,yesterday,1,2,0.5,1,3",
        "A,2024-01-02T14:36:00,1,2,0.5,1,3",
        "A,2024-01-02T14:37:00Z,1,2,0.5,1",
        "A,2024-01-02T14:38:00Z,1,2,0.5,1,3,4",
        ",2024-01-02T14:39:00Z,1,2,0.5,1,3",
        minute_row(40, "1.5"),
        minute_row(40, "1.25"),
        minute_row(40, "1.25"),
        'A,"2024-01-02T14:41:00Z,1,2,0.5,1,3',
        "   ",
        minute_row(42),
    ]
    summary = ingest(store, csv_file(*lines), calendar="XNYS")
    assert counts(summary) == (16, 3, 0, 0, 1, 12)
    kept = store.quarantined()
    assert [(row.line, row.reason) for row in kept] == [
        (4, "high below open or close"),
        (5, "low above open or close"),
        (6, "not a number"),
        (7, "not a number"),
        (8, "negative volume"),
        (9, "unreadable time"),
        (10, "time without a timezone"),
        (11, "too few fields"),
        (12, "too many fields"),
        (13, "no symbol"),
        (14, "conflicting duplicate"),
        (17, "too few fields"),
    ]
    assert [row.row for row in kept] == [lines[row.line - 2] for row in kept]
    assert {row.symbol for row in kept} == {"A", ""}
    assert store.read("A", "1m").close.tolist() == [1, 1.25, 1]
    again = ingest(store, csv_file(*lines), calendar="XNYS")
    assert counts(again) == (16, 0, 0, 3, 1, 12)
    assert store.quarantined() == kept


def test_a_row_of_bytes_that_are_no_text(store: CandleRepository, csv_file: Write) -> None:
    data = b"symbol,time,open,high,low,close,volume\nA,2024-01-02T14:30Z,1,1,1,1,1\n\xff,2024-01-02T14:31Z,1,1,1,1,1\n"
    assert counts(ingest(store, csv_file(data=data), calendar="XNYS")) == (2, 1, 0, 0, 0, 1)
    assert [(row.line, row.reason, row.row[:4]) for row in store.quarantined()] == [(3, "not UTF-8 text", "\\xff")]


def test_a_correction_updates(store: CandleRepository, csv_file: Write) -> None:
    ingest(store, csv_file(minute_row(30), minute_row(31)), calendar="XNYS")
    summary = ingest(store, csv_file(minute_row(31, "1.5"), minute_row(30), minute_row(32)), calendar="XNYS")
    assert counts(summary) == (3, 1, 1, 1, 0, 0)
    assert store.read("A", "1m").close.tolist() == [1, 1.5, 1]


def test_newest_first_and_mixed_symbols(store: CandleRepository, csv_file: Write) -> None:
    lines = [minute_row(minute, symbol=symbol) for minute in range(59, 29, -1) for symbol in ("B", "A/C", "日")]
    assert counts(ingest(store, csv_file(*lines), calendar="XNYS")) == (90, 90, 0, 0, 0, 0)
    for symbol in ("B", "A/C", "日"):
        assert store.read(symbol, "1m").microseconds.tolist() == [START + k * MINUTE for k in range(30)]


def test_the_symbol_option(store: CandleRepository, csv_file: Write) -> None:
    plain = csv_file("2024-01-02T14:30Z,1,1,1,1,1", header="time,o,h,l,c,v")
    assert ingest(store, plain, calendar="XNYS", symbol=" X ").symbols == ["X"]
    with pytest.raises(InputError, match="no symbol column"):
        ingest(store, plain, calendar="XNYS")
    with pytest.raises(InputError, match="symbol"):
        ingest(store, plain, calendar="XNYS", symbol=" ")
    mixed = csv_file(minute_row(30), minute_row(30, symbol="B"), name="b.csv")
    assert counts(ingest(store, mixed, calendar="XNYS", symbol="A")) == (2, 1, 0, 0, 0, 1)
    assert [(row.symbol, row.reason) for row in store.quarantined()] == [("B", "another symbol than asked for")]


@pytest.mark.parametrize(
    ("time", "timezone"),
    [
        ("2024-01-02T09:30:00-05:00", None),
        ("2024-01-02 09:30", "America/New_York"),
        ("2024-01-02T20:00:00", "Asia/Kolkata"),
        ("1704205800", None),
        ("1704205800000", None),
        ("1704205800000000", None),
        ("1704205800000000000", None),
        ("1704205800.0", None),
    ],
)
def test_forms_of_time(store: CandleRepository, csv_file: Write, time: str, timezone: str | None) -> None:
    ingest(store, csv_file(f"A,{time},1,1,1,1,1"), calendar="XNYS", timezone=timezone)
    assert store.read("A", "1m").microseconds.tolist() == [START]


@pytest.mark.parametrize(
    "header",
    ["symbol,date,time,open,high,low,close,volume", "<TICKER>;<DATE>;<TIME>;<OPEN>;<HIGH>;<LOW>;<CLOSE>;<VOL>"],
)
@pytest.mark.parametrize("date", ["2024-01-02", "2024.01.02"])
def test_date_and_time_in_two_columns(store: CandleRepository, csv_file: Write, header: str, date: str) -> None:
    line = f"A,{date},09:30,1,1,1,1,1"
    path = csv_file(line.replace(",", ";") if ";" in header else line, header=header)
    ingest(store, path, calendar="XNYS", timezone="America/New_York")
    assert store.read("A", "1m").microseconds.tolist() == [START]


def test_an_epoch_row_of_another_unit(store: CandleRepository, csv_file: Write) -> None:
    path = csv_file("A,1704205800,1,1,1,1,1", "A,1704205860000,1,1,1,1,1", "A,,1,1,1,1,1")
    assert counts(ingest(store, path, calendar="XNYS")) == (3, 1, 0, 0, 0, 2)
    reasons = ["time in another unit than the file's first", "unreadable time"]
    assert [row.reason for row in store.quarantined()] == reasons


def test_local_times_on_days_of_a_clock_change(store: CandleRepository, csv_file: Write) -> None:
    times = ["2024-03-10 01:30", "2024-03-10 02:30", "2024-03-10 03:30", "2024-11-03 01:30", "2024-11-03 02:30"]
    path = csv_file(*(f"A,{time},1,1,1,1,1" for time in times))
    summary = ingest(store, path, calendar="24/7", timezone="America/New_York")
    assert counts(summary) == (5, 3, 0, 0, 0, 2)
    assert [row.line for row in store.quarantined()] == [3, 5]


def test_daily_candles_by_session_label(store: CandleRepository, csv_file: Write) -> None:
    path = csv_file(*(f"A,2024-01-0{day},1,1,1,1,1" for day in (1, 2, 3, 6)), "A,20240104,1,1,1,1,1")
    summary = ingest(store, path, calendar="XNYS", timeframe="1d")
    assert counts(summary) == (5, 3, 0, 0, 0, 2)
    assert summary.off_session == 0
    assert store.read("A", "1d").microseconds[0] == START
    assert {row.reason for row in store.quarantined()} == {"no session on this date"}


def test_what_looks_wrong_is_warned_of(store: CandleRepository, csv_file: Write) -> None:
    unread = ingest(store, csv_file("A,01/02/2024 09:30,1,1,1,1,1"), calendar="XNYS")
    assert ["no row has a readable time" in one for one in unread.warnings] == [True]
    midnight = csv_file("A,2024-01-02T00:00:00-05:00,1,1,1,1,1", name="b.csv")
    daily = ingest(store, midnight, calendar="XNYS", timeframe="1d")
    assert daily.off_session == 1
    assert ["bare dates" in one for one in daily.warnings] == [True]
    beyond = csv_file(minute_row(30), "A,9998-01-02T14:30:00Z,1,1,1,1,1", name="c.csv")
    far = ingest(store, beyond, calendar="XNYS")
    assert counts(far) == (2, 1, 0, 0, 0, 1)
    assert ["beyond what XNYS knows" in one for one in far.warnings] == [True]


def test_warnings_are_bounded(csv_file: Write) -> None:
    lines = [f"S{k},2024-01-0{day}T15:00Z,{price},{price},{price},{price},1"
             for k in range(SHOWN + 20) for day, price in ((2, 100), (3, 50))]  # fmt: skip
    with MemoryStore() as store:
        warnings = ingest(store, csv_file(*lines), calendar="XNYS").warnings
    assert len(warnings) == SHOWN + 1
    assert warnings[-1] == "and 20 more warnings"


@pytest.mark.parametrize(
    ("data", "name", "error", "problem"),
    [
        (b"", "a.csv", FileFormatError, "empty"),
        (b"  \n\n", "a.csv", FileFormatError, "empty"),
        (b"\xef\xbb\xbf", "a.csv", FileFormatError, "empty"),
        (b"time,o,h,l,c,v\n", "a.csv", FileFormatError, "no rows"),
        (b"time,o,h,l,c,v\n\n \n", "a.csv", FileFormatError, "no rows"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a.csv", FileFormatError, "not text"),
        ("time,o\n".encode("utf-16"), "a.csv", FileFormatError, "not text"),
        (b"time,\xe9\n1,2\n", "a.csv", FileFormatError, "UTF-8"),
        (b"x" * 70_000, "a.csv", FileFormatError, "too long"),
        (b"\n" * 70_000, "a.csv", FileFormatError, "empty|blank"),
        (b"time,o,h,l,c,v\n", "a.csv.gz", FileFormatError, "not gzip"),
        (b"time,o,h,l,c,v\n", "a.zip", FileFormatError, "not a zip"),
        (b"time,o,h,l,c,v\n", "a.parquet", FileFormatError, "not a Parquet file"),
        (b"time,o,h,l,c,v\n", "a.arrow", FileFormatError, "not an Arrow file"),
        (b"time,o,h,l,c,v\n", "a.xlsx", FileFormatError, "no kind that is known"),
        (b"time,o,h,l,c\n1,1,1,1,1\n", "a.csv", MissingColumnError, "volume"),
        (b"o,h,l,c,v\n1,1,1,1,1\n", "a.csv", MissingColumnError, "time"),
        (b"2024-01-02T09:30Z,1,1,1,1,1\n", "a.csv", MissingColumnError, "time"),
        (b"time,o,h,l,c,v\n2024-01-02 09:30,1,1,1,1,1\n", "a.csv", NaiveTimeError, "--timezone"),
        (b"date,o,h,l,c,v\n2024-01-02,1,1,1,1,1\n", "a.csv", NaiveTimeError, "session label"),
    ],
)
def test_bad_files_store_nothing_even_of_good_ones(
    csv_file: Write, data: bytes, name: str, error: type[CandlewickError], problem: str
) -> None:
    good = csv_file(minute_row(30), name="good.csv")
    bad = csv_file(data=data, name=name)
    with MemoryStore() as store:
        with pytest.raises(error, match=problem) as caught:
            ingest(store, [good, bad], calendar="XNYS", symbol="A")
        assert name in str(caught.value)
        assert store.series() == []


def test_unknown_names(csv_file: Write) -> None:
    path = csv_file(minute_row(30))
    with MemoryStore() as store:
        with pytest.raises(UnknownNameError, match="calendar"):
            ingest(store, path, calendar="NOWHERE")
        with pytest.raises(UnknownNameError, match="timezone"):
            ingest(store, path, calendar="XNYS", timezone="Mars/Base")
        with pytest.raises(InputError, match="timeframe"):
            ingest(store, path, calendar="XNYS", timeframe="soon")


def test_another_calendar_than_the_stored_one(store: CandleRepository, csv_file: Write) -> None:
    path = csv_file(minute_row(30))
    ingest(store, path, calendar="XNYS")
    with pytest.raises(InputError, match="XNYS"):
        ingest(store, path, calendar="24/7")
    assert store.staging is None or not store.staging.exists()


def test_a_failing_store_leaves_whole_series_and_a_second_run_completes(
    csv_file: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("candlewick.sources.staging.PER_BUCKET", 1000)
    monkeypatch.setattr("candlewick.sources.staging.HELD", 40)
    symbols = [f"S{k}" for k in range(20)]
    path = csv_file(*(minute_row(minute, symbol=symbol) for minute in range(30, 50) for symbol in symbols))
    with DuckDBStore(tmp_path / "s.duckdb") as inner:
        failing = FailingRepository(inner, method="upsert_many", error=StoreError("disk full"), at=3)
        with pytest.raises(StoreError, match="disk full"):
            ingest(failing, path, calendar="XNYS")
        held = inner.series()
        assert 0 < len(held) < 20
        assert {one.rows for one in held} == {20}
        assert not (inner.staging or tmp_path).exists()
        summary = ingest(inner, path, calendar="XNYS")
        assert counts(summary) == (400, (20 - len(held)) * 20, 0, len(held) * 20, 0, 0)
        for symbol in symbols:
            assert inner.count(symbol, "1m") == 20


def test_old_staging_is_cleared(csv_file: Write, tmp_path: Path) -> None:
    with DuckDBStore(tmp_path / "s.duckdb") as store:
        assert store.staging is not None
        (store.staging / "dead").mkdir(parents=True)
        (store.staging / "dead" / "0.bucket").write_bytes(b"x")
        ingest(store, csv_file(minute_row(30)), calendar="XNYS")
        assert not store.staging.exists()


def test_progress_grows_to_the_total(csv_file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "EVERY", 0)
    monkeypatch.setattr("candlewick.sources.text_file.BLOCK", 500)
    paths = [csv_file(*(minute_row(k) for k in range(30, 60)), name=name) for name in ("a.csv", "b.csv")]
    calls: list[tuple[int, int, int]] = []
    with MemoryStore() as store:
        ingest(store, paths, calendar="XNYS", progress=lambda *figures: calls.append(figures))
    total = sum(path.stat().st_size for path in paths)
    assert calls[-1] == (total, total, 60)
    assert [done for done, _, _ in calls] == sorted(done for done, _, _ in calls)
    assert [rows for _, _, rows in calls] == sorted(rows for _, _, rows in calls)
    assert len(calls) > 6


def test_progress_is_not_called_too_often(csv_file: Write) -> None:
    calls: list[Any] = []
    with MemoryStore() as store:
        ingest(store, csv_file(minute_row(30)), calendar="XNYS", progress=lambda *figures: calls.append(figures))
    assert 1 <= len(calls) <= 2


def test_candles_and_tables_go_in_too(store: CandleRepository) -> None:
    candles = list(simulate(["A", "B"], "XNYS", 2, 1))
    summary = ingest(store, candles, calendar="XNYS")
    assert counts(summary)[:2] == (sum(len(one) for one in candles),) * 2
    for one in candles:
        assert store.read(one.symbol, "1m") == one
    table = some("C").to_arrow()
    assert ingest(store, table, calendar="XNYS", symbol="C").inserted == 5


def test_the_summary_as_plain_values(csv_file: Write) -> None:
    with MemoryStore() as store:
        plain = ingest(store, csv_file(minute_row(30)), calendar="XNYS").as_dict()
    seconds = plain.pop("seconds")
    assert seconds >= 0
    zeros = dict.fromkeys(("updated", "unchanged", "duplicates", "quarantined", "off_session"), 0)
    assert plain == {"rows": 1, "inserted": 1, **zeros, "symbols": ["A"], "warnings": []}
