"""Export place: where a month of a series lies in a folder of exported candles. Pure.

``SYMBOL/TIMEFRAME/2024-01.parquet``. What a file system could take for something else in a symbol is percent-encoded,
so ``urllib.parse.unquote`` leads back from a folder's name to its symbol.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

import numpy as np

from candlewick.errors import InputError
from candlewick.moments import EPOCH, FIRST
from candlewick.sessions.calendar import Calendar

LONGEST = 240
"""Characters of a folder's name: file systems end at 255 bytes, and what is encoded is ASCII."""

RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
"""Names that are devices on Windows, whatever follows the dot."""

FILE = re.compile(r"\d{4}-\d{2}\.parquet")
"""The names of a month's file."""

_MICROSECOND = dt.timedelta(microseconds=1)
_DAY = dt.timedelta(days=1) // _MICROSECOND


class Month(NamedTuple):
    """A month of a calendar: the candles of ``start <= time < end``, microseconds UTC."""

    name: str
    start: int
    end: int


def folder_of(symbol: str) -> str:
    """The name of a symbol's folder: never a path, a device or a hidden folder. Raises InputError for a long one."""
    name = quote(symbol, safe="", errors="surrogatepass")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if name.endswith("."):
        name = name[:-1] + "%2E"
    if RESERVED.fullmatch(name):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if len(name) > LONGEST:
        raise InputError("symbol", symbol, f"export it alone with --output: a folder's name has {LONGEST} characters")
    return name


def symbol_of(folder: str) -> str:
    """The symbol whose candles lie in a folder of that name."""
    return unquote(folder, errors="surrogatepass")


def months(calendar: Calendar, first: int, last: int) -> Iterator[Month]:
    """The months that hold the times from ``first`` to ``last``, both included."""
    at = EPOCH + first * _MICROSECOND
    number = at.year * 12 + at.month - 1
    while number >= 12 and beginning(calendar, number) > first:
        number -= 1
    while beginning(calendar, number + 1) <= first:
        number += 1
    while (start := beginning(calendar, number)) <= last:
        yield Month(f"{number // 12:04}-{number % 12 + 1:02}", start, beginning(calendar, number + 1))
        number += 1


def beginning(calendar: Calendar, number: int) -> int:
    """When a month begins (``year * 12 + month - 1``): at midnight where the exchange is, but never inside a session,
    each of which belongs to the month of its label."""
    year, month = divmod(number, 12)
    if year < 1:
        return FIRST
    if year > 9999:
        return int(np.iinfo(np.int64).max)
    day = dt.date(year, month + 1, 1)
    midnight = (dt.datetime(year, month + 1, 1, tzinfo=ZoneInfo(calendar.timezone)) - EPOCH) // _MICROSECOND
    since, until = calendar.known
    low, high = max(since, midnight - 2 * _DAY), min(until, midnight + 2 * _DAY)
    if low >= high:
        return midnight
    sessions = calendar.periods(low, high)
    later = sessions.label >= (day - EPOCH.date()).days
    opens, closes = sessions.open[later], sessions.close[~later]
    begins = min(midnight, int(opens[0])) if len(opens) else midnight
    return max(begins, int(closes[-1])) if len(closes) else begins
