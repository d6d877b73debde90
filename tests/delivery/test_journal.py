"""The control journal: every entry stays, the state is their fold, also for several writers and after kill -9."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.postgres_server import postgres_server

from candlewick.delivery import journal as module
from candlewick.delivery.entry import State, fold
from candlewick.delivery.flags import default_flags, exposed_share
from candlewick.delivery.journal import ControlJournal
from candlewick.delivery.postgres_journal import PostgresJournal
from candlewick.errors import (
    FileFormatError,
    InputError,
    KilledError,
    StoreError,
    StoreVersionError,
    UnknownNameError,
)

VALUES = {name: value for name, (value, _) in default_flags().items()}


class JournalMachine(RuleBasedStateMachine):
    """Any history: the state is the fold of the entries, exposure never rises while killed, steps follow the share."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = ControlJournal(None)
        self.shares = [0.0]

    @rule(value=st.sampled_from([0.0, 0.5, 10.0, 100.0]))
    def set_percentage(self, value: float) -> None:
        killed = self.journal.state().killed
        if killed and value > 0:
            with pytest.raises(KilledError):
                self.journal.set("rollout_percentage", value, who="me")
        else:
            self.journal.set("rollout_percentage", value, who="me")

    @rule(name=st.sampled_from(["max_cache_mb", "worker_pool_size"]), value=st.integers(1, 9))
    def set_other(self, name: str, value: int) -> None:
        assert self.journal.set(name, value, who="me", why="size").new == value

    @rule()
    def kill(self) -> None:
        before = self.journal.state()
        assert self.journal.kill(who="me", why="bad", evidence={"n": 1}) is not before.killed

    @rule()
    def kill_for_an_old_step(self) -> None:
        before = self.journal.state()
        assert not self.journal.kill(who="me", why="stale", step=before.step - 1)
        assert self.journal.state() == before

    @rule()
    def clear(self) -> None:
        before = self.journal.state()
        assert self.journal.clear(who="me", why="mended") is before.killed

    @invariant()
    def the_state_is_the_fold(self) -> None:
        state, entries = self.journal.state(), self.journal.entries()
        assert fold(entries) == state
        assert [one.seq for one in entries] == list(range(1, len(entries) + 1))
        share = exposed_share({**VALUES, **state.flags}, state.killed)
        if state.killed:
            assert share == 0.0
        if share != self.shares[-1]:
            self.shares.append(share)
        assert state.step == len(self.shares) - 1

    def teardown(self) -> None:
        self.journal.close()


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(max_examples=25, stateful_step_count=25)


class SQLite:
    """A place for a journal, which may be opened there more than once."""

    def __init__(self, folder: Path) -> None:
        self.at = str(folder / "store.duckdb.control.sqlite")

    def open(self, **named: Any) -> ControlJournal:
        return ControlJournal(self.at, **named)


class Postgres(SQLite):
    def __init__(self, _: Path) -> None:
        self.at = postgres_server().url()

    def open(self, **named: Any) -> ControlJournal:
        return PostgresJournal(self.at, **named)


@pytest.fixture(params=[SQLite, Postgres])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> SQLite:
    found: SQLite = request.param(tmp_path)
    return found


@pytest.fixture
def journal(place: SQLite, clock: Any) -> Iterator[ControlJournal]:
    with place.open(clock=clock) as opened:
        yield opened


def test_what_was_written_is_there_after_opening_again(place: SQLite) -> None:
    with place.open() as first:
        first.set("rollout_percentage", "12.5", who="ann@desk", why="step one")
        first.kill(who="controller", why="failures", evidence={"guard": "failure", "keys": ["東京"]})
        said, state = first.entries(), first.state()
    with place.open() as second:
        assert second.entries() == said
        assert second.state() == state
        assert [(one.what, one.name, one.old, one.new) for one in said] == [
            ("create", "salt", "", state.salt),
            ("set", "rollout_percentage", 0.0, 12.5),
            ("kill", "rollout_percentage", 12.5, 0.0),
        ]
        assert (said[1].who, said[1].why) == ("ann@desk", "step one")
        assert said[2].evidence == {"guard": "failure", "keys": ["東京"]}
        assert second.entries(after=2) == said[2:]


def test_what_stood_at_start_is_the_old_value(clock: Any) -> None:
    base = default_flags() | {"rollout_percentage": (25.0, "environment CANDLEWICK_ROLLOUT_PERCENTAGE")}
    with ControlJournal(None, base=base, clock=clock) as journal:
        entry = journal.set("rollout_percentage", 50, who="me")
        assert (entry.old, entry.new, entry.step, entry.at) == (25.0, 50.0, 1, clock.wall())
        assert journal.set("use_optimized_analytics", False, who="me").step == 1


