"""Calendar: a named set of trading sessions, asked for its periods in UTC."""

from __future__ import annotations

import hashlib
from functools import cached_property, lru_cache

import numpy as np

from candlewick.columnar import Integers
from candlewick.errors import HorizonError, InputError, UnknownNameError
from candlewick.sessions.computed import FIRST_DAY, LAST_DAY, Always, Computed
from candlewick.sessions.exchange import Exchange
from candlewick.sessions.hours import Hours, find_zone, parse_clock, parse_days
from candlewick.sessions.names import ALIASES, ALWAYS, LIKELY, NAMES
from candlewick.sessions.overrides import EXTENSION, Overrides, as_date, find_overrides
from candlewick.sessions.table import DAY, Periods, Table
from candlewick.timeframe import Span

__all__ = ["Calendar", "Periods", "find_calendar", "own_hours"]

_NOTHING = np.empty(0, dtype=np.int64)


class Calendar:
    """Sessions of an exchange, of own hours, or round the clock. Frozen; equal by name and overrides; pickled by name.

    Every time is int64 microseconds since 1970, UTC; every label is a session's date as days since 1970.
    """

    name: str
    """Canonical text: ``XNYS``, ``24/7``, ``09:15-15:30@Asia/Kolkata``."""

    timezone: str
    """IANA name of the clock on which the exchange keeps its hours."""

    def __init__(self, source: Exchange | Computed) -> None:
        put = object.__setattr__
        put(self, "_source", source)
        put(self, "name", source.name)
        put(self, "timezone", source.zone)

    @cached_property
    def version(self) -> str:
        """16 hex digits that name what decides the edges: name, library, overrides. Part of fingerprints."""
        return hashlib.blake2b(f"{self.name} {self._sessions.version}".encode(), digest_size=8).hexdigest()

    @property
    def known(self) -> tuple[int, int]:
        """``since, until``: the times that this calendar decides, half-open."""
        source = self._sessions
        if isinstance(source, Computed):
            return (FIRST_DAY + 1) * DAY, LAST_DAY * DAY
        table = source.table(0, 0)
        return table.since, source.table(table.until, table.until + 1).until

    def periods(self, start: int, end: int, span: Span = Span.SESSION) -> Periods:
        """Every period of the sessions (ISO weeks, months) that touch ``start <= t < end``, whole.

        A session reaches from its first open to its last close, breaks included; a week or month likewise. With
        ``Span.PERIOD``: the touching periods alone. Raises HorizonError beyond what is known.
        """
        if end <= start:
            return Periods(_NOTHING, _NOTHING, _NOTHING)
        table = self.table(start, end)
        groups = table.groups(span)
        first = int(np.searchsorted(groups.close, start, side="right"))
        last = int(np.searchsorted(groups.open, end, side="left"))
        if first < last:
            self.check_whole(table, span, first, last - 1)
        return Periods(table.open[first:last], table.close[first:last], table.label[first:last])

    def table(self, start: int, end: int) -> Table:
        """The widest table at hand; it covers ``start <= t < end``, or HorizonError is raised."""
        table = self._sessions.table(start, end)
        if not table.covers(start, end):
            raise self._beyond("time", start if start < table.since else end, table)
        return table

    def check_whole(self, table: Table, span: Span, first: int, last: int) -> None:
        """Raise HorizonError unless the weeks or months from period ``first`` to ``last`` are known to their ends."""
        if table.last_label_of(span, last) > table.last_day:
            raise self._beyond("time", int(table.close[last]), table)
        if table.first_label_of(span, first) < table.first_day:
            raise self._beyond("time", int(table.open[first]), table)

    def label_opens(self, days: Integers) -> Integers:
        """Open of the first period of each session labelled ``days``. A date without a session is an InputError."""
        if not len(days):
            return _NOTHING
        first, last = int(days.min()), int(days.max())
        table = self._sessions.table((first - 1) * DAY, (last + 2) * DAY)
        for day in (first, last):
            if not table.first_day <= day <= table.last_day:
                raise self._beyond("date", day * DAY, table)
        at = np.searchsorted(table.label, days)
        found = table.label[np.minimum(at, len(table.label) - 1)] == days
        if not found.all():
            row = int(np.argmin(found))
            near = table.label[max(0, int(at[row]) - 1) : int(at[row]) + 1]
            expected = f"the nearest are {' and '.join(str(as_date(int(day))) for day in near)}"
            raise InputError("date", str(as_date(int(days[row]))), expected, f"is not a session of {self.name}")
        return table.open[at]

    def inside(self, times: Integers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which times lie in a trading period. Any order; fast when ascending. HorizonError beyond what is known."""
        if not len(times):
            return np.empty(0, dtype=np.bool_)
        table = self.table(int(times.min()), int(times.max()) + 1)
        period = np.searchsorted(table.open, times, side="right") - 1
        return (period >= 0) & (times < table.close[np.maximum(period, 0)])

    def _beyond(self, parameter: str, at: int, table: Table) -> HorizonError:
        shown = str(np.datetime64(at, "us").astype("datetime64[s]")) + "Z"
        first, last = as_date(table.first_day), as_date(table.last_day)
        problem = f"is beyond the sessions of {self.name}, known from {first} to {last}"
        return HorizonError(parameter, shown, f"to add sessions {EXTENSION}", problem)

    @property
    def _sessions(self) -> Exchange | Computed:
        source: Exchange | Computed = self.__dict__["_source"]
        return source

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Calendar is frozen: {name} cannot be set")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Calendar):
            return NotImplemented
        return self is other or (self.name, self._sessions.overrides) == (other.name, other._sessions.overrides)

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return find_calendar, (self.name,)

    def __repr__(self) -> str:
        return f"Calendar({self.name!r})"

    __str__ = __repr__


def find_calendar(calendar: str | Calendar) -> Calendar:
    """The calendar of that name: an exchange (``XNYS``, ``NASDAQ``), ``24/7``, or ``09:15-15:30@Asia/Kolkata;Mon-Sat``.

    The same object for the same name and extension file. Raises UnknownNameError with the nearest and the likely ones.
    """
    if isinstance(calendar, Calendar):
        return calendar
    if not isinstance(calendar, str):
        raise _unknown(calendar)
    name = _canonical(calendar.strip())
    return _found(name, find_overrides(name))


def own_hours(hours: str, timezone: str, days: str = "Mon-Fri") -> Calendar:
    """A calendar of own hours: ``own_hours("09:15-15:30", "Asia/Kolkata")``. Raises InputError."""
    parsed = Hours(parse_clock(hours, "hours"), parse_days(days, "days"), find_zone(timezone, "timezone").key)
    return find_calendar(str(parsed))


@lru_cache(maxsize=256)
def _canonical(name: str) -> str:
    if name in NAMES:
        return ALIASES.get(name, name)
    if "@" in name:
        return str(Hours.parse(name))
    raise _unknown(name)


def _unknown(name: object) -> UnknownNameError:
    return UnknownNameError("calendar", name, NAMES, expected=f"give one of the likes of {', '.join(LIKELY)}")


@lru_cache(maxsize=256)
def _found(name: str, overrides: Overrides) -> Calendar:
    if name == ALWAYS:
        return Calendar(Computed(Always()))
    if "@" in name:
        return Calendar(Computed(Hours.parse(name), overrides))
    return Calendar(Exchange(name, overrides))
