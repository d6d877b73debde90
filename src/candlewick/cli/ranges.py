"""Ranges: ``--start``, ``--end``, ``--as-of`` and ``--timezone`` as microseconds UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlewick.errors import HorizonError, InputError

if TYPE_CHECKING:
    from candlewick.columnar import Integers
    from candlewick.sessions.calendar import Calendar


def parse_range(
    calendar: str, start: str | None, end: str | None, timezone: str | None
) -> tuple[int | None, int | None]:
    """Both ends of a half-open range. A date is the open of that session, or of the next one where it has none.

    Raises NaiveTimeError for a time without an offset unless ``timezone`` says what it is in, UnknownNameError for an
    unknown timezone, HorizonError for a date beyond the calendar, InputError for what is no time or a reversed range.
    """
    from candlewick.moments import moment
    from candlewick.sessions.calendar import find_calendar
    from candlewick.sessions.hours import find_zone

    zone = None if timezone is None else find_zone(timezone, "timezone")
    if start is None and end is None:
        return None, None
    sessions = find_calendar(calendar)

    def edge(text: str | None, parameter: str) -> int | None:
        if text is None:
            return None
        try:
            return moment(text, parameter, labels=lambda days: next_open(sessions, days), zone=zone)
        except HorizonError as error:  # it speaks of a time that the caller did not give
            raise HorizonError(parameter, text, error.expected, error.problem) from error

    low, high = edge(start, "start"), edge(end, "end")
    if low is not None and high is not None and high < low:
        raise InputError("end", end, f"give a time at or after start ({start})", "is before start")
    return low, high


def parse_as_of(as_of: str | None, timezone: str | None) -> int | None:
    """The moment as of which something is asked. Raises NaiveTimeError, also for a date, which is no moment;
    UnknownNameError for an unknown timezone, InputError for what is no time."""
    if as_of is None:
        return None
    from candlewick.errors import NaiveTimeError
    from candlewick.moments import moment
    from candlewick.sessions.hours import find_zone

    zone = None if timezone is None else find_zone(timezone, "timezone")
    try:
        return moment(as_of, "as_of", zone=zone)
    except NaiveTimeError:
        raise NaiveTimeError("as_of", as_of) from None


def next_open(calendar: Calendar, days: Integers) -> Integers:
    """Open of the first session labelled each day or later: as the edge of a range, a holiday needs no refusal.

    ``days``: int64 days since 1970; the result is int64 microseconds UTC. Raises HorizonError.
    """
    import numpy as np

    from candlewick.sessions.table import DAY

    opens = []
    for day in days.tolist():
        # No exchange has been closed for longer than some days; beyond a month the calendar itself must answer.
        known = calendar.periods((day - 1) * DAY, min((day + 31) * DAY, calendar.known[1]))
        at = int(np.searchsorted(known.label, day))
        opens.append(int(known.open[at]) if at < len(known.label) else int(calendar.label_opens(np.array([day]))[0]))
    return np.array(opens, dtype=np.int64)
