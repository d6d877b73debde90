"""Refused: rows in quarantine that belong to a range. Pure.

A refused row keeps no time of its own, only its text: the first field that reads as a time with an offset or an epoch,
or as local time in the calendar's timezone, places it. A row whose candle is stored by now has been mended and is not
told; of two rows that differ one is always stored, so these are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from candlewick.columnar import Integers
from candlewick.completeness.finding import Finding, Kind, Sure
from candlewick.errors import InputError
from candlewick.moments import moment
from candlewick.sessions.calendar import Calendar
from candlewick.sessions.hours import find_zone
from candlewick.sources.rows import Reason
from candlewick.store.repository import QuarantinedRow
from candlewick.timeframe import Timeframe

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:?\d{2}(?::?\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?")
_EPOCH = re.compile(r"(?<![\d.])\d{10}(?:\d{3}){0,3}(?![\d.])")


def refused(
    rows: Iterable[QuarantinedRow],
    symbol: str,
    timeframe: Timeframe,
    calendar: Calendar,
    stored: Integers,
    start: int | None,
    end: int | None,
) -> list[Finding]:
    """One finding for each file and sort of refusal; rows of no readable time belong to every range.

    ``stored``: the times of the stored candles, ascending.
    """
    groups: dict[tuple[str, Kind], list[tuple[QuarantinedRow, int | None]]] = defaultdict(list)
    for row in rows:
        at = time_of(row.row, calendar.timezone)
        conflicting = row.reason == Reason.CONFLICTING_DUPLICATE.phrase
        if at is not None and ((start is not None and at < start) or (end is not None and at >= end)):
            continue
        if at is not None and not conflicting and _stands(stored, at):
            continue
        groups[row.file, Kind.DUPLICATES if conflicting else Kind.REFUSED].append((row, at))
    found = []
    for (file, kind), members in groups.items():
        times = [at for _, at in members if at is not None] or [row.at for row, _ in members]
        reasons = sorted({row.reason for row, _ in members})
        lines = sorted(row.line for row, _ in members)
        evidence = {"file": file, "reasons": ", ".join(reasons), "first_line": lines[0]}
        unplaced = sum(at is None for _, at in members)
        if unplaced:
            evidence["without_a_readable_time"] = unplaced
        found.append(
            Finding(
                kind,
                symbol,
                timeframe,
                calendar.name,
                min(times),
                max(times) + max(1, timeframe.microseconds),
                len(members),
                "rows",
                Sure.CERTAIN,
                evidence,
            )
        )
    return found


def time_of(row: str, timezone: str) -> int | None:
    """When a row's candle opens, microseconds UTC; None where nothing in it reads as a time."""
    text = _ISO.search(row)
    if text is not None:
        try:
            return moment(text[0], "time", zone=find_zone(timezone, "timezone"))
        except InputError:
            return None
    number = _EPOCH.search(row)
    if number is None:
        return None
    digits = number[0]
    return int(f"{digits:0<16}"[:16])


def _stands(stored: Integers, at: int) -> bool:
    place = int(np.searchsorted(stored, at))
    return place < len(stored) and int(stored[place]) == at
