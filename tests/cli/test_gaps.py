"""gaps: what a reader sees of what is missing, and files that fill it, also through a server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from candlewick.candles import VALUES, Candles
from candlewick.cli.reached_store import ReachedStore
from candlewick.client import Client
from candlewick.errors import UnknownSeriesError
from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store
from candlewick.store.repository import QuarantinedRow
from candlewick.timeframe import MINUTE, Timeframe

LOW, HIGH = "2024-01-04T15:00:00Z", "2024-01-04T16:30:00Z"
GONE = np.datetime64(LOW[:-1], "us"), np.datetime64(HIGH[:-1], "us")


def without(candles: Candles) -> Candles:
    left = (candles.time < GONE[0]) | (candles.time >= GONE[1])
    values = {name: getattr(candles, name)[left] for name in VALUES}
    about = {"symbol": candles.symbol, "timeframe": "1m", "calendar": candles.calendar}
    return Candles(**about, time=candles.time[left], **values)


@pytest.fixture
def gappy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Any) -> Path:
    """Two symbols of five sessions, one of them with a gap, and a file that has all of it."""
    path = tmp_path / "gappy.duckdb"
    whole, other = simulate(["AAA", "BBB"], "XNYS", 5, 21)
    monkeypatch.setenv("CANDLEWICK_STORE", str(path))
    with open_store(path) as repository:
        repository.upsert(whole)
    assert run("export", "AAA", "--output", "whole.csv").code == 0
    with open_store(path) as repository:
        repository.delete("AAA")
        repository.upsert_many([without(whole), other])
    return path


def test_findings_are_told_in_a_table_and_as_one_json_value(run: Any, gappy: Path) -> None:
    ran = run("gaps")
    assert ran.code == 1
    head, _, row, counted = ran.out.splitlines()
    assert head.split() == ["kind", "symbol", "from", "to", "count", "sure", "evidence"]
    assert row.startswith(f"missing minutes  AAA     {LOW}  {HIGH}")
    assert "peers with candles 1" in row
    assert counted == "1 finding in 2 series"
    assert "Taken to have ended, nothing newer is expected: AAA, BBB. With --to it is." in ran.err
    found = run("gaps", "--json").json
    assert list(found) == ["found", "looked_at", "findings", "ended"]
    (one,) = found["findings"]
    assert (one["kind"], one["symbols"], one["from"], one["to"], one["sure"]) == (
        "missing minutes",
        ["AAA"],
        LOW,
        HIGH,
        "certain",
    )
    assert {row["symbol"] for row in found["ended"]} == {"AAA", "BBB"}


def test_a_range_and_symbols_narrow_it_and_nothing_found_ends_with_0(run: Any, gappy: Path) -> None:
    assert run("gaps", "BBB").code == 0
    assert run("gaps", "AAA", "--from", "2024-01-02", "--to", "2024-01-04").code == 0
    ran = run("gaps", "AAA", "--from", "2024-01-04", "--to", "2024-01-05", "--json")
    assert (ran.code, ran.json["found"], ran.json["ended"]) == (1, 1, [])
    late = run("gaps", "BBB", "--to", "2024-01-11T00:00:00Z", "--json")
    assert [(one["kind"], one["evidence"]["sessions_behind"]) for one in late.json["findings"]] == [("late", 2)]
    assert run("gaps", "AAA", "--from", "2024-01-04T10:00", "--timezone", "America/New_York", "--to", "2024-01-05").code


def test_a_symbol_that_is_not_stored_is_missing(run: Any, gappy: Path) -> None:
    ran = run("gaps", "AAB")
    assert ran.code == 1
    assert ran.out.splitlines()[2].startswith("missing symbol  AAB")
    assert "stored no, nearest AAA" in ran.out


def test_files_fill_what_is_missing_and_say_what_they_filled(run: Any, gappy: Path) -> None:
    ran = run("gaps", "--fix", "whole.csv")
    assert ran.code == 0
    first, second, third = ran.out.splitlines()
    assert first.startswith("whole.csv: ")
    assert f"candles of AAA, {LOW} to " in first
    assert second.startswith("Filled ")
    assert third == "0 findings in 2 series"
    (whole,) = simulate(["AAA"], "XNYS", 5, 21)
    with open_store(gappy) as repository:
        assert repository.read("AAA", "1m") == whole
    again = run("gaps", "--fix", "whole.csv", "--json")
    assert again.json["filling"] == {"vacant": 0, "filled": 0, "unusable": 0, "conflicts": 0, "files": []}


def test_rows_that_cannot_be_used_are_counted(run: Any, gappy: Path) -> None:
    header = "symbol,time,open,high,low,close,volume"
    rows = [header, f"AAA,{LOW},1,1,1,1,-5", "AAA,2024-01-04T15:10:00Z,1,1,1,1,5"]
    Path("bad.csv").write_text("\n".join(rows) + "\n")
    ran = run("gaps", "AAA", "--fix", "bad.csv")
    assert ran.code == 1
    assert "Filled 1 of " in ran.out
    assert "Not used: 1 rows that fail the check, 0 that conflict." in ran.err


def test_what_is_told_is_bounded(run: Any, gappy: Path) -> None:
    with open_store(gappy) as repository:
        repository.quarantine(
            [QuarantinedRow("c", 2, f"{number}.csv", "AAA", "not a number", f"AAA,{LOW},x", 0) for number in range(1)]
        )
        repository.upsert_many([without(one) for one in simulate([f"S{n}" for n in range(8)], "XNYS", 5, 2)])
    ran = run("gaps", "--limit", 1)
    assert "2 findings in 10 series; the newest 1 are shown, --limit gives more" in ran.out
    assert "AAA, S0, S1, S2, S3 and 4 more" in ran.out
    assert "AAA, BBB, S0, S1, S2 and 5 more" in ran.err
    assert run("gaps", "--limit", 0).code == 2


def test_readiness_is_a_line_for_each_symbol(run: Any, gappy: Path) -> None:
    ran = run("gaps", "--ready")
    assert ran.code == 1
    assert [line.split(":")[0] for line in ran.out.splitlines()] == ["AAA 1m", "BBB 1m"]
    assert all("not ready because its newest candle is of 2024-01-08" in line for line in ran.out.splitlines())
    (one,) = run("gaps", "BBB", "--ready", "--json").json
    assert (one["symbol"], one["ready"], one["bars_needed"]) == ("BBB", False, 49)
    none = run("gaps", "--ready", "--timeframe", "5m")
    assert (none.code, none.out) == (0, "")
    assert "No 5m series is stored." in none.err


def test_refusals_name_what_is_wrong(run: Any, gappy: Path) -> None:
    for arguments, text in (
        (("--ready", "--fix", "whole.csv"), "ready: True looks at what is stored by now"),
        (("--fix", "none.csv"), "files: 'none.csv' does not exist"),
        (("--from", "2024-01-04T10:00"), "has no timezone"),
        (("--timeframe", "7x"), "timeframe: '7x'"),
    ):
        ran = run("gaps", *arguments)
        assert (ran.code, text in ran.err) == (2, True), ran.err
    with open_store(gappy) as repository:
        repository.upsert(next(simulate(["C"], "24/7", 1, 1)))
    mixed = run("gaps", "--from", "2024-01-04")
    assert mixed.code == 2
    assert "symbols of one calendar: these have 24/7, XNYS" in mixed.err
    assert run("gaps", "--from", "2024-01-04T00:00:00Z", "--to", "2024-01-04T12:00:00Z").code == 1
    assert run("gaps", "--store", "absent.duckdb").code == 2


@pytest.fixture
def server(gappy: Path) -> Iterator[str]:
    """`candlewick serve` over the store; its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "candlewick.cli.main", "serve", "--port", "0", "--json", "--store", str(gappy)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            line = process.stdout.readline()
            assert line, process.communicate(timeout=30)[1]
            said += line
        yield json.loads(said)["address"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def test_a_store_that_a_server_owns_is_looked_through_and_filled_by_it(run: Any, gappy: Path, server: str) -> None:
    ran = run("gaps", "--json")
    assert ran.code == 1
    assert "Through the server: rows in quarantine and candles off the grid are not looked at." in ran.err
    (one,) = ran.json["findings"]
    assert (one["kind"], one["symbols"], one["from"], one["to"]) == ("missing minutes", ["AAA"], LOW, HIGH)
    assert run("gaps", "AAA", "--ready").out.startswith("AAA 1m: not ready because its newest candle is of 2024-01-08")
    filled = run("gaps", "--fix", "whole.csv")
    assert filled.code == 0, filled.out + filled.err
    (whole,) = simulate(["AAA"], "XNYS", 5, 21)
    with Client(server) as client:
        store = ReachedStore(client)
        one_minute = Timeframe.parse("1m")
        first = int(whole.microseconds[0])
        assert store.read("AAA", one_minute, first, first + 30 * MINUTE) == whole.rows(
            0, int(np.searchsorted(whole.microseconds, first + 30 * MINUTE))
        )
        assert store.read("AAA", one_minute) == whole
        assert store.quarantined("AAA") == []
        assert store.upsert(whole).unchanged == len(whole)
        with pytest.raises(UnknownSeriesError):
            store.read("zzz", one_minute)
