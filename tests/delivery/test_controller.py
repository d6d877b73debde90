"""The controller: from pairs to a kill with its evidence; what cannot be watched or written is not exposed."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from candlewick.delivery import controller as module
from candlewick.delivery.control import Control
from candlewick.delivery.controller import Controller
from candlewick.delivery.journal import ControlJournal
from candlewick.delivery.outcome import Attempt, Outcome, Pair, Verdict
from candlewick.delivery.routing import CLASSIC, route
from candlewick.errors import StoreError

WAIT = 20.0
GOOD_V1 = Attempt("classic", 0.02)
BAD_V2 = Attempt("optimized", 0.01, "RuntimeError")
GOOD_V2 = Attempt("optimized", 0.01)


@pytest.fixture
def controller(control: Control, clock: Any) -> Iterator[Controller]:
    opened = Controller(control, clock=clock, process="here:1")
    yield opened
    opened.close()


def failing(control: Control, k: int) -> Pair:
    return Pair(f"K{k}", control.current.step, 1000.0 + k, GOOD_V1, BAD_V2, deadline=1.0)


def until(true: Callable[[], object]) -> None:
    for _ in range(2000):
        if true():
            return
        threading.Event().wait(0.01)
    pytest.fail("it did not come")


def test_a_breach_kills_with_its_evidence(control: Control, controller: Controller, clock: Any) -> None:
    control.set("rollout_percentage", 10, who="me")
    clock.now += 12.5
    found = [controller.decide(failing(control, k)) for k in range(10)]
    assert [one is None for one in found] == [True] * 9 + [False]
    assert control.current.killed
    kill = control.journal.entries()[-1]
    assert (kill.what, kill.who, kill.old, kill.new) == ("kill", "controller", 10.0, 0.0)
    assert kill.why == "failure guard: V2 failed in 10 of 10 incidents, V1 in the others"
    assert kill.evidence["guard"] == "failure"
    assert kill.evidence["seconds_since_step"] == 12.5
    assert kill.evidence["e_value"] >= kill.evidence["threshold"] == 80.0
    assert set(kill.evidence["keys"]) == {f"K{k}" for k in range(10)}


def test_nothing_is_held_against_a_v2_that_nobody_is_on(control: Control, controller: Controller) -> None:
    for k in range(50):
        assert controller.decide(failing(control, k)) is None
    assert not control.current.killed
    assert control.journal.begin_trial(1) == 1, "no alpha was spent"


def test_a_new_step_begins_without_evidence_and_with_a_share_of_alpha_of_its_own(
    control: Control, controller: Controller
) -> None:
    for percentage in (10, 20):
        control.set("rollout_percentage", percentage, who="me")
        old = failing(control, 99)
        for k in range(9):
            controller.decide(failing(control, k))
    assert not control.current.killed
    assert controller.report()["guards"]["trial"] == 2
    assert controller.report()["guards"]["failure"]["threshold"] == 240.0
    stale = Pair("S", control.current.step - 1, old.at, GOOD_V1, BAD_V2)
    for _ in range(50):
        controller.decide(stale)
    assert controller.report()["guards"]["failure"]["incidents"] == 9


def test_after_a_restart_alpha_is_not_spent_anew(journal: ControlJournal, control: Control, clock: Any) -> None:
    control.set("rollout_percentage", 10, who="me")
    for trial in (1, 2, 3):
        restarted = Controller(control, clock=clock)
        restarted.decide(failing(control, 1))
        assert restarted.report()["guards"]["trial"] == trial
    control.kill(who="me", why="bad")
    control.clear(who="me", why="mended")
    control.set("rollout_percentage", 10, who="me")
    fresh = Controller(control, clock=clock)
    fresh.decide(failing(control, 1))
    assert fresh.report()["guards"]["trial"] == 1, "a rollout of its own"


def test_settings_are_those_in_force(control: Control, controller: Controller) -> None:
    control.set("rollout_percentage", 100, who="me")
    control.set("guard_mismatches", 1, who="me")
    wrong = Pair("A", control.current.step, 1000.0, GOOD_V1, GOOD_V2, Verdict.MISMATCH)
    found = controller.decide(wrong)
    assert found is not None
    assert found.guard == "mismatch"
    assert control.current.killed


def test_what_was_decided_since_is_not_undone(control: Control, controller: Controller, path: Path) -> None:
    """An operator took V2 to another step while the pairs of the old one were on their way."""
    control.set("rollout_percentage", 10, who="me")
    pairs = [failing(control, k) for k in range(10)]
    for one in pairs[:9]:
        controller.decide(one)
    with ControlJournal(path) as other:
        other.set("rollout_percentage", 5, who="operator")
    assert controller.decide(pairs[9]) is not None, "this process has not seen it yet"
    assert not control.current.killed
    assert control.refresh().share == 5.0


def test_the_loop_decides_reports_and_reads_the_memory(control: Control) -> None:
    used = [100]
    controller = Controller(control, memory=lambda: used[0], process="here:1").start()
    control.set("rollout_percentage", 10, who="me")
    for k in range(10):
        controller.offer(failing(control, k))
    until(lambda: control.current.killed)
    until(lambda: any(body["guards"]["memory"]["bytes"] for _, _, body in control.journal.reports()))
    ((process, _, _),) = control.journal.reports()
    assert process == "here:1"
    controller.close()
    controller.close()


def test_memory_above_the_ceiling_rolls_back(control: Control, clock: Any) -> None:
    control.set("memory_ceiling_mb", 64, who="me")
    controller = Controller(control, memory=lambda: 65 * 1024 * 1024, clock=clock)
    control.set("rollout_percentage", 10, who="me")
    for _ in range(10):
        controller.look_around()  # within one second there is one reading
    assert not control.current.killed
    for _ in range(2):
        clock.now += 1.0
        controller.look_around()
    assert control.current.killed
    assert control.current.why.startswith("memory guard: the process takes 65 MiB")
    assert control.journal.entries()[-1].evidence["guard"] == "memory"


def test_where_the_kill_cannot_be_written_v2_stops_and_it_is_tried_again(
    control: Control, controller: Controller, caplog: pytest.LogCaptureFixture, clock: Any
) -> None:
    control.set("rollout_percentage", 100, who="me")
    for k in range(9):
        controller.decide(failing(control, k))
    last = failing(control, 9)
    control.journal.close()
    with caplog.at_level(logging.ERROR):
        controller.decide(last)
        with pytest.raises(StoreError):
            controller.look_around()
    assert route(control.current, "A") == CLASSIC
    assert "rolled back in this process only" in caplog.text
    assert "killed in this process only" in controller.report()["problem"]
    control.journal.reopen()
    assert not control.journal.state().killed
    clock.now += 1.0
    controller.look_around()
    assert control.journal.state().killed
    kill = control.journal.entries()[-1]
    assert (kill.evidence["guard"], kill.evidence["incidents"]) == ("failure", 10)
    assert controller.report()["problem"] is None


def test_guards_that_fail_take_v2_back(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "observe", lambda *_: 1 // 0)
    controller = Controller(control).start()
    controller.offer(failing(control, 1))
    until(lambda: controller.report()["problem"])
    assert not control.current.killed, "nobody is on V2"
    control.set("rollout_percentage", 10, who="me")
    controller.offer(failing(control, 1))
    until(lambda: control.current.killed)
    assert control.current.why == "the guards failed: ZeroDivisionError: integer division or modulo by zero"
    until(lambda: controller.report()["problem"] is None)
    controller.close()


def test_a_journal_that_is_held_for_a_while_is_no_reason_to_roll_back(
    control: Control, controller: Controller, clock: Any
) -> None:
    control.set("rollout_percentage", 10, who="me")
    busy = StoreError("control: locked")
    controller.blind(busy)
    clock.now += module.BLIND - 1
    controller.blind(busy)
    assert not control.current.killed
    clock.now += 2
    controller.blind(busy)
    assert control.current.killed
    assert control.current.why == "the guards failed: StoreError: control: locked"


def test_status_has_the_rollout_its_arms_and_its_guards(control: Control, controller: Controller, clock: Any) -> None:
    control.set("rollout_percentage", 12.5, who="me")
    step = control.current.step
    controller.record(Outcome("A", step, "optimized", clock.now, 0.5, (BAD_V2, GOOD_V1), fallback=True))
    controller.record(Outcome("A", step, "explicit", clock.now, 0.5, (GOOD_V1,)))
    found = json.loads(json.dumps(controller.status(), allow_nan=False))
    assert (found["percentage"], found["serving"], found["killed"], found["step"]) == (12.5, 12.5, False, step)
    assert found["since"] == "2023-11-14T22:30:00.000Z"
    assert (found["process"], found["age_seconds"], found["problem"]) == ("here:1", 0.0, None)
    assert found["arms"]["optimized"]["errors"] == {"RuntimeError": 1}
    assert found["arms"]["optimized"]["fallbacks"] == 1
    assert found["arms"]["classic"]["requests"] == 0
    assert set(found["guards"]) >= {"failure", "slowness", "mismatch", "memory"}
