"""serve, status, and the commands that reach a store through the server that owns it, a real one."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.ready import wait_until_ready

from candlewick.cli.connection import open_or_reach, reach
from candlewick.cli.reached import calendar_of, combined
from candlewick.cli.serve import warm_up
from candlewick.cli.status import lines, look
from candlewick.client import Client
from candlewick.errors import StoreBusyError
from candlewick.sources.summary import IngestSummary
from candlewick.store.open import open_store
from candlewick.store.owner import Owner, beside
from candlewick.store.repository import Series
from candlewick.timeframe import Timeframe

QUESTIONS = {
    "all of it": ("AAPL", "--timeframe", "5m", "--indicators", "desk"),
    "from a date": ("AAPL", "--timeframe", "5m", "--start", "2024-01-01", "--end", "2024-01-02T11:00:00-05:00"),
    "local times": ("AAPL", "--timeframe", "1h", "--start", "2024-01-02T10:00", "--timezone", "America/New_York"),
    "another source": ("BTC/USD", "--timeframe", "1d", "--source", "1m", "--zero-volume", "drop"),
    "as of later": ("AAPL", "--timeframe", "5m", "--as-of", "2999-01-01T00:00:00Z"),
    "no bar": ("AAPL", "--timeframe", "5m", "--start", "2024-02-01"),
}


@dataclass(frozen=True)
class Served:
    """A running server, and what the commands said without it."""

    process: subprocess.Popen[str]
    address: str
    path: Path
    direct: dict[str, str]


def clean() -> dict[str, str]:
    """The environment without settings of this machine."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CANDLEWICK_")} | {
        name: os.environ[name] for name in ("CANDLEWICK_CACHE",) if name in os.environ
    }


def cli(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "candlewick.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=clean(),
        timeout=120,
    )


@pytest.fixture
def served(store: Path, run: Any) -> Iterator[Served]:
    """`candlewick serve` over the store, ready for requests."""
    asked = ("--engine", "optimized", "--format", "csv")
    direct = {name: run("candles", *question, *asked).out for name, question in QUESTIONS.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "candlewick.cli.main", "serve", "--port", "0", "--json", "--store", str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean(),
    )
    try:
        yield Served(process, _address(process), store, direct)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 60)[0], "no address within a minute"
    said = ""
    while True:
        line = process.stdout.readline()
        assert line, process.communicate(timeout=30)[1]
        said += line
        if line.rstrip() == "}":
            break
    told = json.loads(said)
    assert told["pid"] == process.pid
    wait_until_ready(told["address"])
    return str(told["address"])


def test_a_served_store_from_beginning_to_end(served: Served, run: Any, tmp_path: Path) -> None:
    """One server for all of it: starting one takes seconds."""
    for name, question in QUESTIONS.items():
        ran = run("candles", *question, "--engine", "optimized", "--format", "csv")
        # A service knows the time: to it these bars are over. By themselves they are as far as the newest candle.
        assert (ran.code, ran.out) == (0, served.direct[name].replace(",false", ",true")), name
    asked = ("candles", "BTC/USD", "--timeframe", "1d", "--source", "1m", "--json")
    assert run(*asked, "--final-only").json["columns"]["final"] == [True]
    _engines(served, run)
    _refusals(served, run)
    _ingest(served, run, tmp_path)
    _status(served, run)
    _stale_notes(served)
    served.process.send_signal(signal.SIGTERM)
    out, err = served.process.communicate(timeout=30)
    assert (served.process.returncode, out) == (0, ""), err
    assert f"candlewick serves duckdb:///{served.path} at {served.address}" in err
    assert run("status", "--json").json["state"] == "free"
    with open_store(served.path) as repository:
        assert repository.count("ACME", "1m") == 2


def _engines(served: Served, run: Any) -> None:
    """Without --engine it is the rollout that decides: classic, at 0%."""

    def counted() -> dict[str, int]:
        return {arm: one["requests"] for arm, one in run("status", "--json").json["server"]["windows"].items()}

    before = counted()
    assert run("candles", "AAPL", "--timeframe", "5m").code == 0
    assert run("candles", "AAPL", "--timeframe", "5m", "--engine", "classic").code == 0
    after = counted()
    assert after["classic"] - before.get("classic", 0) == 1
    assert after["explicit"] - before.get("explicit", 0) == 1


