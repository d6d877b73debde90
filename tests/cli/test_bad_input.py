"""Bad input: exit code 2, a message that names parameter, value and what would be right, and no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GOOD = "symbol,time,open,high,low,close,volume\nA,2024-01-02T14:30:00Z,1,2,1,2,5\n"


def refused(ran: Any, *parts: str, json: bool = False) -> None:
    assert ran.code == 2
    if json:
        assert list(ran.json) == ["error"]
        told = ran.json["error"]["detail"]
        assert all(part in told for part in parts)
    else:
        assert ran.out == ""
    assert ran.err.startswith("Error: ")
    assert "Traceback" not in ran.err
    for part in parts:
        assert part in ran.err


@pytest.fixture
def good(tmp_path: Path) -> str:
    (tmp_path / "good.csv").write_text(GOOD)
    return "good.csv"


def test_no_calendar_lists_the_likely_ones(run: Any, good: str) -> None:
    refused(run("ingest", good), "calendar", "is missing", "no default", "XNYS", "XBOM", "24/7", "@Asia/Kolkata")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--calendar", "XNYSE"), ("calendar: 'XNYSE' is unknown", "XNYS")),
        (("--calendar", "9-5@Mars"), ("calendar: '9-5'", "give hours as 09:15-15:30@Asia/Kolkata")),
        (("--calendar", "XNYS", "--timeframe", "5 minutes"), ("timeframe: '5 minutes'", "give whole minutes (1m")),
        (("--calendar", "XNYS", "--timezone", "America/NewYork"), ("timezone: 'America/NewYork'", "America/New_York")),
    ],
)
def test_ingest_names_what_is_wrong_and_what_is_right(
    run: Any, good: str, tmp_path: Path, arguments: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    refused(run("ingest", good, *arguments, "--store", "s.duckdb"), *parts)


@pytest.mark.parametrize(
    ("more", "parts"),
    [
        (("--timeframe", "5x"), ("timeframe: '5x'", "1h, 4h")),
        (("--timeframe", "7d"), ("timeframe: '7d'", "counts several sessions")),
        (("--indicators", "smma(9)"), ("indicator: 'smma' is unknown", "nearest: sma")),
        (("--indicators", "dezk"), ("indicator: 'dezk' is unknown", "desk")),
        (("--indicators", "sma(0)"), ("period: 0", "whole number of bars from 1")),
        (("--indicators", "sma(9,hihg)"), ("source: 'hihg' is unknown", "nearest: high")),
        (("--indicators", "bollinger(20,-1)"), ("deviations: -1", "above 0")),
        (("--indicators", "atr(1,2,3)"), ("'atr(1,2,3)'", "write it as atr(period=14)")),
        (("--indicators", "sma(9),"), ("'sma(9),'", "ends with a comma")),
        (("--start", "2024-01-02T09:30:00"), ("start: '2024-01-02T09:30:00' has no timezone", "give an offset")),
        (("--timezone", "Mars/Olympus"), ("timezone: 'Mars/Olympus' is unknown",)),
        (("--start", "2024-01-03", "--end", "2024-01-02"), ("end: '2024-01-02' is before start",)),
    ],
)
def test_candles_names_what_is_wrong_and_what_is_right(
    run: Any, store: Path, more: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    timeframe = () if "--timeframe" in more else ("--timeframe", "5m")
    refused(run("candles", "AAPL", *timeframe, *more), *parts)


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("naive.csv", GOOD.replace("Z", "").encode(), ("2024-01-02T14:30:00", "timezone")),
        ("column.csv", GOOD.replace("close", "clsoe").encode(), ("close", "column is missing", "clsoe")),
        ("empty.csv", b"", ("empty.csv",)),
        ("header.csv", GOOD.splitlines()[0].encode(), ("header.csv",)),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, ("picture.csv",)),
        ("text.parquet", GOOD.encode(), ("text.parquet",)),
        ("text.csv.gz", GOOD.encode(), ("text.csv.gz",)),
        ("text.zip", GOOD.encode(), ("text.zip",)),
        ("text.arrow", GOOD.encode(), ("text.arrow",)),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_nothing_is_stored(
    run: Any, good: str, tmp_path: Path, name: str, content: bytes, parts: tuple[str, ...]
) -> None:
    (tmp_path / name).write_bytes(content)
    refused(run("ingest", good, name, "--calendar", "XNYS", "--store", "s.duckdb", "--json"), *parts, json=True)
    assert run("symbols", "--store", "s.duckdb", "--json").json == []


@pytest.mark.parametrize("name", ["absent.csv", "nothing/*.csv"])
def test_a_file_that_is_not_there(run: Any, name: str) -> None:
    refused(run("ingest", name, "--calendar", "XNYS", "--store", "s.duckdb"), name)


def test_another_calendar_for_a_stored_series(run: Any, good: str) -> None:
    assert run("ingest", good, "--calendar", "XNYS", "--store", "s.duckdb").code == 0
    refused(run("ingest", good, "--calendar", "24/7", "--store", "s.duckdb"), "calendar: '24/7'", "stored with XNYS")


def test_a_store_that_another_process_owns_says_who(run: Any, store: Path) -> None:
    code = "import sys; from candlewick.store.open import open_store; s = open_store(sys.argv[1]); print(); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        refused(run("symbols"), "is owned by process", str(holder.pid), "or use another --store")
        holder.communicate("\n", timeout=60)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("mysql://host/base", ("store: 'mysql://host/base' is unknown", "postgresql://user@host/database")),
        ("duckdb://relative.duckdb", ("store:", "three slashes")),
        ("", ("store: ''", "is empty")),
    ],
)
def test_a_store_address_of_no_use(run: Any, url: str, parts: tuple[str, ...]) -> None:
    refused(run("symbols", "--store", url), *parts)


def test_a_store_that_is_something_else(run: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are notes, not candles")
    refused(run("symbols", "--store", "notes.txt"), "notes.txt", "is not a DuckDB file")


def test_an_unknown_benchmark(run: Any) -> None:
    refused(run("bench", "dekc"), "benchmark: 'dekc' is unknown", "desk")


def test_rows_that_fail_the_check_do_not_stop_the_run(run: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(GOOD + "A,not a time,1,2,1,2,5\nA,2024-01-02T14:31:00Z,1,2,1\n")
    ran = run("ingest", "bad.csv", "--calendar", "XNYS", "--store", "s.duckdb")
    assert ran.code == 0
    assert "1 inserted" in ran.out
    assert "2 quarantined" in ran.out
