"""Labels: what the times of a reference stand for: a bar's open, its close, or something shifted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from candlewick.aggregation.edges import Edges
from candlewick.bars import Bars
from candlewick.columnar import Integers
from candlewick.compare.ground import SESSION, Ground, Way, shifts
from candlewick.errors import HorizonError
from candlewick.sources.local_time import DAY, find_zone, offsets
from candlewick.timeframe import MINUTE

NOWHERE = -(2**62)
"""Stands for no bar at all."""


@dataclass(frozen=True)
class Labels:
    """``kind``: ``open``, ``close``, ``bars`` (``by`` bars later in the order of rows), ``offset`` (``by``
    microseconds later), ``clock`` (the local clock written as if it were UTC), ``date`` (midnight UTC of the date)."""

    kind: str = "open"
    by: int = 0

    def opened(self, times: Integers, ground: Ground, way: Way) -> Integers:
        """The opens of the bars that ``times`` stand for, in microseconds UTC."""
        if self.kind == "open":
            return times
        if self.kind == "offset":
            return times - self.by
        if self.kind == "bars":
            return self._by_rows(times, ground.bars(way))
        if self.kind == "clock":
            spans = offsets(find_zone(ground.calendar.timezone))
            return spans.to_utc(times)[0]
        if self.kind == "date":
            return _of_dates(times // DAY, ground)
        if way.buckets != SESSION:
            return times - ground.timeframe.microseconds
        return _of_closes(times, ground)

    def __str__(self) -> str:
        if self.kind in ("bars", "offset"):
            size = abs(self.by)
            seconds = size / 1_000_000
            span = f"{size // MINUTE} minutes" if size % MINUTE == 0 else f"{seconds:g} seconds"
            if size == MINUTE:
                span = "one minute"
            count = "one bar" if self.kind == "bars" else span
            return f"stamped {count} {'late' if self.by > 0 else 'early'}"
        return {
            "open": "stamped with the bar's open",
            "close": "stamped with the bar's close",
            "clock": "stamped with the exchange's local clock as if it were UTC",
            "date": "stamped with midnight UTC of the session's date",
        }[self.kind]

    def _by_rows(self, times: Integers, bars: Bars) -> Integers:
        """The time of the row before (``by`` 1) or behind (``by`` -1); at the edge, of our bar there."""
        if self.by > 0:
            at = int(np.searchsorted(bars.microseconds, times[0])) - 1
            edge = int(bars.microseconds[at]) if at >= 0 else NOWHERE
            return np.append(np.int64(edge), times[:-1])
        at = int(np.searchsorted(bars.microseconds, times[-1], side="right"))
        edge = int(bars.microseconds[at]) if at < len(bars) else NOWHERE
        return np.append(times[1:], np.int64(edge))


OPEN = Labels()


def candidates(ground: Ground) -> list[Labels]:
    """Every other reading of labels worth trying, the likeliest first."""
    found = [Labels("close"), Labels("bars", 1), Labels("bars", -1)]
    if ground.timeframe.intraday:
        length = ground.timeframe.microseconds
        found += [Labels("offset", by) for by in dict.fromkeys((MINUTE, -MINUTE, length, -length))]
        if (shifts(ground.calendar, ground.bars().microseconds[-1:]) != 0).any():
            found.append(Labels("clock"))
    else:
        found.append(Labels("date"))
    return found


def _of_closes(times: Integers, ground: Ground) -> Integers:
    """The start of the bucket that ends at each time."""
    before = times - 1
    try:
        edges = Edges.between(ground.calendar, ground.timeframe, int(before[0]), int(before[-1]) + 1)
    except HorizonError:
        return np.full(len(times), NOWHERE)
    place = np.minimum(np.searchsorted(edges.table.close, before, side="right"), len(edges.table) - 1)
    begin = edges.groups.open[place]
    start = begin + (before - begin) // edges.step * edges.step
    end = np.minimum(start + edges.step, edges.groups.close[place])
    at_end = end - times < min(MINUTE, (ground.timeframe.microseconds or MINUTE) // 2)  # some write a last millisecond
    return np.where((before >= edges.table.open[place]) & at_end, start, NOWHERE)


def _of_dates(days: Integers, ground: Ground) -> Integers:
    table = ground.calendar.table(int(days[0] - 1) * DAY, int(days[-1] + 2) * DAY)
    at = np.minimum(np.searchsorted(table.label, days), len(table.label) - 1)
    return np.where(table.label[at] == days, table.open[at], NOWHERE)