def _refusals(served: Served, run: Any) -> None:
    ran = run("candles", "AAPLE", "--timeframe", "5m")
    assert (ran.code, "symbol: 'AAPLE' is not in the store; nearest: AAPL" in ran.err) == (2, True)
    ran = run("candles", "AAPLE", "--timeframe", "5m", "--start", "2024-01-02")
    assert (ran.code, "symbol: 'AAPLE' is not in the store; nearest: AAPL" in ran.err) == (2, True)
    ran = run("candles", "AAPL", "--timeframe", "1m", "--hours", "extended")
    assert (ran.code, "hours: 'extended' cannot be had through a server" in ran.err) == (2, True)
    for command in (("delete", "AAPL", "--yes"), ("export", "AAPL"), ("quarantine",)):
        ran = run(*command)
        assert ran.code == 2
        assert f"is owned by process {served.process.pid}" in ran.err
    ran = run("serve", "--port", "0")
    assert (ran.code, "is owned by process" in ran.err) == (2, True)


def _ingest(served: Served, run: Any, tmp_path: Path) -> None:
    head = "time,open,high,low,close,volume\n"
    (tmp_path / "one.csv").write_text(f"{head}2024-01-02T14:30:00Z,1,2,1,2,5\n2024-01-02T14:31:00Z,2,1,1,2,5\n")
    (tmp_path / "two.csv").write_text(f"{head}2024-01-02T14:31:00Z,1,2,1,2,5\n")
    files = ("ingest", "one.csv", "two.csv", "--symbol", "ACME", "--calendar", "XNYS")
    ran = run(*files, "--json")
    assert ran.code == 0, ran.err
    summary = ran.json
    assert {name: summary[name] for name in ("rows", "inserted", "quarantined", "symbols")} == {
        "rows": 3,
        "inserted": 2,
        "quarantined": 1,
        "symbols": ["ACME"],
    }
    assert run(*files, "--json").json["unchanged"] == 2
    assert [one["symbol"] for one in run("symbols", "--json").json] == ["AAPL", "ACME", "BTC/USD", "BTC/USD"]
    (tmp_path / "bad.csv").write_text("time,open\n")
    ran = run("ingest", "one.csv", "bad.csv", "--symbol", "ACME", "--calendar", "XNYS")
    assert (ran.code, "bad.csv" in ran.err) == (2, True)


def _status(served: Served, run: Any) -> None:
    found = run("status", "--json").json
    assert found["state"] == "ready"
    assert found["owner"]["address"] == served.address
    assert found["server"]["rollout"]["percentage"] == 0
    ran = run("status")
    assert ran.code == 0
    assert f"held by process {served.process.pid}" in ran.out
    assert "rollout: 0% on the optimized engine" in ran.out
    assert "\ncache: " in ran.out
    assert "\nclassic: " in ran.out


def _stale_notes(served: Served) -> None:
    """A note that is older than who holds the store now leads nobody to the wrong server."""
    owner = Owner.read(served.path)
    assert owner is not None
    with socket.create_server(("127.0.0.1", 0)) as silent:
        free = silent.getsockname()[1]
    busy = StoreBusyError(str(served.path), "x")
    for wrong, state in (
        (replace(owner, address=f"http://127.0.0.1:{free}"), "unreachable"),
        (replace(owner, pid=os.getpid()), "unreachable"),
        (replace(owner, address=None), "held"),
        (replace(owner, host="elsewhere", address=None), "held"),
    ):
        wrong.write(served.path)
        with pytest.raises(StoreBusyError) as caught:
            reach(busy)
        unanswered = wrong.address == f"http://127.0.0.1:{free}"
        assert ("whose server does not answer: [Errno" in str(caught.value)) is unanswered
        assert look(str(served.path))["state"] == state
    replace(owner, host="elsewhere").write(served.path)
    with pytest.raises(StoreBusyError):
        reach(busy)
    beside(served.path).unlink()
    with pytest.raises(StoreBusyError):
        open_or_reach(str(served.path))
    owner.write(served.path)
    with reach(busy) as client:
        assert isinstance(client, Client)


def test_status_of_a_store_that_nobody_serves(store: Path, run: Any, tmp_path: Path) -> None:
    assert run("status", "--store", "absent.duckdb", "--json").json["state"] == "absent"
    assert run("status").out == f"{store}: free\n"
    assert run("status", "--store", f"duckdb:///{store}").out.endswith(": free\n")
    with open_store(store):
        found = run("status", "--json")
        assert (found.code, found.json["state"], found.json["owner"]["pid"]) == (0, "held", os.getpid())
        assert "held by process" in run("status").out
    assert run("status", "--store", "memory:").out == "memory:: free\n"


def test_a_note_of_a_process_that_is_gone_holds_nothing(store: Path, run: Any) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    replace(Owner.here(), pid=gone.pid, address="http://127.0.0.1:9").write(store)
    assert run("status").out == f"{store}: free\n"


