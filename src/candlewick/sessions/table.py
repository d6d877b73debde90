"""Table: the trading periods of a calendar over the days that it knows, grouped into sessions, weeks and months."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from candlewick.columnar import Integers
from candlewick.timeframe import Span

DAY = 86_400_000_000
"""Microseconds in a day."""


@dataclass(frozen=True, eq=False)
class Periods:
    """Continuous trading periods, ascending and disjoint. ``open``, ``close``: int64 microseconds UTC, half-open.

    ``label``: int64, the session's date as days since 1970; equal for the periods of one session.
    """

    open: Integers
    close: Integers
    label: Integers

    def __len__(self) -> int:
        return len(self.open)


@dataclass(frozen=True, eq=False)
class Groups:
    """For each period of a table the group (session, week, month) that it belongs to: where that opens and closes."""

    open: Integers
    close: Integers


@dataclass(frozen=True, eq=False)
class Table(Periods):
    """Every period whose label is in ``first_day`` to ``last_day``; ``since <= t < until`` are the times it decides."""

    first_day: int
    last_day: int
    since: int
    until: int

    def covers(self, start: int, end: int) -> bool:
        """True when every period touching ``start <= t < end`` is in the table."""
        return self.since <= start and end <= self.until

    @cached_property
    def week(self) -> Integers:
        """ISO week of each period, as a running number."""
        return (self.label + 3) // 7  # 1970 began on a Thursday

    @cached_property
    def month(self) -> Integers:
        """Calendar month of each period, as months since 1970."""
        return self.label.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)

    def groups(self, span: Span) -> Groups:
        """Open and close of each period's bucket: of itself, its session, week or month."""
        return {
            Span.PERIOD: self._periods,
            Span.SESSION: self._sessions,
            Span.WEEK: self._weeks,
            Span.MONTH: self._months,
        }[span]

    def last_label_of(self, span: Span, period: int) -> int:
        """The last date that belongs to the group of a period, be there a session on it or not."""
        label = int(self.label[period])
        if span is Span.WEEK:
            return label - (label + 3) % 7 + 6
        if span is Span.MONTH:
            return int((self.month[period] + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)) - 1
        return label

    def first_label_of(self, span: Span, period: int) -> int:
        """The first date that belongs to the group of a period."""
        label = int(self.label[period])
        if span is Span.WEEK:
            return label - (label + 3) % 7
        if span is Span.MONTH:
            return int(self.month[period].astype("datetime64[M]").astype("datetime64[D]").astype(np.int64))
        return label

    @cached_property
    def _periods(self) -> Groups:
        return Groups(self.open, self.close)

    @cached_property
    def _sessions(self) -> Groups:
        return self._grouped(self.label)

    @cached_property
    def _weeks(self) -> Groups:
        return self._grouped(self.week)

    @cached_property
    def _months(self) -> Groups:
        return self._grouped(self.month)

    def _grouped(self, key: Integers) -> Groups:
        first = np.flatnonzero(np.diff(key, prepend=key[:1] - 1))
        sizes = np.diff(first, append=len(key))
        return Groups(np.repeat(self.open[first], sizes), np.repeat(self.close[first + sizes - 1], sizes))
