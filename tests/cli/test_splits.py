"""Split factors on the command line, and what --adjusted shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.conftest import Run

from candlewick.candles import Candles
from candlewick.store.open import open_store

DATE = "2024-01-03"


@pytest.fixture
def jumped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three days of AAPL on which nothing moves, but that its price is a seventh from the second on."""
    path = tmp_path / "a.duckdb"
    price = np.repeat([700.0, 100.0, 100.0], 78)
    open_at = np.array(["2024-01-02T14:30", "2024-01-03T14:30", "2024-01-04T14:30"], dtype="datetime64[us]")
    time = (open_at[:, None] + np.arange(78) * np.timedelta64(5, "m")).ravel()
    values: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close"), price)
    with open_store(path) as store:
        store.upsert(
            Candles(symbol="AAPL", timeframe="5m", calendar="XNYS", time=time, volume=price * 0 + 10, **values)
        )
    monkeypatch.setenv("CANDLEWICK_STORE", str(path))
    return path


def closes(run: Run, *more: str) -> list[float]:
    ran = run("candles", "AAPL", "--timeframe", "1d", "--json", *more)
    assert ran.code == 0, ran.err
    found: list[float] = ran.json["columns"]["close"]
    return found


def test_a_factor_is_set_shown_used_and_removed(run: Run, jumped: Path) -> None:
    assert (run("splits", "list").err, run("splits", "list", "--json").json) == ("No factors are kept.\n", [])
    assert run("splits", "set", "AAPL", DATE, "5").code == 0
    ran = run("splits", "set", "AAPL", DATE, "7:1")
    assert (ran.code, ran.out) == (0, "AAPL: 7:1 from 2024-01-03T05:00:00Z on is kept.\n")
    run("splits", "set", "SPY", "2024-01-02T00:00:00", "1:10", "--timezone", "America/New_York")
    listed = run("splits", "list", "--json").json
    assert [(one["symbol"], one["ratio"], one["time"]) for one in listed] == [
        ("AAPL", "7:1", "2024-01-03T05:00:00Z"),
        ("SPY", "1:10", "2024-01-02T05:00:00Z"),
    ]
    assert "7:1" in run("splits", "list", "AAPL").out
    assert closes(run) == [700.0, 100.0, 100.0]
    for engine in ("classic", "optimized"):
        assert closes(run, "--adjusted", "--engine", engine) == [100.0, 100.0, 100.0]
    told = run(
        "explain", "AAPL", "--timeframe", "1d", "--at", "2024-01-02", "--column", "close", "--adjusted", "--json"
    ).json
    assert told["value"] == 100.0
    assert [one["ratio"] for one in told["series"]["splits"]] == ["7:1"]
    shown = run("explain", "AAPL", "--timeframe", "1d", "--at", "2024-01-02", "--column", "close", "--adjusted").out
    assert "for splits: 7:1 from 2024-01-03T05:00:00Z on" in shown
    gone = run("splits", "remove", "AAPL", DATE, "--json").json
    assert gone == {"symbol": "AAPL", "time": "2024-01-03T05:00:00Z", "factor": 7.0, "ratio": "7:1"}
    assert closes(run, "--adjusted") == [700.0, 100.0, 100.0]


def test_gaps_is_silent_about_a_jump_that_a_factor_explains(run: Run, jumped: Path) -> None:
    def jumps() -> list[dict[str, Any]]:
        found = run("gaps", "--timeframe", "5m", "--json").json["findings"]
        return [one for one in found if one["kind"] == "jump"]

    (one,) = jumps()
    assert (one["evidence"]["ratio"], "with_factor" in one["evidence"]) == ("7:1", False)
    run("splits", "set", "AAPL", DATE, "7")
    assert jumps() == []
    run("splits", "set", "AAPL", DATE, "1:2")  # which makes it worse
    run("splits", "set", "AAPL", DATE, "49")  # as if it had not been adjusted before
    (one,) = jumps()
    assert (one["evidence"]["ratio"], one["evidence"]["with_factor"]) == ("1:7", "49:1")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("set", "AAPL", DATE, "1"), "factor: '1' is not valid; give a finite number above 0 that is not 1"),
        (("set", "AAPL", DATE, "nan"), "factor: 'nan' is not valid"),
        (("set", "AAPL", "2024-01-06", "7"), "'2024-01-06' is not a session of XNYS"),
        (("set", "AAPL", "2024-01-03T10:00:00", "7"), "has no timezone"),
        (("set", "NEW", DATE, "7"), "at: '2024-01-03' has no timezone"),
        (("set", "NEW", DATE, "7", "--calendar", "XNYZ"), "calendar: 'XNYZ'"),
        (("remove", "AAPL", DATE), "at: '2024-01-03' is not the time of a factor; AAPL has no factors"),
    ],
)
def test_what_cannot_be_is_told(run: Run, jumped: Path, arguments: tuple[str, ...], says: str) -> None:
    ran = run("splits", *arguments)
    assert (ran.code, says in ran.err) == (2, True), ran.err
    assert run("splits", "list", "--json").json == []


def test_a_list_makes_no_store(run: Run, tmp_path: Path) -> None:
    assert run("splits", "list", "--store", tmp_path / "none.duckdb", "--json").json == []
    assert not (tmp_path / "none.duckdb").exists()
