"""PostgresWatch: the thread that keeps what a process knows of its series as fresh as the database.

1. It listens on a connection of its own. A commit anywhere notifies, and the watch looks what came (`look`).
2. Notifications may be lost, as behind a pooler that drops LISTEN: it looks every `POLL` seconds all the same.
3. When the database is gone it says so at once, tries again every `RETRY` seconds, and looks before it lets calls in.
4. A database that hangs ends no connection. Who asks finds that what is known is old, waits `PATIENCE` seconds for a
   look, and then says that it is gone (`check`): nobody after that waits, until a look succeeds again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Any

from candlewick.errors import StoreError, StoreUnavailableError
from candlewick.postgres_address import driver
from candlewick.store.postgres_link import PostgresLink

POLL = 0.05
"""Seconds between two looks when nothing is notified."""

BOUND = 0.1
"""Seconds after which what is known is not trusted: then whoever asks looks first."""

PATIENCE = 1.0
"""Seconds that somebody waits for a look before the database counts as gone."""

RETRY = 0.25
"""Seconds between two attempts to reach a database that is gone."""

SILENT = 3
"""Looks in a row that find changes of which no notification told, after which notifications count as broken."""

log = logging.getLogger(__name__)


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
        if self._link.down is not None:
            raise StoreUnavailableError(self._link.address.shown, self._link.down)
        if time.monotonic() - self._looked <= BOUND:
            return
        if not self._looking.acquire(timeout=PATIENCE):
            if self._link.down is None:
                self._link.fail(f"it has not said anything for {PATIENCE:g} s")
            raise StoreUnavailableError(self._link.address.shown, self._link.down or "it was gone just now")
        try:
            if time.monotonic() - self._looked > BOUND:
                at = time.monotonic()
                with self._link.borrow() as cursor:
                    self._look(cursor)
                self._looked = at
        finally:
            self._looking.release()

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
        at = time.monotonic()
        with self._link.address.told(), self._looking, self._connection.cursor() as cursor:
            found = self._look(cursor)
        self._looked = at
        if heard:
            self._unheard, self.silent = 0, False
        elif found:
            self._unheard += 1
            self.silent = self._unheard >= SILENT
        if self._link.suspected.is_set() or self._link.down is not None:
            self._link.suspected.clear()
            self._link.renew()

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
                cursor.execute(f"LISTEN {self._channel}")
                at = time.monotonic()
                with self._looking:
                    self._look(cursor)
        except BaseException:
            connection.close()
            raise
        self._connection, self._looked = connection, at


def _reason(error: StoreError) -> str:
    return error.reason if isinstance(error, StoreUnavailableError) else str(error)
