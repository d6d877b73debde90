"""Compactor: compacts a store once after each trading day, when enough of its candles lie out of order.

Candles that come minute by minute lie in the order of minutes, and a series is then read from all over the file.
Writers wait while a store is compacted, which is why it is left until the last session of a day is over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from threading import Event, Thread

from candlewick.clock import Clock, SystemClock
from candlewick.errors import CandlewickError
from candlewick.sessions.calendar import find_calendar
from candlewick.store.history import DAY
from candlewick.store.repository import CandleRepository
from candlewick.store.stats import Stats

log = logging.getLogger(__name__)

ENOUGH = 10_000
"""Candles out of order from which on compacting is worth it."""
LATE = 300_000_000
"""Microseconds after a close in which candles of the day may still come."""
EVERY = 60.0
"""Seconds between two looks at the clock."""


def closed_day(calendars: Iterable[str], now: int) -> int | None:
    """The newest session label (days since 1970) of which every calendar's session is over at ``now``, late candles
    included; None where there was none in the last ten days."""
    closes: dict[int, int] = {}
    for name in set(calendars):
        calendar = find_calendar(name)
        first, last = calendar.known
        periods = calendar.periods(max(now - 10 * DAY, first), min(now + 3 * DAY, last))
        for label, close in zip(periods.label.tolist(), periods.close.tolist(), strict=True):
            closes[label] = max(close, closes.get(label, close))
    return max((label for label, close in closes.items() if close + LATE <= now), default=None)


def worth_it(stats: Stats) -> bool:
    """Whether so many candles lie out of order that compacting pays."""
    return stats.out_of_order is not None and stats.out_of_order >= ENOUGH


class Compactor:
    """Looks every minute, in a thread of its own, from `start` until `close`.

    The day that was over at the start counts as done: a restart in the middle of a session compacts nothing.
    """

    def __init__(self, store: CandleRepository, *, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock or SystemClock()
        self._ending = Event()
        self._thread = Thread(target=self._run, name="candlewick-compactor", daemon=True)
        self._done: int | None = None
        self._begun = False

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more. A store that is being compacted just now is left to finish it."""
        self._ending.set()

    def look(self) -> bool:
        """Compact where a day is over that was not when it was last looked; whether that was done."""
        day = closed_day((one.calendar for one in self._store.series()), self._clock.wall())
        if not self._begun or day is None or day == self._done:
            self._begun, self._done = True, day if day is not None else self._done
            return False
        self._done = day
        if not worth_it(self._store.stats()):
            return False
        self._store.compact()
        log.info("compacted %s after the close", self._store.url)
        return True

    def _run(self) -> None:
        while not self._ending.wait(EVERY):
            try:
                self.look()
            except CandlewickError as error:  # it is tried again after the next close
                log.warning("not compacted after the close: %s", error)
