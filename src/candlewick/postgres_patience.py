"""Patience: how long a connection to PostgreSQL waits for a database that says nothing.

A database that hangs ends no connection, and its machine goes on to confirm what is sent: nobody tells. Only time at
the socket counts in which not one byte came, so a process that is slow itself, because it decodes much or because it
gets no processor, never takes its database for gone: what was answered meanwhile is there when it looks.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

TURN = 0.1
"""Seconds of one look at the socket."""


@cache
def connection_class() -> type[Connection[Any]]:
    """A connection with ``patience``: None waits for ever; seconds end it once so many passed without a byte.

    What was under way is then an OperationalError that `was_silent` knows, and the connection is closed.
    """
    import psycopg

    class PatientConnection(psycopg.Connection[Any]):
        patience: float | None = None

        def wait(self, gen: Any, *given: Any, **named: Any) -> Any:
            if self.patience is None:
                return super().wait(gen, *given, **named)
            try:
                return super().wait(_awaited(gen, self.patience), TURN, **named)
            except _silent():
                self.close()  # what it waits for would be taken for the answer to the next question
                raise

    return PatientConnection


@contextmanager
def patient(connection: Any, seconds: float | None) -> Iterator[None]:
    """For a while another patience than the connection has."""
    before, connection.patience = connection.patience, seconds
    try:
        yield
    finally:
        connection.patience = before


def was_silent(error: BaseException | None) -> bool:
    """Whether an error, or what it came from, is that the patience ran out."""
    return error is not None and (isinstance(error, _silent()) or was_silent(error.__cause__))


@cache
def _silent() -> type[Exception]:
    import psycopg

    class Silent(psycopg.OperationalError):
        """The database said nothing for as long as anybody wanted to wait."""

    return Silent


def _awaited(inner: Generator[Any, Any, Any], patience: float) -> Generator[Any, Any, Any]:
    """What the driver does, with the turns counted in which the socket had nothing.

    Turns, not time: one in which this process stood still is one turn, and what came meanwhile is found in it.
    """
    turns = 0
    try:
        wanted = next(inner)
        while True:
            ready = yield wanted
            turns = 0 if ready else turns + 1
            if turns * TURN >= patience:
                inner.close()
                raise _silent()(f"it has not said anything for {patience:g} s")
            wanted = inner.send(ready)
    except StopIteration as end:
        return end.value
