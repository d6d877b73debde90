"""Edges: where the buckets of a timeframe begin and end in the sessions of a calendar. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from candlewick.columnar import Integers
from candlewick.sessions.calendar import Calendar
from candlewick.sessions.table import Groups, Table
from candlewick.timeframe import Span, Timeframe

WHOLE = 2**61
"""A step longer than any session, week or month: their buckets are not cut further."""


@dataclass(frozen=True, eq=False)
class Edges:
    """The buckets of ``timeframe`` over a table of periods, which they partition.

    Intraday buckets are laid from each period's open and cut at its close; 1d, 1w and 1mo reach from the first open to
    the last close of their sessions.
    """

    timeframe: Timeframe
    table: Table
    groups: Groups
    step: int

    @classmethod
    def between(cls, calendar: Calendar, timeframe: Timeframe, start: int, end: int) -> Edges:
        """Edges that serve times ``start <= t < end``. HorizonError beyond what the calendar knows."""
        table = calendar.table(start, end)
        edges = cls(timeframe, table, table.groups(timeframe.span), timeframe.microseconds or WHOLE)
        first, last = edges.touching(start, end)
        if first < last:
            calendar.check_whole(table, timeframe.span, first, last - 1)
        return edges

    def touching(self, start: int, end: int) -> tuple[int, int]:
        """The periods, as a half-open range, whose groups touch ``start <= t < end``."""
        first = int(np.searchsorted(self.groups.close, start, side="right"))
        return first, int(np.searchsorted(self.groups.open, end, side="left"))

    def place(self, time: int) -> int:
        """The first period that is not over at ``time``; the number of periods when all are."""
        return int(np.searchsorted(self.table.close, time, side="right"))

    def bucket(self, time: int) -> tuple[int, int] | None:
        """Start and end of the bucket that holds ``time``, or None outside trading periods."""
        place = self.place(time)
        if place == len(self.table) or time < self.table.open[place]:
            return None
        begin, finish = int(self.groups.open[place]), int(self.groups.close[place])
        start = begin + (time - begin) // self.step * self.step
        return start, min(start + self.step, finish)

    def close_of(self, time: int) -> int:
        """When a candle of this timeframe that opened at ``time`` is over; no candle reaches over an edge.

        Inside a period: after its length or at the period's close; for 1d and coarser where its sessions end. Outside:
        after its length (0 for 1d and coarser) or at the next open.
        """
        place = self.place(time)
        length = self.timeframe.microseconds
        if place == len(self.table):
            return time + length
        if time < self.table.open[place]:
            if self.groups.open[place] <= time:  # a break within the session, week or month
                return int(self.groups.close[place])
            return min(time + length, int(self.table.open[place]))
        return min(time + length, int(self.table.close[place])) if length else int(self.groups.close[place])

    def end_before(self, time: int) -> int | None:
        """Where the last bucket that begins before ``time`` ends; None when the table has none.

        No candle from there on is in a bar that opened before ``time``.
        """
        place = int(np.searchsorted(self.table.open, time)) - 1
        if place < 0:
            return None
        finish = int(self.groups.close[place])
        if self.timeframe.span is not Span.PERIOD or time > finish:
            return finish
        begin = int(self.groups.open[place])
        return min(begin + -(-(time - begin) // self.step) * self.step, finish)

    def most(self, start: int, end: int) -> int:
        """How many buckets there are, at most, that touch ``start <= t < end``."""
        first, last = self.touching(start, end)
        if self.timeframe.span is not Span.PERIOD:
            return int(np.count_nonzero(np.diff(self.groups.open[first:last]))) + (first < last)
        lengths = self.table.close[first:last] - self.table.open[first:last]
        return int(np.sum(-(-lengths // self.step)))

    def starts(self, start: int, end: int) -> tuple[Integers, Integers]:
        """Starts and ends of every bucket that touches ``start <= t < end``, ascending."""
        first, last = self.touching(start, end)
        begins, finishes = self.groups.open[first:last], self.groups.close[first:last]
        if self.timeframe.span is not Span.PERIOD:
            begins = np.unique(begins)
            return begins, np.unique(finishes)
        counts = -(-(finishes - begins) // self.step)
        within = np.arange(int(counts.sum()), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
        opened = np.repeat(begins, counts) + within * self.step
        closed = np.minimum(opened + self.step, np.repeat(finishes, counts))
        touching = (closed > start) & (opened < end)
        return opened[touching], closed[touching]


def inside(calendar: Calendar, times: Integers) -> npt.NDArray[np.bool_]:
    """Which times lie in a trading period; candles at others are stored but make no bars. HorizonError beyond."""
    return calendar.inside(times)