def test_a_server_that_does_not_answer_is_told(store: Path, run: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        free = silent.getsockname()[1]
    replace(Owner.here(), address=f"http://127.0.0.1:{free}").write(store)
    ran = run("status")
    assert ran.code == 1
    assert f"http://127.0.0.1:{free} cannot be reached" in ran.out


def test_what_a_reader_is_shown_of_a_server_that_is_not_ready() -> None:
    window = {
        "requests": 1200,
        "failed": 3,
        "fallbacks": 2,
        "latency_seconds": {"p95": 0.0123},
        "covers_seconds": 300.0,
    }
    server = {
        "version": "1",
        "uptime_seconds": 5.0,
        "health": {"reasons": ["warm_up: kernels are being compiled"]},
        "rollout": {"percentage": 0.5, "killed": True},
        "figures": {"cache": {"hit_ratio": 0.875, "entries": 3, "bytes": 4096}},
        "windows": {"optimized": window, "classic": {**window, "latency_seconds": {}}},
    }
    owner = asdict(Owner(7, "here", "candlewick serve", "2024-01-02T00:00:00Z", "http://127.0.0.1:1"))
    found = {"store": "a.duckdb", "state": "not ready", "owner": owner, "server": server, "problem": None}
    assert lines(found)[2:] == [
        "candlewick 1, up for 5 s",
        "not ready: warm_up: kernels are being compiled",
        "rollout: 0.5% on the optimized engine, killed",
        "cache: 87.5% found, 3 entries, 4,096 bytes",
        "optimized: 1,200 requests in 300 s, 3 failed, 2 fell back, 95% within 12.3 ms",
        "classic: 1,200 requests in 300 s, 3 failed, 2 fell back",
    ]
    server["figures"] = {"cache": {"hit_ratio": None}}
    assert "cache: no look-ups yet, 0 entries, 0 bytes" in lines(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--host", "0.0.0.0"),
            "host: '0.0.0.0' is served with keys only, and there is no valid key; make one first: candle",
        ),
        (("--port", "70000"), "port: 70000 is no port"),
        (("--store", ""), "store: '' is empty"),
    ],
)
def test_what_cannot_be_served_is_refused(run: Any, arguments: tuple[str, ...], message: str) -> None:
    ran = run("serve", "--port", "0", *arguments)
    assert (ran.code, message in ran.err) == (2, True), ran.err
    assert list(Path().glob("*.duckdb*")) == []


class Listed:
    """A server's list of series, and nothing else."""

    def __init__(self, *series: tuple[str, str, str]) -> None:
        self._series = series

    def symbols(self) -> list[Series]:
        return [
            Series(symbol, Timeframe.parse(timeframe), calendar, 1, 0, 0, 1, 0)
            for symbol, timeframe, calendar in self._series
        ]


@pytest.mark.parametrize(
    ("timeframe", "source", "calendar"),
    [("5m", None, "24/7"), ("1d", None, "XNYS"), ("1d", "1m", "24/7"), ("1m", None, "24/7"), ("1d", "1h", None)],
)
def test_the_calendar_is_that_of_the_series_that_serves(
    timeframe: str, source: str | None, calendar: str | None
) -> None:
    listed: Any = Listed(("A", "1m", "24/7"), ("A", "1d", "XNYS"), ("B", "1h", "XBOM"))
    given = None if source is None else Timeframe.parse(source)
    assert calendar_of(listed, "A", Timeframe.parse(timeframe), given) == calendar
    assert calendar_of(Listed(("A", "5m", "24/7")), "A", Timeframe.parse("3m"), None) is None  # type: ignore[arg-type]


def test_summaries_of_several_files_are_one() -> None:
    one = IngestSummary(
        rows=3,
        inserted=1,
        updated=0,
        unchanged=0,
        duplicates=1,
        quarantined=1,
        off_session=0,
        seconds=0.5,
        symbols=["B"],
        warnings=["w"],
    )
    both = combined([one, replace(one, symbols=["A", "B"], warnings=[])])
    assert (both.rows, both.symbols, both.warnings, both.seconds) == (6, ["A", "B"], ["w"], 1.0)
    assert both.rows == both.inserted + both.updated + both.unchanged + both.duplicates + both.quarantined


def test_a_warm_up_that_fails_is_in_the_log_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Cold:
        def warm_up(self) -> None:
            raise OSError("no room for kernels")

    application: Any = Cold()
    warm_up(application).join(30)
    assert "warming up failed" in caplog.text
    assert "no room for kernels" in caplog.text
