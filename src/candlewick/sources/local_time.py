"""Local time: wall-clock times of a timezone to UTC, with the times that exist twice or not at all marked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np

from candlewick.columnar import Integers
from candlewick.errors import UnknownNameError
from candlewick.sources.rows import Codes, Reason

SECOND = 1_000_000
DAY = 86_400 * SECOND
FIRST, LAST = dt.datetime(1880, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
"""Clocks outside this span are not known; times there are refused as ones that do not exist."""


@dataclass(frozen=True)
class Offsets:
    """Spans of one UTC offset: ``start[i] <= utc < start[i + 1]`` has ``offset[i]`` (microseconds)."""

    start: Integers
    offset: Integers

    def to_utc(self, local: Integers) -> tuple[Integers, Codes]:
        """Microseconds of wall-clock time to microseconds UTC; ``AMBIGUOUS_TIME`` and ``NONEXISTENT_TIME`` marked."""
        guess = np.searchsorted(self.start, local - self.offset[0], side="right") - 1
        utc = np.zeros_like(local)
        hits = np.zeros(len(local), dtype=np.uint8)
        # An offset is under a day and changes are further apart than that, so the span is the guess or a neighbour.
        for step in (-1, 0, 1):
            at = guess + step
            inside = (at >= 0) & (at < len(self.start) - 1)
            at = np.clip(at, 0, len(self.start) - 2)
            candidate = local - self.offset[at]
            inside &= (candidate >= self.start[at]) & (candidate < self.start[at + 1])
            utc[inside] = candidate[inside]
            hits += inside
        problem = np.zeros(len(local), dtype=np.uint8)
        problem[hits == 0] = Reason.NONEXISTENT_TIME
        problem[hits > 1] = Reason.AMBIGUOUS_TIME
        return utc, problem


def find_zone(timezone: str) -> ZoneInfo:
    """The IANA timezone of a name; raises UnknownNameError with the nearest names."""
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
        known = sorted(available_timezones())
        raise UnknownNameError("timezone", timezone, known, expected="give an IANA name") from error


@lru_cache(maxsize=32)
def offsets(zone: ZoneInfo) -> Offsets:
    """Every change of a zone's UTC offset, to the second: looked for in steps of two days, then halved."""
    starts, found = [_micros(FIRST)], [_offset(zone, FIRST)]
    step = dt.timedelta(days=2)
    at = FIRST
    while at < LAST:
        following = at + step
        if _offset(zone, following) != found[-1]:
            low, high = at, following
            while high - low > dt.timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                if _offset(zone, middle) == found[-1]:
                    low = middle
                else:
                    high = middle
            starts.append(_micros(high))
            found.append(_offset(zone, high))
        at = following
    starts.append(_micros(LAST))
    return Offsets(np.array(starts, dtype=np.int64), np.array([*found, found[-1]], dtype=np.int64))


def _offset(zone: ZoneInfo, at: dt.datetime) -> int:
    shift = at.astimezone(zone).utcoffset()
    return 0 if shift is None else shift // dt.timedelta(microseconds=1)


def _micros(at: dt.datetime) -> int:
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
