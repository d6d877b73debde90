"""Timestamps: how the times of a file are written, decided once from its first readable one, and their reading.

1. `recognise` finds the form of a file: with an offset, local, epoch in one unit, or dates.
2. `one` reads a single text by that form, into a kind and microseconds.
3. `TimeReader.settle` turns kinds and microseconds into UTC, or into what is wrong with each row.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from candlewick.columnar import Integers
from candlewick.errors import HorizonError, NaiveTimeError
from candlewick.sessions.calendar import Calendar
from candlewick.sources.local_time import DAY, offsets
from candlewick.sources.rows import Codes, Reason
from candlewick.timeframe import Timeframe

UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": -1_000}
"""Microseconds in one of each unit; negative: so many of them in a microsecond."""

_LIMITS = (("s", 10**11), ("ms", 10**14), ("us", 10**17))
_EPOCH = re.compile(r"[+-]?\d{1,19}(\.\d*)?", re.ASCII)
_COMPACT = re.compile(r"(19|20|21)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", re.ASCII)
_DATE = re.compile(r"(\d{4})([-./])(\d\d)\2(\d\d)", re.ASCII)
_ISO = re.compile(
    r"(?P<date>\d{4}([-./])\d\d\2\d\d)[T ](?P<clock>\d\d(:\d\d(:\d\d([.,]\d{1,9})?)?)?)"
    r" ?(?P<zone>Z|[+-]\d\d(:?\d\d)?)?",
    re.ASCII,
)


class Form(StrEnum):
    """How times are written."""

    OFFSET = "with an offset"
    LOCAL = "local"
    EPOCH = "epoch"
    DATE = "date"
    UNKNOWN = "unknown"


class Kind(IntEnum):
    """What a time that was read is: UTC or local microseconds, a day (since 1970), or a Reason that it is none."""

    UTC = 0
    LOCAL = 1
    DAY = 2
    UNREADABLE = 3
    ANOTHER_UNIT = 4


@dataclass(frozen=True)
class TimeForm:
    """The form of a file's times; ``unit`` is set for epoch times, ``compact`` for dates as 20240102; ``separator``
    stands between year, month and day."""

    form: Form
    unit: str = ""
    compact: bool = False
    separator: str = "-"

    @property
    def fast(self) -> bool:
        """True when Arrow reads this form by itself."""
        dates = self.form is Form.DATE and (self.compact or self.separator != "-")
        return self.form is not Form.UNKNOWN and not dates


def recognise(texts: Iterable[str]) -> tuple[TimeForm, str]:
    """The form of the first readable time, and that time; ``Form.UNKNOWN`` and the first text when there is none."""
    first = ""
    for text in texts:
        first = first or text
        form = _form(text.strip())
        if form is not None:
            return form, text
    return TimeForm(Form.UNKNOWN), first


def unit_of(number: int | float) -> str:
    """The epoch unit by magnitude: seconds below 1e11 (the year 5138), milliseconds below 1e14, and so on."""
    return next((unit for unit, limit in _LIMITS if abs(number) < limit), "ns")


def units_differ(numbers: Integers, unit: str) -> npt.NDArray[np.bool_]:
    """Which epoch numbers are not of the magnitude of ``unit``."""
    ends = [0, *(limit for _, limit in _LIMITS), 2**63 - 1]
    at = list(UNITS).index(unit)
    size = np.abs(numbers)
    return (size < ends[at]) | (size >= ends[at + 1])


def to_micros(numbers: Integers, unit: str) -> Integers:
    """Epoch numbers of one unit in microseconds; parts of a microsecond are cut off."""
    factor = UNITS[unit]
    return numbers * factor if factor > 0 else numbers // -factor


def one(text: str, form: TimeForm) -> tuple[Kind, int]:
    """Read a single time. Epoch numbers are read by the unit of the file; everything else speaks for itself."""
    text = text.strip()
    if form.form is Form.EPOCH:
        number = _EPOCH.fullmatch(text)
        if number is not None:
            return _epoch(text, form.unit)
    elif _COMPACT.fullmatch(text):
        return _day(f"{text[:4]}-{text[4:6]}-{text[6:]}")
    if _DATE.fullmatch(text):
        return _day(f"{text[:4]}-{text[5:7]}-{text[8:]}")
    found = _ISO.fullmatch(text.upper())
    if found is None:
        return Kind.UNREADABLE, 0
    date, clock, zone = found["date"], found["clock"].replace(",", "."), found["zone"] or ""
    try:
        at = dt.datetime.fromisoformat(f"{date[:4]}-{date[5:7]}-{date[8:]}T{clock}{zone}")
        if at.tzinfo is None:
            return Kind.LOCAL, (at - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)  # noqa: DTZ001
        return Kind.UTC, (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return Kind.UNREADABLE, 0


@dataclass(frozen=True)
class TimeReader:
    """Turns what was read into UTC. ``zone`` says where local times are; labels are the calendar's sessions."""

    form: TimeForm
    calendar: Calendar
    timeframe: Timeframe
    zone: ZoneInfo | None

    def check(self, name: str, example: str) -> None:
        """Raise NaiveTimeError when the times of a file (``name``) say nothing about where they are."""
        if self.form.form is Form.LOCAL and self.zone is None:
            expected = "give a timezone, such as America/New_York (--timezone, in Python timezone=)"
            raise NaiveTimeError(name, example, expected)
        if self.form.form is Form.DATE and self.timeframe.intraday:
            expected = "a bare date is a session label: give a timeframe of 1d or coarser, or times of day"
            raise NaiveTimeError(name, example, expected)

    def texts(self, texts: Sequence[str]) -> tuple[Integers, Codes]:
        """Read texts one by one; each distinct one is read once."""
        known = {text: one(text, self.form) for text in set(texts)}
        both = np.array([known[text] for text in texts], dtype=np.int64).reshape(len(texts), 2)
        return self.settle(both[:, 0].astype(np.uint8), np.ascontiguousarray(both[:, 1]))

    def settle(self, kinds: Codes, values: Integers) -> tuple[Integers, Codes]:
        """Kinds and values to microseconds UTC, and a Reason for each row that has none."""
        time = values.copy()
        problem = np.zeros(len(values), dtype=np.uint8)
        problem[kinds == Kind.UNREADABLE] = Reason.UNREADABLE_TIME
        problem[kinds == Kind.ANOTHER_UNIT] = Reason.ANOTHER_UNIT
        local, days = kinds == Kind.LOCAL, kinds == Kind.DAY
        if local.any():
            time[local], problem[local] = self._local(values[local])
        if days.any():
            time[days], problem[days] = self._sessions(values[days])
        sound = problem == Reason.SOUND
        if sound.any():
            problem[sound] = self._beyond(time[sound])
        return time, problem

    def _local(self, values: Integers) -> tuple[Integers, Codes]:
        if self.zone is None:
            return values, np.full(len(values), Reason.NO_TIMEZONE, dtype=np.uint8)
        return offsets(self.zone).to_utc(values)

    def _sessions(self, days: Integers) -> tuple[Integers, Codes]:
        if self.timeframe.intraday:
            return days, np.full(len(days), Reason.NO_TIME_OF_DAY, dtype=np.uint8)
        problem = np.full(len(days), Reason.BEYOND_CALENDAR, dtype=np.uint8)
        time = days * DAY
        known = np.ones(len(days), dtype=np.bool_)
        try:
            table = self.calendar.table((int(days.min()) - 1) * DAY, (int(days.max()) + 2) * DAY)
        except HorizonError:
            since, until = self.calendar.known
            table = self.calendar.table(since, until)
            known = (days >= table.first_day) & (days <= table.last_day)
        at = np.minimum(np.searchsorted(table.label, days), len(table.label) - 1)
        labelled = table.label[at] == days
        time[labelled] = table.open[at[labelled]]
        problem[known] = np.where(labelled[known], Reason.SOUND, Reason.NO_SESSION)
        return time, problem

    def _beyond(self, time: Integers) -> Codes:
        problem = np.zeros(len(time), dtype=np.uint8)
        try:
            self.calendar.table(int(time.min()), int(time.max()) + 1)
        except HorizonError:
            since, until = self.calendar.known
            problem[(time < since) | (time >= until)] = Reason.BEYOND_CALENDAR
        return problem


