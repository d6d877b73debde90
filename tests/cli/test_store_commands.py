"""symbols, quarantine, delete, export: what is stored, seen from outside."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.command_line import invoke

from candlewick.cli import delete as delete_module
from candlewick.cli import quarantine as quarantine_module
from candlewick.store.open import open_store
from candlewick.store.repository import QuarantinedRow


def test_symbols_lists_every_series(run: Any, store: Path) -> None:
    found = run("symbols", "--json").json
    assert [(one["symbol"], one["timeframe"], one["calendar"], one["rows"]) for one in found] == [
        ("AAPL", "1m", "XNYS", 400),
        ("BTC/USD", "1m", "24/7", 100),
        ("BTC/USD", "1d", "24/7", 2),
    ]
    assert list(found[0]) == ["symbol", "timeframe", "calendar", "rows", "first", "last"]
    assert (found[0]["first"], found[0]["last"]) == ("2024-01-02T14:25:00Z", "2024-01-02T21:04:00Z")
    lines = run("symbols").out.splitlines()
    assert lines[2].split() == ["AAPL", "1m", "XNYS", "400", "2024-01-02T14:25:00Z", "2024-01-02T21:04:00Z"]


def test_no_store_yet_is_an_empty_list(run: Any, tmp_path: Path) -> None:
    ran = run("symbols", "--json", "--store", "new.duckdb")
    assert (ran.code, ran.json) == (0, [])
    assert "Nothing is stored in new.duckdb" in ran.err
    assert run("symbols", "--store", "new.duckdb").out == ""
    assert list(tmp_path.iterdir()) == []


def refuse(store: Path, count: int) -> None:
    rows = [QuarantinedRow("hash", line, "a.csv", "A", "negative volume", f"row {line}", 0) for line in range(count)]
    with open_store(store) as repository:
        repository.quarantine(rows)


def test_quarantine_shows_rows_and_reasons(run: Any, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("quarantine").err == "No row is in quarantine.\n"
    assert run("quarantine", "--json").json == []
    refuse(store, 3)
    found = run("quarantine", "--json").json
    assert [(row["file"], row["line"], row["symbol"], row["reason"], row["row"]) for row in found] == [
        ("a.csv", line, "A", "negative volume", f"row {line}") for line in range(3)
    ]
    assert run("quarantine", "--json", "--symbol", "B").json == []
    ran = run("quarantine")
    assert "3 rows\n" in ran.out
    assert "        3  negative volume\n" in ran.out
    monkeypatch.setattr(quarantine_module, "SHOWN", 2)
    assert "3 rows, the first 2 are shown; --json gives all" in run("quarantine").out


def test_delete_takes_a_series_a_symbol_or_a_range(run: Any, store: Path) -> None:
    ran = run("delete", "AAPL", "--end", "2024-01-02", "--yes", "--json")
    assert ran.json == {"symbol": "AAPL", "timeframes": ["1m"], "deleted": 5}
    assert run("delete", "BTC/USD", "--timeframe", "1d", "--yes").out == "Deleted 2 candles of BTC/USD (1d).\n"
    assert run("delete", "BTC/USD", "--yes").code == 0
    assert [(one["symbol"], one["rows"]) for one in run("symbols", "--json").json] == [("AAPL", 395)]


def test_delete_does_not_ask_where_nobody_can_answer(run: Any, store: Path) -> None:
    ran = run("delete", "AAPL", answer="y\n")
    assert (ran.code, ran.out) == (2, "")
    assert "yes: False is needed where nobody can answer; give --yes" in ran.err
    assert len(run("symbols", "--json").json) == 3


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 2), ("Yes\n", 0, 2), ("n\n", 1, 3), ("", 1, 3)])
def test_delete_asks_at_a_terminal(
    run: Any, store: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int
) -> None:
    class Terminal:
        """Standard input as the runner sets it, but at a terminal."""

        @property
        def stdin(self) -> Any:
            sys.stdin.isatty = lambda: True  # type: ignore[method-assign]
            return sys.stdin

    monkeypatch.setattr(delete_module, "sys", Terminal())
    ran = run("delete", "AAPL", "--json", answer=answer)
    assert ran.code == code
    assert "Delete 400 candles of AAPL (1m)?" in ran.err
    assert (ran.out == "") is (code == 1)
    assert len(run("symbols", "--json").json) == left


@pytest.mark.parametrize(
    "arguments", [("delete", "APPL", "--yes"), ("export", "APPL"), ("candles", "APPL", "--timeframe", "5m")]
)
def test_a_symbol_that_is_not_stored_names_the_nearest(run: Any, store: Path, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "symbol: 'APPL' is not in the store; nearest: AAPL" in ran.err


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_export_writes_ingest_takes_back(run: Any, store: Path, form: str) -> None:
    assert run("export", "AAPL", "--output", f"aapl.{form}").code == 0
    ran = run("ingest", f"aapl.{form}", "--calendar", "XNYS", "--store", "copy.duckdb", "--json")
    assert (ran.json["rows"], ran.json["inserted"]) == (400, 400)
    with open_store(store) as one, open_store("copy.duckdb") as other:
        assert one.read("AAPL", "1m") == other.read("AAPL", "1m")


def test_export_of_a_range_to_standard_output(run: Any, store: Path) -> None:
    ran = run("export", "BTC/USD", "--timeframe", "1d", "--start", "2024-01-02")
    assert ran.out == "symbol,time,open,high,low,close,volume\nBTC/USD,2024-01-02T00:00:00Z,2.0,4.0,1.5,3.0,20.0\n"
    assert ran.err == "1 candles of BTC/USD 1d (24/7)\n"


def test_export_into_a_pipe_as_parquet(run: Any, store: Path) -> None:
    result = invoke("export", "AAPL", "--format", "parquet")
    assert pq.read_table(io.BytesIO(result.stdout_bytes)).num_rows == 400


def test_export_does_not_guess_between_timeframes(run: Any, store: Path) -> None:
    ran = run("export", "BTC/USD")
    assert ran.code == 2
    assert "timeframe: None is missing; give one of those stored of BTC/USD: 1m, 1d" in ran.err
    assert "timeframe: '5m' is not in the store" in run("export", "BTC/USD", "--timeframe", "5m").err


@pytest.mark.parametrize("command", ["quarantine", "delete A --yes", "export A", "candles A --timeframe 1m"])
def test_a_store_that_is_not_there_is_not_made(run: Any, tmp_path: Path, command: str) -> None:
    ran = run(*command.split(), "--store", "mistyped.duckdb")
    assert (ran.code, ran.out) == (2, "")
    assert "store: 'mistyped.duckdb' is absent; run `candlewick ingest`" in ran.err
    assert list(tmp_path.iterdir()) == []
