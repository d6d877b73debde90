"""Overrides: sessions that replace, add to or extend those of a calendar, from our table and the user's extension file.

Both are CSV files with the columns ``calendar,date,periods``; others (``kind``, ``source``) are notes. ``periods`` is
in the calendar's own time, ``09:15-10:00 11:30-12:30``; an empty cell removes the session. ``date`` is one date, or
``2027-01-01/2027-12-31`` for every weekday in it, which single dates then refine.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from candlewick.columnar import Integers
from candlewick.errors import FileFormatError, InputError, MissingColumnError, UnknownNameError
from candlewick.sessions.hours import Clock, Hours, local_periods, midnight, parse_clock
from candlewick.sessions.names import ALIASES, ALWAYS, NAMES
from candlewick.sessions.table import Table

VARIABLE = "CANDLEWICK_SESSIONS"
EXTENSION = f"name a CSV file with the columns calendar,date,periods in {VARIABLE}"
_NEEDED = ("calendar", "date", "periods")
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Overrides:
    """Replaced sessions of one calendar: (date as days since 1970, periods), ascending; no periods removes one."""

    sessions: tuple[tuple[int, Clock], ...] = ()

    @cached_property
    def digest(self) -> str:
        """Names the content: part of the calendar's version."""
        return hashlib.blake2b(repr(self.sessions).encode(), digest_size=8).hexdigest()

    def applied(self, table: Table, zone: str, name: str) -> Table:
        """The table with these sessions in place of its own. The horizon moves on as far as every weekday is listed.

        Raises InputError for a session that lies outside what is then known, or overlaps its neighbour.
        """
        if not self.sessions:
            return table
        last_day = self._horizon(table.last_day)
        for day, _ in self.sessions:
            if not table.first_day <= day <= last_day:
                expected = f"list every weekday from {as_date(last_day + 1)} on, holidays with empty periods"
                raise InputError(VARIABLE, f"{name} {as_date(day)}", expected, "is beyond the sessions known")
        replaced = np.array([day for day, _ in self.sessions], dtype=np.int64)
        kept = ~np.isin(table.label, replaced)
        added = local_periods(list(self.sessions), zone)
        columns = [
            np.concatenate([old[kept], new])
            for old, new in ((table.open, added.open), (table.close, added.close), (table.label, added.label))
        ]
        order = np.argsort(columns[0], kind="stable")
        opened, closed, label = (column[order] for column in columns)
        crossed = np.flatnonzero((closed[:-1] > opened[1:]) | (label[:-1] > label[1:]))
        if len(crossed):
            at = as_date(int(label[crossed[0] + 1]))
            raise InputError(
                VARIABLE, f"{name} {at}", "periods of sessions follow each other", "overlaps its neighbour"
            )
        return framed(opened, closed, label, table.first_day, last_day, zone)

    def _horizon(self, last_day: int) -> int:
        listed = {day for day, _ in self.sessions}
        day = last_day
        while (following := day + 1) in listed or ((following + 3) % 7 > 4 and max(listed) > following):
            day = following
        return day


def framed(opened: Integers, closed: Integers, label: Integers, first_day: int, last_day: int, zone: str) -> Table:
    """A table of those periods that says between which moments it decides."""
    since, until = midnight(first_day, zone), midnight(last_day + 1, zone)
    if len(opened):
        since = min(since, int(opened[0]))
        recent = range(max(0, len(opened) - 20), len(opened))
        if any(int(opened[k]) < midnight(int(label[k]), zone) for k in recent):
            until = int(closed[-1])  # overnight: the next session may open the evening before its date
    for column in (opened, closed, label):
        column.flags.writeable = False
    return Table(opened, closed, label, first_day, last_day, since, until)


def find_overrides(name: str) -> Overrides:
    """The overrides of one calendar: our table, then the user's file, whose dates stand."""
    merged = dict(_shipped().get(name, {}))
    path = extension_file()
    if path is not None:
        merged.update(_extension(*_state(path)).get(name, {}))
    return Overrides(tuple(sorted(merged.items())))


