"""KeyFile: the keys of a store, in a file of their own beside its control journal.

SQLite (WAL, full sync), so that a command line and servers may use it at once; readable by its owner alone.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from candlewick.clock import Clock
from candlewick.errors import FileFormatError, InputError, StoreError, StoreVersionError
from candlewick.server.key import Key
from candlewick.server.keys import HOUR, Keys, Note

VERSION = 1
APPLICATION = 0x43574B31  # tells this file from any other SQLite file
PATIENCE = 5.0
"""Seconds to wait for another process that is writing."""

TABLES = (
    "CREATE TABLE keys (id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash BLOB NOT NULL,"
    " created INTEGER NOT NULL, revoked INTEGER, used INTEGER)",
    "CREATE TRIGGER keys_stay BEFORE UPDATE ON keys WHEN NEW.id IS NOT OLD.id OR NEW.name IS NOT OLD.name"
    " OR NEW.role IS NOT OLD.role OR NEW.hash IS NOT OLD.hash OR NEW.created IS NOT OLD.created"
    " OR (OLD.revoked IS NOT NULL AND NEW.revoked IS NOT OLD.revoked)"
    " BEGIN SELECT RAISE(ABORT, 'a key is never changed, a revoked one never valid again'); END",
    "CREATE TRIGGER keys_remain BEFORE DELETE ON keys BEGIN SELECT RAISE(ABORT, 'keys are never deleted'); END",
)


class KeyFile(Keys):
    """The keys at ``path``, in a file that the first key makes; None keeps them in the memory of this process.

    Safe for many threads and processes. Raises FileFormatError for a file that is something else, StoreVersionError for
    a newer one, StoreError when the file cannot be read or written, or when others than its owner may.
    """

    def __init__(self, path: Path | str | None, *, note: Note, clock: Clock | None = None) -> None:
        super().__init__(note=note, clock=clock)
        self.path = None if path is None else Path(path)
        self._connection: sqlite3.Connection | None = None
        self._watching: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None

    def all(self) -> list[Key]:
        with self._lock, self._told("read"):
            connection = self._open(make=False)
            return [] if connection is None else _keys(connection)

    def used(self, numbers: Iterable[str]) -> None:
        hour = self._clock.wall() // HOUR * HOUR
        with self._lock, self._told("written"):
            connection = self._open(make=False)
            if connection is not None:
                connection.executemany(
                    "UPDATE keys SET used = ? WHERE id = ? AND (used IS NULL OR used < ?)",
                    [(hour, number, hour) for number in numbers],
                )

    def version(self) -> tuple[object, int]:
        with self._lock, self._told("read"):
            connection = self._open(make=False)
            if connection is None or self._watching is None:
                return None, 0
            if self.path is None:
                return None, connection.total_changes
            return self._opened, int(self._watching.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        with self._lock:
            for connection in {id(one): one for one in (self._connection, self._watching) if one is not None}.values():
                connection.close()
            self._connection = self._watching = self._opened = None

    def _stored(self) -> list[Key]:
        return _keys(self._at_hand())

    def _add(self, key: Key) -> None:
        self._at_hand().execute(
            "INSERT INTO keys VALUES (?, ?, ?, ?, ?, NULL, NULL)", (key.id, key.name, key.role, key.digest, key.created)
        )

    def _revoke(self, number: str, at: int) -> None:
        self._at_hand().execute("UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL", (at, number))

    def _at_hand(self) -> sqlite3.Connection:
        """The connection of the transaction that is open."""
        assert self._connection is not None
        return self._connection

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
    def _changing(self) -> Iterator[object]:
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
