"""History: which days the writes to a series touched, kept small enough to be asked on every request.

Each write touched some UTC days; only its earliest one matters, since everything from there on may differ from before.
A write at day d hides every earlier write at d or later. What is left is a staircase: days and revisions both ascend,
and an append today replaces the stair of today.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct
from typing import Self

from candlewick.errors import InputError

DAY = 86_400_000_000
"""Microseconds in a UTC day."""

_NUMBER = Struct("=q")


@dataclass(frozen=True)
class History:
    """The stairs (day, revision) of one series, strictly ascending in both. ``day``: UTC days since 1970.

    ``days`` and ``revisions`` are packed int64, because a store holds one stair for each series and trading day.
    """

    days: bytes = b""
    revisions: bytes = b""

    @classmethod
    def of(cls, stairs: Iterable[tuple[int, int]]) -> Self:
        """A history from its stairs, which are checked. Raises InputError when they do not ascend in both."""
        kept = list(stairs)
        for before, after in pairwise(kept):
            if after[0] <= before[0] or after[1] <= before[1]:
                raise InputError("stairs", after, f"days and revisions ascend (the one below is {before})")
        return cls(b"".join(_packed(day) for day, _ in kept), b"".join(_packed(revision) for _, revision in kept))

    @property
    def stairs(self) -> tuple[tuple[int, int], ...]:
        """The stairs, from the earliest day."""
        return tuple(zip(_numbers(self.days), _numbers(self.revisions), strict=True))

    @property
    def last(self) -> tuple[int, int]:
        """The stair of the newest write; (0, 0) when nothing was written."""
        return _last(self.days), _last(self.revisions)

    @property
    def last_day(self) -> int:
        """The day of the newest stair; 0 when nothing was written."""
        return _last(self.days)

    def written(self, day: int, revision: int) -> Self:
        """The history after a write whose earliest touched day is ``day``.

        Raises InputError for a revision that is not above those before it.
        """
        newest, above = self.last
        if revision <= above:
            raise InputError("revision", revision, f"give one above {above}", "is not new")
        kept = len(self.days)
        if day <= newest and kept:
            usual = day == newest  # the stair of today is replaced
            kept = kept - _NUMBER.size if usual else bisect_left(_numbers(self.days), day) * _NUMBER.size
        return type(self)(self.days[:kept] + _packed(day), self.revisions[:kept] + _packed(revision))

    def revision_before(self, end: int | None, current: int) -> int:
        """Revision of the last write that touched a day at or before that of ``end - 1`` microseconds; 0 when none did.

        Without ``end`` it is ``current``, the revision of the series.
        """
        if end is None:
            return current
        below = bisect_right(_numbers(self.days), day_of(end - 1))
        return _numbers(self.revisions)[below - 1] if below else 0

    def first_changed(self, since: int) -> int | None:
        """Start (microseconds UTC) of the earliest day that a write after revision ``since`` touched, else None."""
        days = _numbers(self.days)
        first = bisect_right(_numbers(self.revisions), since)
        return days[first] * DAY if first < len(days) else None


def day_of(time: int) -> int:
    """The UTC day of a time in microseconds, counted from 1970; days before are negative."""
    return int(time) // DAY


def _numbers(packed: bytes) -> memoryview[int]:
    return memoryview(packed).cast("q")


def _last(packed: bytes) -> int:
    return int(_NUMBER.unpack_from(packed, len(packed) - _NUMBER.size)[0]) if packed else 0


def _packed(number: int) -> bytes:
    return _NUMBER.pack(number)
