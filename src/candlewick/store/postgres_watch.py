"""PostgresWatch: the thread that keeps what a process knows of its series as fresh as the database.

1. It listens on a connection of its own. A commit anywhere notifies, and the watch looks what came (`look`).
2. Notifications may be lost, as behind a pooler that drops LISTEN: it looks every `POLL` seconds all the same.
3. When the database is gone it says so at once, tries again every `RETRY` seconds, and looks before it lets calls in.
4. A database that hangs ends no connection: one that leaves a look without a byte for `PATIENCE` seconds counts as
   gone. Nobody after that waits, until a look succeeds again.
5. Who asks finds that what is known is old, and waits for a look (`check`), however long this process takes for it: how
   fast it decodes what came, and whether a connection is free, says nothing of the database.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event, Lock, Thread
from typing import Any

from candlewick.errors import StoreError, StoreUnavailableError
from candlewick.postgres_address import driver
from candlewick.postgres_patience import patient, was_silent
from candlewick.store.postgres_link import PostgresLink, was_busy

POLL = 0.05
"""Seconds between two looks when nothing is notified."""

BOUND = 0.1
"""Seconds after which what is known is not trusted: then whoever asks looks first."""

PATIENCE = 1.0
"""Seconds without a byte of what a look asks for, after which the database counts as gone."""

TURN = 0.05
"""Seconds that somebody waits at a time for the look of somebody else."""

SPARE = 0.01
"""Seconds that somebody waits for a connection to look with: when all are in use, the watch has one of its own."""

RETRY = 0.25
"""Seconds between two attempts to reach a database that is gone."""

SILENT = 3
"""Looks in a row that find changes of which no notification told, after which notifications count as broken."""

log = logging.getLogger(__name__)
_waits: ContextVar[bool] = ContextVar("waits", default=True)


@contextmanager
def at_once() -> Iterator[None]:
    """Inside, nobody waits for a look: where what is known is old, that is a StoreUnavailableError. For event loops."""
    before = _waits.set(False)
    try:
        yield
    finally:
        _waits.reset(before)


class PostgresWatch:
    """``look(cursor)`` brings what is known up to the database, and says whether others had changed anything.

    ``silent``: True while changes come without notifications, so that polling alone finds them.
    """

    def __init__(self, link: PostgresLink, channel: str, look: Callable[[Any], bool]) -> None:
        self._link = link
        self._channel = channel
        self._look = look
        self._looking = Lock()
        self._looked = 0.0
        self._ended = Event()
        self._unheard = 0
        self._connection: Any = None
        self.silent = False
        self._connect()
        self._thread = Thread(target=self._run, name="candlewick-postgres-watch", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise StoreUnavailableError where the database is away; look where the last look is older than `BOUND`."""
        since = time.monotonic() - BOUND
        while True:
            if self._link.down is not None:
                raise StoreUnavailableError(self._link.address.shown, self._link.down)
            if self._looked >= since:
                return
            if not _waits.get():
                raise StoreUnavailableError(self._link.address.shown, "what it holds now is being looked up")
            if self._looking.acquire(timeout=TURN):
                try:
                    looked = self._looked >= since or self._look_too()
                finally:
                    self._looking.release()
                if not looked:
                    self._ended.wait(TURN)

    def close(self) -> None:
        """End the thread and its connection."""
        self._ended.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._once()
            except StoreError as error:
                self._lost(error)
        self._connection.close()

    def _once(self) -> None:
        heard = False
        with self._link.address.told():
            for _ in self._connection.notifies(timeout=POLL, stop_after=1):
                heard = True
        if self._ended.is_set():
            return
        with self._link.address.told(), self._looking, self._connection.cursor() as cursor:
            found = self._ask(cursor)
        if heard:
            self._unheard, self.silent = 0, False
        elif found:
            self._unheard += 1
            self.silent = self._unheard >= SILENT
        if self._link.suspected.is_set() or self._link.down is not None:
            self._link.suspected.clear()
            self._link.renew()

    def _ask(self, cursor: Any) -> bool:
        """A look, by whom has the lock of looks."""
        at = time.monotonic()
        with patient(cursor.connection, PATIENCE):
            found = self._look(cursor)
        self._looked = at
        return found

    def _look_too(self) -> bool:
        """Look in the place of the watch, with a connection that is free; False where there is none."""
        try:
            with self._link.borrow(SPARE) as cursor:
                self._ask(cursor)
        except StoreUnavailableError as error:
            if was_busy(error):
                return False
            if was_silent(error):
                self._link.fail(_reason(error))
            raise
        return True

    def _lost(self, error: StoreError) -> None:
        """Say that the database is gone, and wait until it is back."""
        self._link.fail(_reason(error))
        log.warning("the database is gone: %s", error)
        self._connection.close()
        while not self._ended.wait(RETRY):
            try:
                self._connect()
            except StoreError as still:
                self._link.down = _reason(still)
                continue
            self._link.suspected.clear()
            self._link.renew()
            log.warning("the database is back")
            return

    def _connect(self) -> None:
        driver()
        connection = self._link.address.connect()
        try:
            with self._link.address.told(), connection.cursor() as cursor:
                with patient(connection, PATIENCE):
                    cursor.execute(f"LISTEN {self._channel}")
                with self._looking:
                    self._ask(cursor)
        except BaseException:
            connection.close()
            raise
        self._connection = connection


def _reason(error: StoreError) -> str:
    return error.reason if isinstance(error, StoreUnavailableError) else str(error)
