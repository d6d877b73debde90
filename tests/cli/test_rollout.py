"""rollout: the whole way there and back, on the journal alone, with and without a server that reports."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from candlewick.delivery.control import Control
from candlewick.delivery.controller import Controller
from candlewick.delivery.journal import ControlJournal
from candlewick.delivery.outcome import Attempt, Outcome, Pair

HERE = ("--control", "own.sqlite")


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    with ControlJournal(tmp_path / "own.sqlite") as opened:
        yield opened


def test_there_and_back(run: Any, journal: ControlJournal) -> None:
    assert run("rollout", "set", "0.5", "--why", "first", *HERE).code == 0
    found = run("rollout", "status", "--json", *HERE).json
    assert {"percentage", "killed", "since", "arms", "guards"} <= set(found)
    assert (found["percentage"], found["killed"], found["arms"], found["guards"]) == (0.5, False, {}, {})
    assert found["since"].endswith("Z")
    back = run("rollout", "rollback", "--why", "wrong numbers", *HERE)
    assert back.code == 0
    assert "0% on V2" in back.out
    assert "killed: wrong numbers." in back.out
    refused = run("rollout", "set", "1", *HERE)
    assert (refused.code, refused.out) == (2, "")
    assert "refused while the rollout is killed (wrong numbers)" in refused.err
    assert "candlewick rollout clear --why" in refused.err
    assert run("flags", "set", "use_optimized_analytics", "true", *HERE).code == 2
    assert run("rollout", "set", "0", *HERE).code == 0
    again = run("rollout", "rollback", "--why", "again", "--json", *HERE).json
    assert (again["killed"], again["why"]) == (True, "wrong numbers")
    cleared = run("rollout", "clear", "--why", "mended", "--json", *HERE).json
    assert (cleared["killed"], cleared["percentage"]) == (False, 0.0)
    assert run("rollout", "set", "1", "--json", *HERE).json["percentage"] == 1.0
    assert [one.what for one in journal.entries()] == ["create", "set", "kill", "set", "clear", "begin", "set"]


def test_looking_makes_no_journal(run: Any, tmp_path: Path) -> None:
    ran = run("rollout", "status", "--store", "x.duckdb")
    assert ran.out == "0% on V2 since ever, not killed.\nNo server has reported.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["rollback", "clear"])
def test_what_changes_everything_wants_a_reason(run: Any, tmp_path: Path, command: str) -> None:
    assert run("rollout", command, *HERE).code == 2
    empty = run("rollout", command, "--why", " ", *HERE)
    assert empty.code == 2
    assert "why: ' ' is empty" in empty.err


@pytest.mark.parametrize("percent", ["101", "-1", "ten", "nan"])
def test_a_percentage_of_no_use(run: Any, tmp_path: Path, percent: str) -> None:
    ran = run("rollout", "set", *HERE, "--", percent)
    assert ran.code == 2
    assert f"percent: '{percent}' is not valid; give a number from 0 to 100" in ran.err
    assert run("rollout", "set", percent, *HERE).err == ran.err, "a negative number is no option"
    assert list(tmp_path.iterdir()) == []


def test_what_a_server_reported_is_shown_with_its_age(run: Any, journal: ControlJournal) -> None:
    control = Control(journal, watch=False)
    control.set("rollout_percentage", 10, who="me")
    control.set("rollout_allow", "SPY", who="me")
    control.set("rollout_deny", "BTC/USD", who="me")
    controller = Controller(control, memory=lambda: 100 * 1024 * 1024, process="host:7")
    bad, good = Attempt("optimized", 0.01, "RuntimeError"), Attempt("classic", 0.02)
    step = control.current.step
    now = time.monotonic()
    controller.record(Outcome("A", step, "optimized", now, 0.03, (bad, good), fallback=True))
    controller.decide(Pair("A", step, now, good, bad))
    controller.look_around()
    found = run("rollout", "status", "--json", *HERE).json
    assert (found["process"], found["serving"]) == ("host:7", 10.0)
    assert 0 <= found["age_seconds"] < 60
    assert found["arms"]["optimized"]["fallbacks"] == 1
    assert found["guards"]["failure"]["blaming_v2"] == 1
    lines = run("rollout", "status", *HERE).out.splitlines()
    assert lines[1:3] == ["always on V2: SPY", "never on V2: BTC/USD"]
    assert re.fullmatch(r"Server host:7, \d+ s ago, with 10% on V2:", lines[3])
    (arm,) = [line for line in lines if line.startswith("optimized")]
    assert arm.split() == ["optimized", "1", "1", "1", "0", "30.0", "30.0", "30.0"]
    assert "failure: 1 of 1 incidents blame V2, e-value 1.25 of 80" in lines
    assert "mismatch: 0 wrong answers of 3" in lines
    assert "memory: 100 MiB of 4,096" in lines
    journal.leave_report("host:7", {**controller.report(), "problem": "killed in this process only"})
    assert "  problem: killed in this process only" in run("rollout", "status", *HERE).out.splitlines()
