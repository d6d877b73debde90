"""Control: what is set holds at once here, soon elsewhere, and after a fork."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from candlewick.delivery.control import Control
from candlewick.delivery.flags import JOURNAL, default_flags
from candlewick.delivery.journal import ControlJournal
from candlewick.delivery.routing import CLASSIC, OPTIMIZED, route
from candlewick.delivery.snapshot import Snapshot
from candlewick.errors import KilledError, StoreError

WAIT = 20.0
"""Seconds after which something that should come has not come."""


class Seen:
    """A listener that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.changes: list[tuple[Snapshot, Snapshot]] = []
        self._more = threading.Condition()

    def __call__(self, before: Snapshot, after: Snapshot) -> None:
        with self._more:
            self.changes.append((before, after))
            self._more.notify_all()

    def wait_for(self, found: Any) -> bool:
        with self._more:
            return self._more.wait_for(lambda: any(found(after) for _, after in self.changes), WAIT)


def test_precedence_is_kill_then_journal_then_start(journal: ControlJournal) -> None:
    toml = default_flags() | {
        "rollout_percentage": (25.0, "environment CANDLEWICK_ROLLOUT_PERCENTAGE"),
        "max_cache_mb": (64, "candlewick.toml"),
    }
    journal.base = toml
    control = Control(journal, watch=False)
    assert control.current.share == 25.0
    flags = {one.name: (one.value, one.origin) for one in control.flags()}
    assert flags == toml
    assert control.set("rollout_percentage", 5, who="me").origin == JOURNAL
    assert control.current.share == 5.0
    control.kill(who="me", why="bad")
    assert (control.current.share, control.current.killed, control.current.why) == (0.0, True, "bad")
    # A restart with the same environment changes nothing.
    again = Control(journal, watch=False)
    assert again.current == control.current
    control.clear(who="me", why="mended")
    assert Control(journal, watch=False).current.share == 0.0


def test_what_is_set_holds_when_the_call_returns_and_listeners_know(control: Control) -> None:
    seen = Seen()
    stop = control.listen(seen)
    control.set("cache_enabled", "false", who="me")
    assert control.current.values["cache_enabled"] is False
    assert [(a.values["cache_enabled"], b.values["cache_enabled"]) for a, b in seen.changes] == [(True, False)]
    control.refresh()
    assert len(seen.changes) == 1, "nothing changed since"
    stop()
    control.set("cache_enabled", "true", who="me")
    assert len(seen.changes) == 1


def test_a_listener_that_fails_keeps_nobody_from_knowing(control: Control, caplog: pytest.LogCaptureFixture) -> None:
    def fails(before: Snapshot, after: Snapshot) -> None:
        raise RuntimeError("no")

    seen = Seen()
    control.listen(fails)
    control.listen(seen)
    with caplog.at_level(logging.ERROR):
        control.set("max_cache_mb", 3, who="me")
    assert len(seen.changes) == 1
    assert "a listener to the flags failed" in caplog.text


def test_what_another_process_writes_arrives(path: Path) -> None:
    with ControlJournal(path) as journal:
        control = Control(journal)
        seen = Seen()
        control.listen(seen)
        program = (
            "import sys; from candlewick.delivery.journal import ControlJournal\n"
            "with ControlJournal(sys.argv[1]) as journal:\n"
            "    journal.set('rollout_percentage', 100, who='other'); journal.kill(who='other', why='bad')"
        )
        subprocess.run([sys.executable, "-c", program, str(path)], check=True)
        assert seen.wait_for(lambda after: after.killed)
        assert route(control.current, "A") == CLASSIC
        control.close()
        control.close()


def test_exposure_while_killed_is_refused(control: Control) -> None:
    control.kill(who="me", why="bad")
    with pytest.raises(KilledError):
        control.set("rollout_percentage", 1, who="me")
    assert not control.kill(who="me", why="again")
    assert control.clear(who="me", why="mended")
    assert not control.clear(who="me", why="again")


def test_a_kill_for_a_step_that_is_over_is_none(control: Control) -> None:
    control.set("rollout_percentage", 10, who="me")
    judged = control.current.step
    control.set("rollout_percentage", 20, who="me")
    assert not control.kill(who="controller", why="bad", step=judged)
    assert control.current.share == 20.0
    assert control.kill(who="controller", why="bad", step=control.current.step)


def test_where_the_journal_cannot_be_written_v2_stops_all_the_same(path: Path) -> None:
    with ControlJournal(path) as journal:
        control = Control(journal, watch=False)
        control.set("rollout_percentage", 100, who="me")
        journal.close()
        with pytest.raises(StoreError):
            control.kill(who="controller", why="bad")
        assert route(control.current, "A") == CLASSIC
        assert (control.current.killed, control.current.why, control.current.exposed) == (True, "bad", False)
        journal.reopen()
        control.refresh()
        assert control.current.killed, "until it is written, or lifted"
        journal.set("max_cache_mb", 9, who="other")
        control.refresh()
        assert control.current.killed, "whatever else is written"
        assert control.kill(who="controller", why="bad")
        assert journal.state().killed


def test_a_suspension_can_be_lifted(control: Control) -> None:
    control.set("rollout_percentage", 100, who="me")
    control.suspend("blind")
    assert route(control.current, "A") == CLASSIC
    assert not control.clear(who="me", why="it sees")
    assert route(control.current, "A") == OPTIMIZED


def test_a_journal_that_cannot_be_read_leaves_the_last_state_and_a_problem(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ControlJournal(path) as journal:
        control = Control(journal, poll=0.001)
        control.set("rollout_percentage", 100, who="me")
        seen = Seen()
        control.listen(seen)
        journal.close()
        for _ in range(2000):
            if control.problem is not None:
                break
            threading.Event().wait(0.01)
        assert control.problem is not None
        assert "cannot be read" in control.problem
        assert control.current.share == 100.0
        journal.reopen()
        with ControlJournal(path) as other:
            other.kill(who="other", why="bad")
        assert seen.wait_for(lambda after: after.killed)
        for _ in range(2000):
            if control.problem is None:
                break
            threading.Event().wait(0.01)
        assert control.problem is None
        control.close()


FORK = """
import os, sys, time
from candlewick.delivery.control import Control
from candlewick.delivery.journal import ControlJournal

journal = ControlJournal(sys.argv[1])
control = Control(journal)
control.set("rollout_percentage", 10, who="parent")
child = os.fork()
if child == 0:
    for _ in range(2000):
        if control.current.killed:
            break
        time.sleep(0.01)
    seen = control.current.killed
    control.clear(who="child", why="mended")
    os._exit(0 if seen and control.current.share == 0.0 else 1)
control.kill(who="parent", why="bad")
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0
for _ in range(2000):
    if not control.current.killed:
        break
    time.sleep(0.01)
assert not control.current.killed
assert [one.who for one in journal.entries()] == ["candlewick", "parent", "parent", "child"]
control.close()
journal.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork here")
def test_after_a_fork_the_child_sees_what_the_parent_writes(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK, str(path)], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_look_that_breaks_does_not_end_the_watch(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ControlJournal):
        looks = 0

        def version(self) -> int:
            self.looks += 1
            if self.looks == 1:
                raise ZeroDivisionError
            return super().version()

    with Broken(path) as journal, ControlJournal(path) as other:
        seen = Seen()
        control = Control(journal)
        control.listen(seen)
        other.kill(who="other", why="bad")
        assert seen.wait_for(lambda after: after.killed)
        control.close()
    assert control.problem is None
    assert "ZeroDivisionError" in caplog.text
