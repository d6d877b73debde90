"""Computed: calendars that need no library, round the clock or by a weekly pattern; their tables grow with use."""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np

from candlewick.sessions.hours import Hours
from candlewick.sessions.names import ALWAYS
from candlewick.sessions.overrides import Overrides, framed
from candlewick.sessions.table import DAY, Periods, Table

FIRST_DAY = -25_567
"""1900-01-01."""

LAST_DAY = 84_005
"""2199-12-31."""

MARGIN = 62
"""Days built beyond what is asked for, so that weeks and months are whole."""

FORM = "1"
"""Raised when the same hours would give other tables."""


class Pattern(Protocol):
    """Periods by rule, for any range of dates."""

    @property
    def zone(self) -> str:
        """The timezone in which a date begins."""

    def periods(self, first_day: int, last_day: int) -> Periods:
        """The periods of the sessions labelled ``first_day`` to ``last_day``."""


class Always:
    """Round the clock: each UTC day is a session of one period."""

    zone = "UTC"

    def periods(self, first_day: int, last_day: int) -> Periods:
        """One period a day."""
        label = np.arange(first_day, last_day + 1, dtype=np.int64)
        return Periods(label * DAY, (label + 1) * DAY, label)

    def __str__(self) -> str:
        return ALWAYS


class Computed:
    """Tables of a pattern, built for the decades in use."""

    def __init__(self, pattern: Always | Hours, overrides: Overrides | None = None) -> None:
        self.pattern: Pattern = pattern
        self.name = str(pattern)
        self.zone = pattern.zone
        self.overrides = overrides or Overrides()
        self._lock = threading.Lock()
        self._table: Table | None = None

    @property
    def version(self) -> str:
        """What decides the edges: the pattern and the overrides."""
        return f"{FORM}-{self.overrides.digest}"

    def table(self, start: int, end: int) -> Table:
        """A table that covers ``start`` to ``end`` as far as 1900 to 2199."""
        table = self._table
        if table is not None and _roomy(table, start, end):
            return table
        with self._lock:
            table = self._table
            if table is None or not _roomy(table, start, end):
                table = self._table = self._grown(table, start, end)
        return table

    def _grown(self, table: Table | None, start: int, end: int) -> Table:
        first, last = start // DAY - 2 * MARGIN, end // DAY + 2 * MARGIN
        for day, _ in self.overrides.sessions:
            first, last = min(first, day - MARGIN), max(last, day + MARGIN)
        if table is not None:
            first, last = min(first, table.first_day), max(last, table.last_day)
        first, last = max(FIRST_DAY, first), min(LAST_DAY, last)
        found = self.pattern.periods(first, last)
        made = framed(found.open, found.close, found.label, first, last, self.zone)
        return self.overrides.applied(made, self.zone, self.name)


def _roomy(table: Table, start: int, end: int) -> bool:
    low = table.first_day == FIRST_DAY or table.since <= start - MARGIN * DAY
    high = table.last_day == LAST_DAY or end + MARGIN * DAY <= table.until
    return low and high
