"""What is removed for good: a dry run counts what the run removes, and it is said from when on history is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import OPEN, Run, series
from tests.postgres_server import postgres_server

from candlewick.candles import Candles
from candlewick.errors import HistoryError
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository


def filled(store: CandleRepository) -> None:
    """Two symbols over two sessions, corrected and deleted."""
    second = OPEN.astype("datetime64[us]") + 86_400_000_000
    for symbol, calendar in (("AAPL", "XNYS"), ("BTC/USD", "24/7")):
        store.upsert(series(symbol, OPEN, 30, calendar=calendar))
        store.upsert(series(symbol, second, 30, calendar=calendar))
        was = series(symbol, OPEN, 10, calendar=calendar)
        values = {name: getattr(was, name) for name in ("open", "high", "low", "close")}
        store.upsert(
            Candles(symbol=symbol, calendar=calendar, time=was.time, volume=was.volume + 1, timeframe="1m", **values)
        )
        store.delete(symbol, "1m", "2024-01-03T14:50:00Z")
    store.upsert(series("GONE", OPEN, 5))
    store.delete("GONE")


@pytest.fixture(params=["duckdb", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    found = str(tmp_path / "kept.duckdb") if request.param == "duckdb" else postgres_server().url()
    with open_store(found) as store:
        filled(store)
    return found


def counts(url: str) -> tuple[int, int]:
    with open_store(url) as store:
        held = store.stats()
        return held.rows, held.revisions


def told(ran: Any) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    found: dict[str, Any] = ran.json
    return found


def test_older_than_removes_what_the_dry_run_counted(run: Run, url: str) -> None:
    before = counts(url)
    asked = ("delete", "--all", "--older-than", "2024-01-03", "--store", url)
    planned = told(run(*asked, "--dry-run", "--json"))
    assert counts(url) == before
    assert planned["dry_run"]
    done = told(run(*asked, "--yes", "--json"))
    for name in ("deleted", "versions"):
        assert done[name] == planned[name] > 0
        assert [one[name] for one in done["series"]] == [one[name] for one in planned["series"]]
    assert counts(url) == (before[0] - done["deleted"], before[1] - done["versions"])
    assert [one["symbol"] for one in done["series"]] == ["AAPL", "BTC/USD", "GONE"]
    assert [one["before"] for one in done["series"]][:2] == ["2024-01-03T14:30:00Z", "2024-01-03T00:00:00Z"]
    known = done["series"][0]["known_from"]
    with open_store(url) as store:
        assert len(store.read("AAPL", "1m", as_of=known)) == 20
        first = store.writes("AAPL", "1m")[0].written_at
        with pytest.raises(HistoryError, match=f"is known from {known} on"):
            store.read("AAPL", "1m", as_of=first)
    again = run(*asked, "--dry-run")
    assert again.out == "Would remove 0 candles and 0 earlier versions of 0 series, for good.\n"


def test_purge_removes_what_the_dry_run_counted(run: Run, url: str) -> None:
    before = counts(url)
    with open_store(url) as store:
        corrected = store.writes("AAPL", "1m")[2].written_at
    asked = ("store", "purge", "--store", url, "--older-than")
    for moment, versions in ((f"{_iso(corrected)}", 10), ("2100-01-01T00:00:00Z", 10 + 10 + 10 + 5)):
        planned = told(run(*asked, moment, "--dry-run", "--json"))
        assert planned["versions"] == versions
        assert counts(url) == before
        done = told(run(*asked, moment, "--yes", "--json"))
        assert (done["versions"], done["deleted"]) == (versions, 0)
        assert counts(url) == (before[0], before[1] - versions)
        before = counts(url)
    with open_store(url) as store:
        assert len(store.writes("AAPL", "1m")) == 1
    assert run("store", "purge", "--older-than", "2024-01-03", "--store", url).code == 2


def _iso(at: int) -> str:
    from candlewick.store.repository import iso

    return iso(at)


def test_one_symbol_for_a_reader(run: Run, url: str) -> None:
    ran = run("delete", "AAPL", "--older-than", "2024-01-03", "--store", url, "--dry-run")
    assert ran.out == (
        "AAPL 1m: 30 candles and 10 earlier versions before 2024-01-03T14:30:00Z\n"
        "Would remove 30 candles and 10 earlier versions of 1 series, for good.\n"
    )
    assert run("delete", "AAPL", "--older-than", "2024-01-03", "--store", url).code == 2, "nobody can answer"
    ran = run("delete", "AAPL", "--older-than", "2024-01-03", "--timeframe", "1m", "--store", url, "-y")
    assert "all of it is known from" in ran.out
    assert ran.out.endswith("Removed 30 candles and 10 earlier versions of 1 series, for good.\n")
    assert run("symbols", "--store", url, "--json").json[1]["rows"] == 50


def test_a_plain_dry_run(run: Run, store: Path) -> None:
    ran = run("delete", "AAPL", "--end", "2024-01-02", "--dry-run")
    assert ran.out == "Would delete 5 candles of AAPL (1m); they would stay readable as of before.\n"
    assert run("delete", "AAPL", "--dry-run", "--json").json["deleted"] == 400
    assert run("symbols", "--json").json[0]["rows"] == 400


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "symbol: None is missing"),
        (("AAPL", "--all"), "goes not with --all"),
        (("--all",), "would delete everything"),
        (("AAPL", "--older-than", "2024-01-03", "--end", "2024-01-03"), "goes not with a range"),
        (("APPL", "--older-than", "2024-01-03"), "APPL"),
        (("AAPL", "--older-than", "soon"), "soon"),
    ],
)
def test_what_makes_no_sense(run: Run, store: Path, arguments: tuple[str, ...], said: str) -> None:
    ran = run("delete", *arguments, "--yes")
    assert ran.code == 2
    assert said in ran.err
    assert run("symbols", "--json").json[0]["rows"] == 400


def test_many_series_are_not_all_named(run: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("candlewick.cli.retention.SHOWN", 1)
    ran = run("delete", "--all", "--older-than", "2024-01-02T15:00:00Z", "--dry-run")
    assert "... and 2 more series; --json names all" in ran.out


def test_writes_are_listed(run: Run, url: str) -> None:
    rows = run("store", "writes", "AAPL", "--store", url, "--json").json
    assert [(one["revision"], one["kind"], one["inserted"], one["updated"], one["removed"]) for one in rows] == [
        (1, "append", 30, 0, 0),
        (2, "append", 30, 0, 0),
        (3, "change", 0, 10, 0),
        (4, "delete", 0, 0, 10),
    ]
    assert run("store", "writes", "GONE", "--timeframe", "1m", "--store", url).out.count("\n") == 4
    assert run("store", "writes", "APPL", "--store", url).code == 2
    ran = run("candles", "AAPL", "--timeframe", "1m", "--as-of", rows[0]["written_at"], "--store", url, "--json")
    assert ran.code in (0, 2)
