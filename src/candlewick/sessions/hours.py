"""Hours: a weekly pattern of trading periods on the clock of one timezone, as text and as UTC edges."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from candlewick.errors import InputError, UnknownNameError
from candlewick.sessions.table import Periods

EXPECTED = "give hours as 09:15-15:30@Asia/Kolkata, 09:00-11:30,12:30-15:00@Asia/Tokyo, 10:00-14:00@Asia/Dubai;Sun-Thu"
WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAYS = (0, 1, 2, 3, 4)
FULL_DAY = 1440
_PERIOD = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a naive clock reading, given its zone below
_MICROSECOND = dt.timedelta(microseconds=1)

Clock = tuple[tuple[int, int], ...]
"""Open and close of each period in minutes from midnight of the label's date; negative on the day before."""


@dataclass(frozen=True)
class Hours:
    """Periods of a session (``clock``), the weekdays that have one (0 Monday), and the timezone of the clock."""

    clock: Clock
    days: tuple[int, ...]
    zone: str

    @classmethod
    def parse(cls, text: str, parameter: str = "calendar") -> Hours:
        """``"09:15-15:30@Asia/Kolkata;Mon-Sat" -> Hours``. Days are Monday to Friday unless given.

        Overnight hours (``18:00-17:00``) open on the day before the session's date. Raises InputError.
        """
        hours, _, rest = text.strip().partition("@")
        parts = re.split(r"[;\s]+", rest.strip(), maxsplit=1)
        if not hours or not parts[0]:
            raise InputError(parameter, text, EXPECTED)
        days = WEEKDAYS if len(parts) == 1 else parse_days(parts[1], parameter)
        return cls(parse_clock(hours, parameter), days, find_zone(parts[0], parameter).key)

    def __str__(self) -> str:
        days = "" if self.days == WEEKDAYS else f";{_days_text(self.days)}"
        return f"{_clock_text(self.clock)}@{self.zone}{days}"

    def periods(self, first_day: int, last_day: int) -> Periods:
        """The periods of every session labelled ``first_day`` to ``last_day`` (days since 1970, inclusive)."""
        labels = [day for day in range(first_day, last_day + 1) if (day + 3) % 7 in self.days]
        return local_periods([(day, self.clock) for day in labels], self.zone)


def local_periods(sessions: list[tuple[int, Clock]], zone: str) -> Periods:
    """Sessions on the clock of a zone as periods in UTC. One that a change of the clock leaves no time is left out."""
    clock = ZoneInfo(zone)
    rows = [
        (instant(day, opened, clock), instant(day, closed, clock), day)
        for day, periods in sessions
        for opened, closed in periods
    ]
    table = np.array([row for row in rows if row[0] < row[1]], dtype=np.int64).reshape(-1, 3)
    return Periods(*(np.ascontiguousarray(column) for column in table.T))


def instant(day: int, minute: int, zone: ZoneInfo) -> int:
    """The first moment (microseconds UTC) at which the clock shows that minute of that day, or later.

    A reading that a change of the clock skips is the moment of the change; of one shown twice it is the first.
    """
    naive = _EPOCH + dt.timedelta(days=day, minutes=minute)
    before = _offset(naive, zone, 0)
    after = _offset(naive, zone, 1)
    wall = (naive - _EPOCH) // _MICROSECOND
    if after <= before:
        return wall - before
    low, high = wall - after, wall - before  # the clock skips: the change lies between, at a whole second
    while high - low > 1_000_000:
        middle = (low + high) // 2_000_000 * 1_000_000
        moment = (_EPOCH + dt.timedelta(microseconds=middle)).replace(tzinfo=dt.UTC).astimezone(zone)
        shown = (moment.replace(tzinfo=None) - _EPOCH) // _MICROSECOND
        low, high = (low, middle) if shown >= wall else (middle, high)
    return high


def midnight(day: int, zone: str) -> int:
    """Where a date begins in a timezone, in microseconds UTC."""
    return instant(day, 0, ZoneInfo(zone))


@lru_cache(maxsize=256)
def parse_clock(text: str, parameter: str) -> Clock:
    """``"09:00-11:30 12:30-15:00"`` (spaces or commas) as minutes. A period that ends before it begins is overnight."""
    pieces = [piece for piece in re.split(r"[,\s]+", text.strip()) if piece]
    found = [_PERIOD.fullmatch(piece) for piece in pieces]
    if not pieces or None in found:
        raise InputError(parameter, text, EXPECTED)
    clock: list[tuple[int, int]] = []
    shift, following = 0, FULL_DAY
    for match in reversed([match for match in found if match]):
        opened, closed = (_minute(match[k], match[k + 1], text, parameter) for k in (1, 3))
        if closed + shift > following:
            shift -= FULL_DAY
        end = closed + shift
        if opened + shift >= end:
            shift -= FULL_DAY
        following = opened + shift
        clock.insert(0, (following, end))
    if clock[-1][1] - clock[0][0] > FULL_DAY or shift < -FULL_DAY:
        raise InputError(parameter, text, f"periods follow each other within 24 hours; {EXPECTED}", "overlaps itself")
    return tuple(clock)


def parse_days(text: str, parameter: str) -> tuple[int, ...]:
    """``"Mon-Sat"`` or ``"Sun-Thu"`` or ``"Mon,Wed"`` as weekdays, 0 Monday."""
    expected = f"give days as Mon-Sat or Mon,Wed,Fri, of {' '.join(WEEK)}"
    names = {name.casefold(): number for number, name in enumerate(WEEK)}
    days: set[int] = set()
    for piece in text.split(","):
        ends = [names.get(name.strip().casefold()) for name in piece.split("-")]
        if None in ends or len(ends) > 2:
            raise InputError(parameter, text, expected, "names no weekdays")
        first, last = ends[0] or 0, ends[-1] or 0
        days.update((first + k) % 7 for k in range((last - first) % 7 + 1))
    return tuple(sorted(days))


def find_zone(name: str, parameter: str) -> ZoneInfo:
    """The IANA timezone of that name. Raises UnknownNameError with the nearest."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        known = sorted(available_timezones())
        raise UnknownNameError(parameter, name, known, expected="give an IANA timezone as Asia/Kolkata") from error


def _offset(naive: dt.datetime, zone: ZoneInfo, fold: int) -> int:
    offset = naive.replace(tzinfo=zone, fold=fold).utcoffset()
    return 0 if offset is None else offset // _MICROSECOND


def _minute(hour: str, minute: str, text: str, parameter: str) -> int:
    value = int(hour) * 60 + int(minute)
    if int(minute) > 59 or value > FULL_DAY:
        raise InputError(parameter, text, EXPECTED, f"holds {hour}:{minute}, which no clock shows")
    return value


def _clock_text(clock: Clock) -> str:
    return ",".join(f"{_shown(opened)}-{_shown(closed)}" for opened, closed in clock)


def _shown(minute: int) -> str:
    within = minute if minute == FULL_DAY else minute % FULL_DAY
    return f"{within // 60:02}:{within % 60:02}"


def _days_text(days: tuple[int, ...]) -> str:
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(WEEK[run[0]] if len(run) == 1 else f"{WEEK[run[0]]}-{WEEK[run[-1]]}" for run in runs)