def test_pausing_keeps_the_salt_and_a_rollout_after_a_clear_draws_one(journal: ControlJournal) -> None:
    first = journal.state().salt
    assert len(first) == 32
    for percentage in (10, 50, 0, 10):
        journal.set("rollout_percentage", percentage, who="me")
    assert (journal.state().salt, journal.state().rollout) == (first, 1)
    journal.kill(who="me", why="bad")
    journal.clear(who="me", why="mended")
    assert journal.state().salt == first
    journal.set("rollout_percentage", 1, who="me")
    assert journal.state().salt != first
    assert journal.state().rollout == 2


def test_two_journals_have_two_salts() -> None:
    with ControlJournal(None) as one, ControlJournal(None) as other:
        assert one.state().salt != other.state().salt


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda j: j.set("cach_enabled", True, who="me"), UnknownNameError, "nearest: cache_enabled"),
        (lambda j: j.set("rollout_percentage", 101, who="me"), InputError, "from 0 to 100"),
        (lambda j: j.set("rollout_percentage", 1, who=" "), InputError, "who: ' ' is empty"),
        (lambda j: j.kill(who="me", why=""), InputError, "why: '' is empty"),
        (lambda j: j.clear(who="me", why=""), InputError, "why: '' is empty"),
        (lambda j: j.kill(who="", why="bad"), InputError, "who: '' is empty"),
    ],
)
def test_what_is_refused_leaves_no_trace(
    journal: ControlJournal, act: Callable[[ControlJournal], object], error: type[Exception], message: str
) -> None:
    before = journal.entries()
    with pytest.raises(error, match=message):
        act(journal)
    assert journal.entries() == before
    journal.set("max_cache_mb", 3, who="me")


def test_entries_cannot_be_changed_or_taken_away(path: Path) -> None:
    ControlJournal(path).close()
    with sqlite3.connect(path) as other:
        for statement in ("UPDATE entries SET who = 'nobody'", "DELETE FROM entries"):
            with pytest.raises(sqlite3.IntegrityError, match="entries are never"):
                other.execute(statement)
    other.close()


def test_any_write_by_whomever_changes_the_version(place: SQLite, journal: ControlJournal) -> None:
    seen = {journal.version()}
    journal.set("max_cache_mb", 5, who="me")
    seen.add(journal.version())
    with place.open() as other:
        other.set("max_cache_mb", 6, who="you")
    seen.add(journal.version())
    assert len(seen) == 3
    assert journal.version() in seen


def test_in_memory_too_a_write_changes_the_version() -> None:
    with ControlJournal(None) as journal:
        before = journal.version()
        assert journal.version() == before
        journal.set("max_cache_mb", 5, who="me")
        assert journal.version() != before


def test_trials_are_counted_for_each_rollout_by_all_processes(place: SQLite, journal: ControlJournal) -> None:
    with place.open() as other:
        assert [journal.begin_trial(1), other.begin_trial(1), journal.begin_trial(2), other.begin_trial(1)] == [
            1,
            2,
            1,
            3,
        ]


def test_reports_are_the_latest_of_each_server(journal: ControlJournal, clock: Any) -> None:
    journal.leave_report("gone", {"n": 0})
    clock.now += 3599
    journal.leave_report("a", {"n": 1})
    clock.now += 2
    journal.leave_report("b", {"n": 2})
    journal.leave_report("a", {"n": 3})
    found = journal.reports()
    assert sorted((process, body["n"]) for process, _, body in found) == [("a", 3), ("b", 2)]
    assert {at for _, at, _ in found} == {clock.wall()}
    assert len(journal.entries()) == 1


def test_a_kill_that_cannot_be_written_whole_is_not_written_at_all(journal: ControlJournal) -> None:
    before = journal.state()
    with pytest.raises(ValueError, match="Out of range float"):
        journal.kill(who="me", why="bad", evidence={"e": float("nan")})
    assert journal.state() == before
    assert len(journal.entries()) == 1
    assert journal.kill(who="me", why="bad", evidence={"e": 1.0})


# Files that are none, or not ours


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"candles, not a journal" * 100)
    with pytest.raises(FileFormatError, match=r"control: .* is something else"):
        ControlJournal(path)