def extension_file() -> Path | None:
    """The user's file: ``CANDLEWICK_SESSIONS``, else ``sessions.csv`` in the user's configuration folder, if there."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given)
    default = _default_file()
    return default if default.exists() else None


def extension_state() -> tuple[str, int, int] | None:
    """The user's file as it is now, None without one: another value, and calendars may have other sessions. Cheap."""
    path = os.environ.get(VARIABLE) or _default_text()
    if not os.access(path, os.F_OK):
        return None
    found = os.stat(path)  # noqa: PTH116 - every answer from a cache asks, and a Path costs more than the question
    return path, found.st_mtime_ns, found.st_size


@lru_cache(maxsize=1)
def _default_text() -> str:
    return str(_default_file())


@lru_cache(maxsize=1)
def _default_file() -> Path:
    import platformdirs

    return Path(platformdirs.user_config_dir("candlewick", appauthor=False)) / "sessions.csv"


def _state(path: Path) -> tuple[Path, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise FileFormatError(VARIABLE, str(path), EXTENSION, "cannot be read") from error
    return path, found.st_mtime_ns, found.st_size


@lru_cache(maxsize=8)
def _extension(path: Path, _changed: int, _size: int) -> dict[str, dict[int, Clock]]:
    try:
        return parse_overrides(path.read_text(encoding="utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(VARIABLE, str(path), EXTENSION, "cannot be read") from error


@lru_cache(maxsize=1)
def _shipped() -> dict[str, dict[int, Clock]]:
    text = files("candlewick.sessions").joinpath("overrides.csv").read_text(encoding="utf-8")
    return parse_overrides(text, "overrides.csv")


def parse_overrides(text: str, source: str) -> dict[str, dict[int, Clock]]:
    """Calendar name -> date -> periods. Raises InputError with file and line for what cannot be understood."""
    reader = csv.DictReader(text.splitlines())
    for column in _NEEDED:
        if column not in (reader.fieldnames or []):
            raise MissingColumnError(source, column, reader.fieldnames or [])
    spans: dict[str, dict[int, Clock]] = {}
    single: dict[str, dict[int, Clock]] = {}
    for row in reader:
        where = f"{source} line {reader.line_num}"
        name = _calendar((row["calendar"] or "").strip(), where)
        periods = (row["periods"] or "").strip()
        clock = parse_clock(periods, f"{where} periods") if periods else ()
        first, slash, last = (row["date"] or "").partition("/")
        if slash:
            days = range(_day(first, where), _day(last, where) + 1)
            spans.setdefault(name, {}).update({day: clock for day in days if (day + 3) % 7 <= 4})
            continue
        day = _day(first, where)
        if single.setdefault(name, {}).setdefault(day, clock) != clock:
            raise InputError(f"{where} date", first, "give each date once", "stands twice with different periods")
    return {name: {**spans.get(name, {}), **single.get(name, {})} for name in {*spans, *single}}


def as_date(day: int) -> dt.date:
    """Days since 1970 as a date."""
    return _EPOCH + dt.timedelta(days=day)


def _calendar(name: str, where: str) -> str:
    if "@" in name:
        return str(Hours.parse(name, f"{where} calendar"))
    if name not in NAMES:
        raise UnknownNameError(f"{where} calendar", name, NAMES)
    if name == ALWAYS:
        raise InputError(f"{where} calendar", name, "name an exchange or own hours", "never closes")
    return ALIASES.get(name, name)


def _day(text: str, where: str) -> int:
    try:
        return (dt.date.fromisoformat(text.strip()) - _EPOCH).days
    except ValueError as error:
        expected = "give a date as 2024-11-01, or first/last for every weekday between"
        raise InputError(f"{where} date", text, expected, "is not a date") from error
