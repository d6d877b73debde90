"""ControlJournal: who changed which flag, when and why, and the state that follows.

Every change is on disk before it is acknowledged. SQLite (WAL, full sync), so that a command line and servers may use
it at once.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from candlewick.clock import Clock, SystemClock
from candlewick.delivery.entry import Change, Entry, State, fold, step_after, to_set
from candlewick.delivery.flags import Value, default_flags, find_flag
from candlewick.errors import FileFormatError, InputError, StoreError, StoreVersionError

VERSION = 1
APPLICATION = 0x43574A31  # tells this file from any other SQLite file
PATIENCE = 5.0
"""Seconds to wait for another process that is writing."""
OLD_REPORT = 3_600_000_000
"""Microseconds after which the report of a server that is gone is dropped."""

TABLES = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, name TEXT NOT NULL,
    old TEXT NOT NULL, new TEXT NOT NULL, why TEXT NOT NULL, evidence TEXT NOT NULL, step INTEGER NOT NULL
);
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE trials (rollout INTEGER PRIMARY KEY, spent INTEGER NOT NULL);
CREATE TABLE reports (process TEXT PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL);
"""


class ControlJournal:
    """The journal at ``path``, made when it is not there; None keeps it in the memory of this process.

    ``base``: the flags at start, from ``Settings.flags()``; what the journal says goes before them. ``salt``: that of
    every rollout, where a trial is to meet the same keys again; by default each draws one by chance. Safe for many
    threads and processes; after a fork call ``reopen``. Raises FileFormatError for a file that is no journal,
    StoreVersionError for a newer one, StoreError when the file cannot be read or written.
    """

    def __init__(
        self,
        path: Path | str | None,
        *,
        base: Mapping[str, tuple[Value, str]] | None = None,
        clock: Clock | None = None,
        salt: str | None = None,
    ) -> None:
        self.path = None if path is None else Path(path)
        self.base = default_flags() if base is None else dict(base)
        self._clock = clock or SystemClock()
        self._salt = salt
        self._left: list[object] = []
        self.reopen()

    @property
    def place(self) -> Path | str | None:
        """Where the journal is: its file, or the address of its database."""
        return self.path

    def reopen(self) -> None:
        """Open anew, leaving the connections of before a fork to the parent: closing them here would do it harm."""
        self._left.append((getattr(self, "_connection", None), getattr(self, "_watching", None)))
        self._lock = threading.RLock()
        with self._told("opened"):
            self._connection = self._connect()
            # Another connection, because SQLite does not tell a connection of its own writes.
            self._watching = self._connection if self.path is None else self._connect()

    def state(self) -> State:
        """What the journal says now."""
        with self._lock, self._told("read"):
            return self._state()

    def entries(self, after: int = 0) -> list[Entry]:
        """Every entry with a ``seq`` above ``after``, oldest first."""
        with self._lock, self._told("read"):
            rows = self._connection.execute("SELECT * FROM entries WHERE seq > ? ORDER BY seq", (after,)).fetchall()
        return [_entry(row) for row in rows]

    def version(self) -> int:
        """A number that is another one after any write, by whomever; takes some microseconds."""
        with self._lock, self._told("read"):
            if self.path is None:
                return int(self._connection.total_changes)
            return int(self._watching.execute("PRAGMA data_version").fetchone()[0])

    def set(self, name: str, value: object, *, who: str, why: str = "") -> Entry:
        """Set a flag. Raises UnknownNameError, InputError, and KilledError for an exposure while killed."""
        parsed = find_flag(name).parse(value)
        with self._writing() as state:
            changes = to_set(state, self._values(state), name, parsed, self._draw())
            return self._append(state, changes, who, why, {})

    def kill(self, *, who: str, why: str, evidence: Mapping[str, Any] | None = None, step: int | None = None) -> bool:
        """The percentage to 0 and the kill bit, in one transaction.

        With ``step``, only while that is still the step in force: what was judged in an earlier one may not undo what
        was decided since. False when it is not, or when the rollout is killed already.
        """
        _said("why", why)
        with self._writing() as state:
            if state.killed or (step is not None and step != state.step):
                return False
            change = Change("kill", "rollout_percentage", self._values(state)["rollout_percentage"], 0.0)
            self._append(state, [change], who, why, evidence or {})
            return True

    def clear(self, *, who: str, why: str) -> bool:
        """Lift the kill; the percentage stays 0, the next rollout draws a new salt. False when nothing was killed."""
        _said("why", why)
        with self._writing() as state:
            if not state.killed:
                return False
            self._append(state, [Change("clear", "killed", True, False)], who, why, {})
            return True

    def note(self, name: str, old: object, new: object, *, who: str, why: str = "") -> Entry:
        """Keep what became of a server's key, ``name``: in the order of all changes, and without a change of a flag."""
        with self._writing() as state:
            return self._append(state, [Change("key", name, old, new)], who, why, {})

    def begin_trial(self, rollout: int) -> int:
        """The number, from 1 on, of a new run of evidence within a rollout: each gets a share of its alpha of its own,
        also after a restart and in another process, so that all together spend no more than alpha."""
        with self._lock, self._told("written"):
            row = self._connection.execute(
                "INSERT INTO trials VALUES (?, 1)"
                " ON CONFLICT (rollout) DO UPDATE SET spent = spent + 1 RETURNING spent",
                (rollout,),
            ).fetchall()
        return int(row[0][0])

    def leave_report(self, process: str, body: Mapping[str, Any]) -> None:
        """Keep the latest report of a running server, for those who look at the journal alone."""
        now = self._clock.wall()
        with self._lock, self._told("written"):
            # A report that is lost is followed by another a second later.
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("INSERT OR REPLACE INTO reports VALUES (?, ?, ?)", (process, now, _json(body)))
            self._connection.execute("DELETE FROM reports WHERE at < ?", (now - OLD_REPORT,))
            self._connection.execute("PRAGMA synchronous = FULL")

    def reports(self) -> list[tuple[str, int, dict[str, Any]]]:
        """``(process, microseconds UTC, body)`` of each server's latest report, newest first."""
        with self._lock, self._told("read"):
            rows = self._connection.execute("SELECT process, at, body FROM reports ORDER BY at DESC").fetchall()
        return [(process, at, json.loads(body)) for process, at, body in rows]

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        with self._lock:
            self._watching.close()
            self._connection.close()

    def __enter__(self) -> ControlJournal:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _draw(self) -> str:
        return secrets.token_hex(16) if self._salt is None else self._salt

    def _values(self, state: State) -> dict[str, Value]:
        return {name: value for name, (value, _) in self.base.items()} | dict(state.flags)

    def _state(self) -> State:
        rows = dict(self._connection.execute("SELECT name, value FROM state").fetchall())
        return State(**{name: json.loads(value) for name, value in rows.items()})

    @contextmanager
    def _writing(self) -> Iterator[State]:
        """The state, held so that nobody else writes until the changes are on disk."""
        with self._lock, self._told("written"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._state()
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _append(self, state: State, changes: list[Change], who: str, why: str, evidence: Mapping[str, Any]) -> Entry:
        _said("who", who)
        values = {name: value for name, (value, _) in self.base.items()}
        at = self._clock.wall()
        for change in changes:
            seq = state.seq + 1
            drawn = Entry(seq, at, who, change.what, change.name, change.old, change.new, why, evidence, state.step)
            step = step_after(state, values, fold([drawn], state))
            entry = Entry(seq, at, who, change.what, change.name, change.old, change.new, why, evidence, step)
            state = fold([entry], state)
            old, new, seen = map(_json, (change.old, change.new, evidence))
            row = (seq, at, who, change.what, change.name, old, new, why, seen, step)
            self._keep_entry(row)
        self._keep_state([(name, _json(value)) for name, value in vars(state).items()])
        return entry

    def _keep_entry(self, row: tuple[Any, ...]) -> None:
        self._connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _keep_state(self, rows: list[tuple[str, str]]) -> None:
        self._connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", rows)

    def _connect(self) -> sqlite3.Connection:
        name = ":memory:" if self.path is None else str(self.path)
        if self.path is not None and not self.path.parent.is_dir():
            raise InputError("control", name, "give a file in a folder that exists", "has no folder to be in")
        connection = sqlite3.connect(name, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        _patiently(connection, "PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                for statement in TABLES.strip().split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
                self._connection = connection
                self._append(State(), [Change("create", "salt", "", self._draw())], "candlewick", "", {})
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            raise FileFormatError("control", str(self.path), "give the path of a control journal", "is something else")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise StoreVersionError(
                f"control: {self.path} was written by a newer candlewick (version {found}, this one knows {VERSION})"
            )

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        """What SQLite cannot do, as an error of ours."""
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB":
                raise FileFormatError(
                    "control", str(self.path), "give the path of a control journal", "is something else"
                ) from error
            raise StoreError(f"control: {self.path} cannot be {done}: {error}") from error


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Again while another process has the file alone: SQLite does not wait for that itself."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > give_up:
                raise
            time.sleep(0.01)


def _said(parameter: str, text: str) -> None:
    if not isinstance(text, str) or not text.strip():
        raise InputError(parameter, text, "say it in words: it stays in the journal", "is empty")


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, sort_keys=True)


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, at, who, what, name, old, new, why, evidence, step = row
    return Entry(seq, at, who, what, name, json.loads(old), json.loads(new), why, json.loads(evidence), step)
