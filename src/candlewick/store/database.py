"""Database: one open DuckDB file, shared by everyone in this process that opens the same path.

1. A new store is built under another name and moved into place, so a crash never leaves half of one (`_create`).
2. DuckDB locks the file; who holds it is said by the note that its owner left beside it (`_connect`, `owner.py`).
3. Its schema must be ours; an older one is brought up to date, a newer one refused (`_check`, `schema.py`).
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, RLock
from typing import Any, ClassVar

from candlewick.errors import FileFormatError, InputError, StoreBusyError, StoreError, StoreVersionError
from candlewick.store.owner import Owner
from candlewick.store.schema import SCHEMA, TABLES, upgrade

MAGIC = slice(8, 12), b"DUCK"


@dataclass(frozen=True)
class Resources:
    """What DuckDB may use: ``memory_limit`` as 512MB or 2GB; beyond it, work spills into a folder beside the store."""

    memory_limit: str = "512MB"
    threads: int | None = None

    def settings(self, path: Path) -> dict[str, Any]:
        """As DuckDB's configuration. Nothing is ever downloaded."""
        return {
            "memory_limit": self.memory_limit,
            "threads": self.threads or min(4, os.cpu_count() or 1),
            "temp_directory": str(path.with_name(f"{path.name}.spill")),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }


