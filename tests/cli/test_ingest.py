"""ingest: what is said about what was done."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from candlewick.cli.ingest import summary_lines
from candlewick.store.open import open_store

COUNTS = ("rows", "inserted", "updated", "unchanged", "duplicates", "quarantined", "off_session")
KEYS = [*COUNTS, "seconds", "symbols", "warnings"]
LINES = [
    "symbol,timestamp,open,high,low,close,volume",
    "A,2024-01-02T09:30:00-05:00,10,11,9,10.5,100",
    "A,2024-01-02T09:31:00-05:00,10,11,9,10.5,100",
    "A,2024-01-02T09:31:00-05:00,10,11,9,10.5,100",
    "A,2024-01-02T08:00:00-05:00,10,11,9,10.5,100",
    "A,2024-01-02T09:32:00-05:00,10,9,9,10.5,100",
    "B,2024-01-02T09:32:00-05:00,10,9",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "minute.csv"
    path.write_text("\n".join(LINES) + "\n")
    return path


def test_json_is_one_object_that_counts_every_row(run: Any, file: Path) -> None:
    ran = run("ingest", file, "--calendar", "XNYS", "--store", "s.duckdb", "--json")
    assert ran.code == 0
    found = ran.json
    assert list(found) == KEYS
    seconds = found.pop("seconds")
    assert seconds > 0
    assert found == {
        "rows": 6,
        "inserted": 3,
        "updated": 0,
        "unchanged": 0,
        "duplicates": 1,
        "quarantined": 2,
        "off_session": 1,
        "symbols": ["A"],
        "warnings": [],
    }


@pytest.mark.parametrize("given", ["none.csv", "empty.csv", "header.csv", "minute.csv --symbol ''"])
def test_what_cannot_be_used_leaves_no_store(run: Any, file: Path, tmp_path: Path, given: str) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "header.csv").write_text("a,b\n1,2\n")
    ran = run("ingest", *shlex.split(given), "--calendar", "XNYS", "--store", "new.duckdb")
    assert ran.code == 2, ran.out
    assert ran.err.startswith("Error: ")
    assert not (tmp_path / "new.duckdb").exists()


def test_a_second_run_changes_nothing(run: Any, file: Path) -> None:
    arguments = ("ingest", file, "--calendar", "XNYS", "--store", "s.duckdb", "--json")
    first, second = run(*arguments).json, run(*arguments).json
    assert (second["inserted"], second["unchanged"]) == (0, first["inserted"])
    assert second["quarantined"] == first["quarantined"]
    assert len(run("quarantine", "--store", "s.duckdb", "--json").json) == 2


def test_a_reader_is_told_where_every_row_went(run: Any, file: Path) -> None:
    ran = run("ingest", file, "--calendar", "XNYS", "--store", "s.duckdb")
    assert ran.code == 0
    assert "3 inserted, 0 updated, 0 unchanged, 1 duplicates, 2 quarantined" in ran.out
    assert "1 symbol: A" in ran.out
    assert "1 stored rows lie outside of sessions" in ran.out
    assert "candlewick quarantine" in ran.out


def test_files_without_a_symbol_need_one_and_naive_times_a_timezone(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("time,open,high,low,close,volume\n2024-01-02 09:30,1,2,1,2,5\n")
    arguments = ("ingest", file, "--calendar", "XNYS", "--store", "s.duckdb")
    assert "symbol" in run(*arguments, "--timezone", "America/New_York").err
    naive = run(*arguments, "--symbol", "A")
    assert naive.code == 2
    assert "has no timezone" in naive.err
    assert run(*arguments, "--symbol", "A", "--timezone", "America/New_York").code == 0
    with open_store("s.duckdb") as store:
        assert str(store.read("A", "1m").time[0]) == "2024-01-02T14:30:00.000000"


def test_warnings_go_to_standard_error(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "split.csv"
    file.write_text("date,open,high,low,close,volume\n2024-01-02,70,70,70,70,5\n2024-01-03,10,10,10,10,5\n")
    ran = run("ingest", file, "--calendar", "XNYS", "--timeframe", "1d", "--symbol", "A", "--store", "s", "--json")
    assert len(ran.json["warnings"]) == 1
    assert "Warning: A: looks like a 7:1 split" in ran.err


def test_many_symbols_are_not_all_named() -> None:
    numbers = dict.fromkeys(COUNTS, 0)
    lines = summary_lines({**numbers, "seconds": 0.0, "symbols": [f"S{n}" for n in range(10)]})
    assert lines[1] == "10 symbols: S0, S1, S2, S3, S4, S5, S6, S7 and 2 more"
    assert "rows/s" not in lines[0]
    assert summary_lines({**numbers, "seconds": 1.0, "symbols": []})[1] == "no symbol"
