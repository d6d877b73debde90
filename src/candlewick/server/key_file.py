"""KeyFile: the keys of a store, in a file of their own beside its control journal.

SQLite (WAL, full sync), so that a command line and servers may use it at once; readable by its owner alone. A change is
in the control journal too. The order is such that neither a key nor a revocation can be without the other's trace in a
harmful way: a key is journalled before it is valid, and revoked before that is journalled.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from candlewick.clock import Clock, SystemClock
from candlewick.errors import FileFormatError, InputError, StoreError, StoreVersionError, UnknownNameError
from candlewick.server.key import Key, digest_of, draw
from candlewick.server.roles import find_role

VERSION = 1
APPLICATION = 0x43574B31  # tells this file from any other SQLite file
PATIENCE = 5.0
"""Seconds to wait for another process that is writing."""
LONGEST_NAME = 60
HOUR = 3_600_000_000
"""Microseconds: as closely is it kept when a key last came in."""

TABLES = (
    "CREATE TABLE keys (id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash BLOB NOT NULL,"
    " created INTEGER NOT NULL, revoked INTEGER, used INTEGER)",
    "CREATE TRIGGER keys_stay BEFORE UPDATE ON keys WHEN NEW.id IS NOT OLD.id OR NEW.name IS NOT OLD.name"
    " OR NEW.role IS NOT OLD.role OR NEW.hash IS NOT OLD.hash OR NEW.created IS NOT OLD.created"
    " OR (OLD.revoked IS NOT NULL AND NEW.revoked IS NOT OLD.revoked)"
    " BEGIN SELECT RAISE(ABORT, 'a key is never changed, a revoked one never valid again'); END",
    "CREATE TRIGGER keys_remain BEFORE DELETE ON keys BEGIN SELECT RAISE(ABORT, 'keys are never deleted'); END",
)


class Note(Protocol):
    """Where a change is journalled, as `ControlJournal.note` does it."""

    def __call__(self, name: str, old: object, new: object, *, who: str, why: str = "") -> object:
        """On disk when this returns."""


class KeyFile:
    """The keys at ``path``, in a file that the first key makes; None keeps them in the memory of this process.

    Safe for many threads and processes. Raises FileFormatError for a file that is something else, StoreVersionError for
    a newer one, StoreError when the file cannot be read or written, or when others than its owner may.
    """

    def __init__(self, path: Path | str | None, *, note: Note, clock: Clock | None = None) -> None:
        self.path = None if path is None else Path(path)
        self._note = note
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._watching: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None

    def all(self) -> list[Key]:
        """Every key, also those that are revoked, oldest first."""
        with self._lock, self._told("read"):
            connection = self._open(make=False)
            return [] if connection is None else _keys(connection)

    def create(self, name: str, role: str, *, who: str, why: str = "") -> tuple[Key, str]:
        """A new key, and what has to be sent for it: that can be had here only. Raises UnknownNameError for a role that
        there is not, InputError for a name that is none or that a valid key has."""
        find_role(role)
        _check_name(name)
        with self._lock, self._told("written"), self._writing() as connection:
            stored = _keys(connection)
            if any(one.valid and one.name == name for one in stored):
                raise InputError("name", name, "give another, or revoke that one first", "is a valid key's already")
            number, whole = draw()
            while any(one.id == number for one in stored):
                number, whole = draw()
            key = Key(number, name, role, digest_of(whole.encode()), self._clock.wall())
            self._note(number, "", f"{name} ({role})", who=who, why=why)
            connection.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, NULL, NULL)",
                (key.id, key.name, key.role, key.digest, key.created),
            )
            return key, whole

    def revoke(self, number: str, *, who: str, why: str = "") -> Key:
        """Make a key invalid, for good; revoking it again is harmless. Raises UnknownNameError for an unknown id."""
        with self._lock, self._told("written"):
            stored = {one.id: one for one in self.all()}
            if number not in stored:
                raise UnknownNameError("id", number, stored, expected="give one that `candlewick keys list` shows")
            if not stored[number].valid:
                return stored[number]
            with self._writing() as connection:
                connection.execute(
                    "UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL", (self._clock.wall(), number)
                )
            key = next(one for one in self.all() if one.id == number)
        try:
            self._note(number, f"{key.name} ({key.role})", "revoked", who=who, why=why)
        except StoreError as error:
            raise StoreError(f"keys: {number} is revoked, but the journal does not say so: {error}") from error
        return key

    def used(self, numbers: Iterable[str]) -> None:
        """Keep that these keys came in within this hour."""
        hour = self._clock.wall() // HOUR * HOUR
        with self._lock, self._told("written"):
            connection = self._open(make=False)
            if connection is not None:
                connection.executemany(
                    "UPDATE keys SET used = ? WHERE id = ? AND (used IS NULL OR used < ?)",
                    [(hour, number, hour) for number in numbers],
                )

    def version(self) -> tuple[object, int]:
        """Another value after any change, by whomever, also where the file was replaced; takes some microseconds."""
        with self._lock, self._told("read"):
            connection = self._open(make=False)
            if connection is None or self._watching is None:
                return None, 0
            if self.path is None:
                return None, connection.total_changes
            return self._opened, int(self._watching.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        with self._lock:
            for connection in {id(one): one for one in (self._connection, self._watching) if one is not None}.values():
                connection.close()
            self._connection = self._watching = self._opened = None

    def __enter__(self) -> KeyFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _open(self, *, make: bool) -> sqlite3.Connection | None:
        """The connection to the file that is there now: one that was removed or replaced is let go of."""
        if self.path is not None:
            there = _identity(self.path)
            if self._connection is not None and there != self._opened:
                self.close()
            if self._connection is None:
                if there is None and not make:
                    return None
                _made(self.path)
                self._opened = _identity(self.path)
                self._connection = self._connect(str(self.path))
                # Another connection, because SQLite does not tell a connection of its own writes.
                self._watching = self._connect(str(self.path))
        elif self._connection is None:
            self._connection = self._watching = self._connect(":memory:")
        return self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        connection = self._open(make=True)
        assert connection is not None
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _connect(self, name: str) -> sqlite3.Connection:
        connection = sqlite3.connect(name, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                for statement in TABLES:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            raise self._something_else()
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise StoreVersionError(
                f"keys: {self.path} was written by a newer candlewick (version {found}, this one knows {VERSION})"
            )
        _to_wal(connection)  # only now: nothing is changed of a file that is something else

    def _something_else(self) -> FileFormatError:
        return FileFormatError("keys", str(self.path), "give the path of a file of keys", "is something else")

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        """What SQLite cannot do, as an error of ours."""
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB":
                raise self._something_else() from error
            raise StoreError(f"keys: {self.path} cannot be {done}: {error}") from error
        except OSError as error:
            raise StoreError(f"keys: {self.path} cannot be {done}: {error.strerror}") from error


def _keys(connection: sqlite3.Connection) -> list[Key]:
    rows = connection.execute("SELECT id, name, role, hash, created, revoked, used FROM keys ORDER BY created, rowid")
    return [Key(*row) for row in rows.fetchall()]


def _to_wal(connection: sqlite3.Connection) -> None:
    """Again while another process has the file alone: SQLite does not wait for that itself."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > give_up:
                raise
            time.sleep(0.01)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _made(path: Path) -> None:
    """The file, for its owner alone; the two that SQLite lays beside it get the same rights."""
    if not path.parent.is_dir():
        raise InputError("keys", str(path), "give a control journal in a folder that exists", "has no folder to be in")
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise StoreError(f"keys: {path} can be read or written by others than its owner; chmod 600 it")


def _check_name(name: str) -> None:
    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        expected = f"give up to {LONGEST_NAME} characters that say whose it is, such as desk-7"
        raise InputError("name", name, expected, "is no name for a key")