def test_a_database_that_is_another_one(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (name TEXT)")
    other.close()
    with pytest.raises(FileFormatError, match=r"control: .* is something else"):
        ControlJournal(path)


def test_a_newer_journal(path: Path) -> None:
    ControlJournal(path).close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(StoreVersionError, match=r"newer candlewick \(version 99"):
        ControlJournal(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"control: .* has no folder to be in"):
        ControlJournal(tmp_path / "absent" / "control.sqlite")


def test_a_closed_journal_says_so(path: Path) -> None:
    journal = ControlJournal(path)
    journal.close()
    journal.close()
    with pytest.raises(StoreError, match="cannot be read"):
        journal.state()


def test_waiting_for_another_writer_ends(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    with ControlJournal(path) as journal:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="cannot be written: database is locked"):
            journal.set("max_cache_mb", 2, who="me")
        assert journal.state().flags == {}, "reading does not wait for a writer"
        holder.execute("ROLLBACK")
        holder.close()
        journal.set("max_cache_mb", 2, who="me")


def test_opening_waits_for_who_has_the_file_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE soon (x)")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="cannot be opened: database is locked"):
        ControlJournal(path)
    holder.execute("ROLLBACK")
    holder.close()


# Several at once


def write_many(place: SQLite, name: str, count: int) -> None:
    with place.open() as journal:
        for value in range(1, count + 1):
            journal.set("max_cache_mb", value, who=name)


@pytest.mark.untraced
def test_processes_and_threads_lose_nothing_of_each_other(place: SQLite) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=write_many, args=(place, f"process {k}", 15)) for k in range(2)]
    threads = [threading.Thread(target=write_many, args=(place, f"thread {k}", 15)) for k in range(3)]
    for one in (*processes, *threads):
        one.start()
    for one in (*processes, *threads):
        one.join()
    assert [process.exitcode for process in processes] == [0, 0]
    with place.open() as journal:
        entries = journal.entries()
        assert [one.seq for one in entries] == list(range(1, 1 + 5 * 15 + 1))
        for writer in {one.who for one in entries if one.what == "set"}:
            assert [one.new for one in entries if one.who == writer] == list(range(1, 16))
        assert [one.what for one in entries].count("create") == 1
        assert fold(entries) == journal.state()


def test_of_two_that_kill_the_same_step_one_does(place: SQLite, journal: ControlJournal) -> None:
    step = journal.set("rollout_percentage", 10, who="me").step
    done: list[bool] = []

    def kill() -> None:
        with place.open() as own:
            done.append(own.kill(who="controller", why="bad", step=step))

    threads = [threading.Thread(target=kill) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(done) == [False, False, False, True]
    assert [one.what for one in journal.entries()].count("kill") == 1


RUN = """
import itertools, sys
from candlewick.delivery.journal import ControlJournal

with ControlJournal(sys.argv[1]) as journal:
    journal.clear(who="me", why="killed by the run before")
    print("started", flush=True)
    for k in itertools.count():
        journal.set("rollout_percentage", 1 + k % 90, who="me", why="x" * 3000)
        journal.kill(who="me", why="bad", evidence={"k": k})
        print(journal.state().seq, flush=True)
        journal.clear(who="me", why="mended")
"""


def killed_after(path: Path, lines: int) -> int:
    """Run writes in a process of its own, kill -9 it after it acknowledged some; the last seq that it told."""
    process = subprocess.Popen([sys.executable, "-c", RUN, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        told = [process.stdout.readline() for _ in range(lines + 1)]
        os.kill(process.pid, signal.SIGKILL)
        told += process.stdout.readlines()
    process.wait()
    return int([line for line in told if line.endswith("\n")][-1])


def check_killed(path: Path, lines: int) -> State:
    told = killed_after(path, lines)
    with ControlJournal(path) as journal:
        entries = journal.entries()
        assert len(entries) >= told, "what was acknowledged is there"
        assert fold(entries) == journal.state()
        assert [one.seq for one in entries] == list(range(1, len(entries) + 1))
        return journal.state()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_killed_between_and_within_writes(path: Path) -> None:
    for lines in (1, 4):
        check_killed(path, lines)


@pytest.mark.slow
def test_killed_at_twenty_moments(path: Path) -> None:
    states = [check_killed(path, lines) for lines in range(1, 21)]
    assert [one.seq for one in states] == sorted(one.seq for one in states)


@given(st.text(), st.text(min_size=1).filter(str.strip))
def test_any_text_comes_back(why: str, who: str) -> None:
    try:
        f"{who}{why}".encode()
    except UnicodeEncodeError:
        return
    with ControlJournal(None) as journal:
        journal.set("max_cache_mb", 1, who=who, why=why)
        assert (journal.entries()[-1].who, journal.entries()[-1].why) == (who, why)
