"""Grid: where the candles of a timeframe should stand, as the calendar has it: one slot for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from candlewick.aggregation.edges import Edges
from candlewick.columnar import Integers
from candlewick.sessions.calendar import Calendar
from candlewick.timeframe import Timeframe


@dataclass(frozen=True, eq=False)
class Grid:
    """The slots of whole sessions (ISO weeks, months with 1w, 1mo), ascending and disjoint; microseconds UTC.

    ``open``, ``close``: of each slot. ``session``: for each slot the place of its session. ``first``: for each session
    its first slot, and behind the last one how many slots there are.
    """

    calendar: Calendar
    timeframe: Timeframe
    open: Integers
    close: Integers
    session: Integers
    first: Integers

    @classmethod
    def between(cls, calendar: Calendar, timeframe: Timeframe, start: int, end: int) -> Self:
        """The slots of every session that touches ``start <= t < end``, as far as the calendar knows any."""
        low, high = max(start, calendar.known[0]), min(end, calendar.known[1])
        if low >= high:
            return cls._of(calendar, timeframe, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))
        periods = calendar.periods(low, high)
        if not len(periods):
            return cls._of(calendar, timeframe, periods.open, periods.close, periods.label)
        edges = Edges.between(calendar, timeframe, int(periods.open[0]), int(periods.close[-1]))
        opened, closed = edges.starts(int(periods.open[0]), int(periods.close[-1]))
        table = edges.table
        label = table.label[np.searchsorted(table.open, opened, side="right") - 1]
        return cls._of(calendar, timeframe, opened, closed, label)

    @classmethod
    def _of(cls, calendar: Calendar, timeframe: Timeframe, opened: Integers, closed: Integers, label: Integers) -> Self:
        starts = np.flatnonzero(np.diff(label, prepend=label[:1] - 1))
        first = np.append(starts, len(label)).astype(np.int64)
        return cls(calendar, timeframe, opened, closed, np.repeat(np.arange(len(starts)), np.diff(first)), first)

    def __len__(self) -> int:
        return len(self.open)

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self.first) - 1

    def between_slots(self, low: int, high: int) -> Grid:
        """The sessions that have a slot in ``low <= slot < high``, whole."""
        if low >= high:
            return self._sessions(0, 0)
        return self._sessions(int(self.session[low]), int(self.session[high - 1]) + 1)

    def before(self, slot: int, sessions: int) -> int:
        """The first slot of the session that lies ``sessions`` before that of ``slot``, or of the first one."""
        if not len(self):
            return 0
        return int(self.first[max(0, int(self.session[min(slot, len(self) - 1)]) - sessions)])

    def slots(self, start: int, end: int) -> tuple[int, int]:
        """The slots, as a half-open range, that open at ``start`` or later and are over at ``end``."""
        low = int(np.searchsorted(self.open, start))
        return low, max(low, int(np.searchsorted(self.close, end, side="right")))

    def place(self, times: Integers) -> Integers:
        """For each time the slot that holds it, -1 where none does."""
        at = np.searchsorted(self.open, times, side="right") - 1
        if not len(self):
            return at
        held = (at >= 0) & (times < self.close[np.maximum(at, 0)])
        return np.where(held, at, -1)

    def _sessions(self, first: int, last: int) -> Grid:
        low, high = int(self.first[first]), int(self.first[last])
        return Grid(
            self.calendar,
            self.timeframe,
            self.open[low:high],
            self.close[low:high],
            self.session[low:high] - first,
            self.first[first : last + 1] - low,
        )
