"""Main: every command is there, helps, and ends as promised."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from candlewick.cli import main as module
from candlewick.version import __version__

COMMANDS = ("ingest", "candles", "symbols", "quarantine", "delete", "export", "indicators", "demo", "bench")
HEAVY = ("numpy", "pandas", "numba", "duckdb", "pyarrow", "exchange_calendars", "pydantic", "rich", "zoneinfo")


def candlewick(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "candlewick.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


def test_help_lists_every_command(run: Any) -> None:
    ran = run("--help")
    assert ran.code == 0
    for name in (*COMMANDS, "config"):
        assert f"\n  {name} " in ran.out
    assert "Exit codes: 0 done" in ran.out


@pytest.mark.parametrize("command", [*COMMANDS, "config", "config show"])
def test_every_command_says_what_it_does_and_takes_a_store(run: Any, command: str) -> None:
    ran = run(*command.split(), "--help")
    assert ran.code == 0
    described = ran.out.split("\n\n")[1].strip()
    assert described.endswith(".")
    assert len(described) > 20
    assert ("--store" in ran.out) is (command != "config")


def test_help_imports_nothing_heavy() -> None:
    code = f"import sys; import candlewick.cli.main; print([m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.strip() == "[]"


def test_the_version(run: Any) -> None:
    assert (run("--version").out, run("--version").code) == (f"candlewick {__version__}\n", 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonsense",), "No such command 'nonsense'"),
        (("symbols", "--nonsense"), "No such option"),
        (("candles", "AAPL"), "Missing option '--timeframe'"),
        (("candles", "AAPL", "--timeframe", "5m", "--format", "xml"), "'xml' is not one of"),
        (("candles", "AAPL", "--timeframe", "5m", "--zero-volume", "maybe"), "'maybe' is not one of"),
        (("ingest",), "Missing argument"),
    ],
)
def test_bad_usage_ends_with_2(run: Any, arguments: tuple[str, ...], message: str) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_an_error_is_one_line_without_a_traceback(store: Path) -> None:
    ran = candlewick("candles", "APPL", "--timeframe", "5m")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "Error: symbol: 'APPL' is not in the store; nearest: AAPL\n"


def test_a_reader_that_goes_away_is_no_error(store: Path) -> None:
    command = [sys.executable, "-m", "candlewick.cli.main", "export", "AAPL", "--timeframe", "1m"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == module.BROKEN_PIPE
    assert said == b""


def test_interruption_ends_with_130(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("candlewick.cli.connection.load_settings", interrupted, raising=False)
    monkeypatch.setattr("candlewick.settings.load_settings", interrupted)
    assert run("symbols").code == 128 + signal.SIGINT


def test_main_runs_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    called = SimpleNamespace(times=0)

    def app() -> None:
        called.times += 1

    monkeypatch.setattr(module, "app", app)
    module.main()
    assert called.times == 1
