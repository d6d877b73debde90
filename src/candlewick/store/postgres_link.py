"""PostgresLink: the connections of one store, and whether its database answers.

1. While it does not, every call is refused at once (`borrow`): nobody queues behind a database that is gone.
2. Whoever finds that it is gone, or that it hangs, says so (`fail`): who waits for a connection is let go, and calls
   that are under way are cut off, since a machine that vanished would hold them for minutes.
3. The watch (`postgres_watch.py`) tries in the background, and brings fresh connections (`renew`).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock
from typing import Any

from candlewick.errors import StoreUnavailableError
from candlewick.postgres_address import PostgresAddress, driver
from candlewick.postgres_patience import connection_class

WAIT = 1.0
"""Seconds that a call waits for a connection."""

LEAVE = 0.05
"""Seconds for the threads of a pool that is let go of: until then it does not tell those who wait for a connection."""


class PostgresLink:
    """At most ``size`` connections to ``address``. ``down``: why the database does not answer, None while it does.

    ``suspected`` is set when a connection broke: somebody should look whether the database is still there.
    """

    def __init__(self, address: PostgresAddress, size: int) -> None:
        self.address = address
        self.size = size
        self.down: str | None = None
        self.suspected = Event()
        self._lock = Lock()
        self._closed = False
        self._lent: set[Any] = set()
        self._pool = self._new()

    @contextmanager
    def borrow(self, wait: float = WAIT) -> Iterator[Any]:
        """A cursor of a connection where each statement is a transaction of its own.

        Raises StoreUnavailableError while the database is away, and when no connection is free within ``wait`` seconds
        (`was_busy`).
        """
        if self.down is not None:
            raise StoreUnavailableError(self.address.shown, self.down)
        with self.address.told(), self._pool.connection(timeout=wait) as connection:
            with self._lock:
                self._lent.add(connection)
            try:
                with connection.cursor() as cursor:
                    yield cursor
            except driver().Error:
                if connection.broken:
                    self.suspected.set()
                raise
            finally:
                with self._lock:
                    self._lent.discard(connection)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A cursor inside a transaction: committed at the end, rolled back when anything is raised."""
        with self.borrow() as cursor, cursor.connection.transaction():
            yield cursor

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """A cursor inside a transaction that only reads: everything it reads is of one moment. No writer waits."""
        with self.borrow() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield cursor
            finally:
                if not cursor.connection.broken:
                    cursor.connection.rollback()

    def fail(self, reason: str) -> None:
        """From now on every call is refused with this reason, and those that are under way end with an error."""
        self.down = reason
        with self._lock:
            self._pool.close(timeout=LEAVE)
            for connection in self._lent:
                _cut(connection)

    def renew(self) -> None:
        """Fresh connections in the place of the old ones, and calls are let through."""
        with self._lock:
            if self._closed:
                return
            old, self._pool = self._pool, self._new()
        self.down = None
        old.close(timeout=LEAVE)

    def close(self) -> None:
        """Let go of every connection."""
        with self._lock:
            self._closed = True
            self._pool.close(timeout=WAIT)

    def _new(self) -> Any:
        driver()
        from psycopg_pool import ConnectionPool

        return ConnectionPool(
            self.address.conninfo,
            connection_class=connection_class(),
            kwargs=self.address.options(),
            min_size=1,
            max_size=self.size,
            open=True,
            timeout=WAIT,
            max_idle=60,
            num_workers=1,
            reconnect_timeout=1,
            name="candlewick",
        )


def was_busy(error: StoreUnavailableError) -> bool:
    """Whether an error is that no connection was free: it says nothing of the database."""
    from psycopg_pool import PoolTimeout

    return isinstance(error.__cause__, PoolTimeout)


def _cut(connection: Any) -> None:
    """End a connection that another thread waits for: what it waits for comes as the end of the stream."""
    with suppress(driver().Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)  # what is suppressed is that it ended by itself meanwhile