def _form(text: str) -> TimeForm | None:
    if _COMPACT.fullmatch(text):
        return TimeForm(Form.DATE, compact=True)
    if _EPOCH.fullmatch(text):
        return TimeForm(Form.EPOCH, unit_of(float(text)))
    kind, _ = one(text, TimeForm(Form.UNKNOWN))
    known = {Kind.UTC: Form.OFFSET, Kind.LOCAL: Form.LOCAL, Kind.DAY: Form.DATE}
    return TimeForm(known[kind], separator=text[4]) if kind in known else None


def _epoch(text: str, unit: str) -> tuple[Kind, int]:
    whole, _, part = text.partition(".")
    number = int(whole)
    if unit_of(number) != unit or abs(number) >= 2**63:
        return Kind.ANOTHER_UNIT, 0
    factor = UNITS[unit]
    if factor < 0:
        return Kind.UTC, number // -factor
    fraction = int(part[:6].ljust(6, "0")) * factor // 1_000_000 if part else 0
    return Kind.UTC, number * factor + (-fraction if whole.startswith("-") else fraction)


def _day(iso: str) -> tuple[Kind, int]:
    try:
        return Kind.DAY, (dt.date.fromisoformat(iso) - dt.date(1970, 1, 1)).days
    except ValueError:
        return Kind.UNREADABLE, 0