class Database:
    """One open DuckDB file. ``lock`` is held by writers; ``held`` counts the stores that share it.

    ``state`` is what the stores remember of the file. A writer puts what it will be into ``upcoming``: both change at
    the commit of its transaction, under ``publishing``, so that whoever has seen the commit can wait for the state.
    """

    _open: ClassVar[dict[Path, Database]] = {}
    _guard: ClassVar[RLock] = RLock()

    def __init__(self, path: Path, resources: Resources) -> None:
        self.path = path
        self.resources = resources
        self.lock = RLock()
        self.held = 0
        self.state: Any = None
        self.upcoming: Any = None
        self.publishing = Lock()
        if not path.exists():
            self._create()
        self._connection = self._connect()
        try:
            self._check()
        except BaseException:
            self._connection.close()
            raise
        self._owner = Owner.here()
        self._owner.write(path)

    @classmethod
    def hold(cls, path: Path, resources: Resources) -> Database:
        """The database of a path: the one this process has open already, or a newly opened one."""
        place = path.expanduser().absolute().resolve()
        with cls._guard:
            database = cls._open.get(place)
            if database is None:
                if place.is_dir():
                    raise InputError("store", str(path), "give the path of a file", "is a folder")
                database = cls._open[place] = cls(place, resources)
            elif database.resources != resources:
                expected = f"it is open in this process with {database.resources}"
                raise InputError("store", str(path), expected, "is open with other settings")
            database.held += 1
            return database

    def release(self) -> None:
        """One holder less; the last one closes the file and lets other processes in."""
        with Database._guard, self.lock:
            self.held -= 1
            if self.held == 0:
                Database._open.pop(self.path, None)
                with suppress(Exception):  # a damaged file must not keep the caller from letting go of it
                    self._connection.close()
                self._owner.remove(self.path)
                shutil.rmtree(self.path.with_name(f"{self.path.name}.spill"), ignore_errors=True)

    def announce(self, address: str | None) -> None:
        """Note beside the store at which address this process serves it; None takes that back."""
        with Database._guard:
            if self.held:
                self._owner = replace(self._owner, address=address)
                self._owner.write(self.path)

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """A connection of its own for one call, so that calls of several threads do not meet."""
        import duckdb

        try:
            cursor = self._connection.cursor()
            try:
                yield cursor
            finally:
                cursor.close()
        except duckdb.Error as error:
            raise StoreError(f"store: {self.path}: {_first_line(error)}") from error

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A cursor inside a transaction: committed at the end, rolled back when anything is raised."""
        with self.lock, self.cursor() as cursor:
            cursor.begin()
            try:
                yield cursor
                with self.publishing:
                    cursor.commit()
                    if self.upcoming is not None:
                        self.state = self.upcoming
            except BaseException:
                with suppress(Exception):  # the first error is the one to tell
                    cursor.rollback()
                raise
            finally:
                self.upcoming = None

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """A cursor inside a transaction that only reads: everything it reads is of one moment. No writer waits."""
        with self.cursor() as cursor:
            cursor.begin()
            yield cursor  # what is raised here closes the cursor, and that ends the transaction
            cursor.rollback()

    def checkpoint(self) -> None:
        """Move what was committed from the log beside the file into it, unless somebody is reading just now.

        Then it is done later: DuckDB does it by itself as the log grows and when the file is closed. Waiting for the
        readers (FORCE) would keep new ones out.
        """
        import duckdb

        with self.cursor() as cursor, suppress(duckdb.TransactionException):
            cursor.execute("CHECKPOINT")

    def _create(self) -> None:
        import duckdb

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for left in self.path.parent.glob(f"{glob.escape(self.path.name)}.new-*"):
                left.unlink()
        except OSError as error:
            raise StoreError(f"store: {self.path} cannot be created: {error.strerror}") from error
        draft = self.path.with_name(f"{self.path.name}.new-{os.getpid()}")
        try:
            with duckdb.connect(str(draft), config=self.resources.settings(self.path)) as connection:
                connection.execute(TABLES)
                connection.execute("INSERT INTO candlewick VALUES (?)", [SCHEMA])
        except duckdb.IOException as error:
            raise StoreError(f"store: {self.path} cannot be created: {_first_line(error)}") from error
        except duckdb.Error as error:
            raise InputError("store", str(self.path), _first_line(error), "cannot be created") from error
        try:
            os.link(draft, self.path)  # fails when somebody else made the store meanwhile: theirs stands
        except FileExistsError:
            pass
        except OSError:  # no hard links on this file system
            draft.rename(self.path)
            return
        draft.unlink()

    def _connect(self) -> Any:
        import duckdb

        # Only while this process does not have the file open: closing any handle on it would drop DuckDB's lock.
        try:
            with self.path.open("rb") as file:
                head = file.read(16)
        except OSError as error:
            raise StoreError(f"store: {self.path} cannot be read: {error.strerror}") from error
        if head[MAGIC[0]] != MAGIC[1]:
            problem = "is not a DuckDB file" if head else "is an empty file"
            raise FileFormatError("store", str(self.path), "give a candlewick store, or a new path", problem)
        try:
            return duckdb.connect(str(self.path), config=self.resources.settings(self.path))
        except duckdb.IOException as error:
            if "lock" in str(error).casefold():
                raise StoreBusyError(str(self.path), self._who(error)) from error
            raise FileFormatError("store", str(self.path), _first_line(error), "cannot be opened") from error
        except duckdb.Error as error:
            raise FileFormatError("store", str(self.path), _first_line(error), "cannot be opened") from error

    def _who(self, error: Exception) -> str:
        owner = Owner.read(self.path)
        return str(owner) if owner is not None else f"another process ({_first_line(error)})"

    def _check(self) -> None:
        import duckdb

        try:
            rows = self._connection.execute("SELECT schema FROM candlewick").fetchall()
        except duckdb.CatalogException as error:
            expected = "give a candlewick store, or a new path"
            raise FileFormatError("store", str(self.path), expected, "is a DuckDB file of something else") from error
        except duckdb.Error as error:
            raise FileFormatError("store", str(self.path), _first_line(error), "is damaged") from error
        schema = rows[0][0] if len(rows) == 1 else None
        if schema is None or schema < 1:
            raise FileFormatError("store", str(self.path), "it does not say its schema", "is damaged")
        if schema > SCHEMA:
            raise StoreVersionError(
                f"store: {self.path} has schema {schema}, this candlewick knows {SCHEMA}: use a newer candlewick"
            )
        if schema < SCHEMA:
            try:
                upgrade(self._connection, schema)
            except duckdb.Error as error:
                raise FileFormatError("store", str(self.path), _first_line(error), "cannot be upgraded") from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
