"""Fill: candles from files into the gaps that were found, and nowhere else.

1. For each finding of something that is not there: the slots in it that hold no candle (`vacant`).
2. The files are read, checked as ingest checks them, and only rows for those slots are kept (`_chosen`).
3. The kept candles are written; what is stored already is not touched, and not even compared.
4. All of it again, until nothing more is filled (`fix`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from candlewick.candles import VALUES, Candles
from candlewick.columnar import Integers
from candlewick.completeness.finding import ABSENT, Finding
from candlewick.completeness.grid import Grid
from candlewick.completeness.scan import Scan
from candlewick.completeness.stored import Stored
from candlewick.sessions.calendar import find_calendar
from candlewick.sources.check import check
from candlewick.sources.duplicates import resolve
from candlewick.sources.files import sources
from candlewick.sources.rows import Reason
from candlewick.sources.source import Reading
from candlewick.sources.staging import ROW, Staged, staged
from candlewick.store.repository import iso
from candlewick.timeframe import Timeframe


@dataclass(frozen=True)
class Filled:
    """What one file filled: ``count`` candles of a symbol, the first and the last of them, microseconds UTC."""

    file: str
    symbol: str
    first: int
    last: int
    count: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times in ISO UTC with Z."""
        about = {"file": self.file, "symbol": self.symbol}
        return about | {"first": iso(self.first), "last": iso(self.last), "count": self.count}


@dataclass(frozen=True)
class Filling:
    """``vacant``: slots without a candle before; ``filled``: what came from where; ``unusable``: rows for them that a
    check refused; ``conflicts``: rows that lost against a later one of the same time."""

    vacant: int
    filled: list[Filled]
    unusable: int
    conflicts: int

    @property
    def count(self) -> int:
        """How many candles were filled in."""
        return sum(one.count for one in self.filled)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "vacant": self.vacant,
            "filled": self.count,
            "unusable": self.unusable,
            "conflicts": self.conflicts,
            "files": [one.as_dict() for one in self.filled],
        }


def fix(
    store: Stored,
    look: Callable[[], Scan],
    files: Any,
    *,
    symbol: str | None = None,
    timezone: str | None = None,
) -> tuple[Filling, Scan]:
    """Fill what ``look`` finds until the files hold nothing more for it; what was filled, and what is still found.

    Again, because what is usual rises with what is filled: a small gap beside a large one may stand out only then. A
    second run fills nothing.
    """
    rounds: list[Filling] = []
    while True:
        seen = look()
        rounds.append(fill(store, seen.single, files, symbol=symbol, timezone=timezone))
        if not rounds[-1].count:
            return _together(rounds), seen


def fill(
    store: Stored,
    findings: Iterable[Finding],
    files: Any,
    *,
    symbol: str | None = None,
    timezone: str | None = None,
) -> Filling:
    """Put into ``store`` those candles of the files that findings say are not there.

    ``findings``: of single symbols. ``symbol``, ``timezone``: as `ingest` takes them. Raises what `ingest` raises for a
    file that cannot be used, before anything is written.
    """
    groups: dict[tuple[str, Timeframe], dict[str, Integers]] = defaultdict(dict)
    for one in vacant(store, findings):
        groups[one.calendar, one.timeframe][one.symbol] = one.slots
    read = []
    for (calendar, timeframe), wanted in groups.items():
        reading = Reading.of(calendar, timeframe, symbol, timezone)
        read.append(_chosen(files, reading, wanted))
    if not groups:
        sources(files)  # a file that is not there is told even so
    filled: list[Filled] = []
    for found in read:
        for candles, origins in found.series:
            store.upsert(candles)
            filled += origins
    many = sum(len(slots) for wanted in groups.values() for slots in wanted.values())
    return Filling(many, filled, sum(found.unusable for found in read), sum(found.conflicts for found in read))


def _together(rounds: Sequence[Filling]) -> Filling:
    """Several rounds as one: empty were those places that were filled, and those of the last round."""
    merged: dict[tuple[str, str], Filled] = {}
    for one in (filled for found in rounds for filled in found.filled):
        before = merged.setdefault((one.file, one.symbol), one)
        if before is not one:
            first, last = min(before.first, one.first), max(before.last, one.last)
            merged[one.file, one.symbol] = Filled(one.file, one.symbol, first, last, before.count + one.count)
    count = sum(found.count for found in rounds)
    conflicts = sum(found.conflicts for found in rounds)
    return Filling(count + rounds[-1].vacant, list(merged.values()), max(found.unusable for found in rounds), conflicts)


@dataclass(frozen=True, eq=False)
class Vacant:
    """Open times of the slots of one series that hold no candle, ascending."""

    symbol: str
    calendar: str
    timeframe: Timeframe
    slots: Integers


def vacant(store: Stored, findings: Iterable[Finding]) -> list[Vacant]:
    """The slots that findings say are empty, and that are."""
    found: dict[tuple[str, str, Timeframe], list[Integers]] = defaultdict(list)
    for one in findings:
        if one.kind not in ABSENT or one.evidence.get("stored") is False:
            continue
        grid = Grid.between(find_calendar(one.calendar), one.timeframe, one.start, one.end)
        low, high = grid.slots(one.start, one.end)
        held = grid.place(store.read(one.symbol, one.timeframe, one.start, one.end).microseconds)
        empty = np.ones(len(grid), dtype=np.bool_)
        empty[held[held >= 0]] = False
        empty[:low] = empty[high:] = False
        found[one.symbol, one.calendar, one.timeframe].append(grid.open[empty])
    return [Vacant(*about, np.unique(np.concatenate(slots))) for about, slots in found.items()]


@dataclass(frozen=True)
class _Read:
    series: list[tuple[Candles, list[Filled]]]
    unusable: int
    conflicts: int


def _chosen(files: Any, reading: Reading, wanted: Mapping[str, Integers]) -> _Read:
    """The rows of the files that stand for wanted slots; of two for one slot the last one."""
    number = {name: at for at, name in enumerate(wanted)}
    parts: list[Staged] = []
    origin: list[str] = []
    unusable = 0
    given = sources(files)
    for source in given:
        source.prepare(reading)
    for at, source in enumerate(given):
        origin.append(source.name)
        for rows in source.rows():
            numbers = np.array([number.get(name, -1) for name in rows.names], dtype=np.int32)
            series = numbers[rows.symbol]
            problem = check(rows, reading.symbol)
            # Rows whose time or symbol cannot be read may be meant for anything: they fill nothing.
            fits = np.zeros(len(rows), dtype=np.bool_)
            for code in np.flatnonzero(numbers >= 0).tolist():
                fits |= (rows.symbol == code) & np.isin(rows.time, wanted[rows.names[code]])
            fits &= (rows.problem == Reason.SOUND) & (problem != Reason.ANOTHER_SYMBOL)
            sound = problem == Reason.SOUND
            unusable += int(np.count_nonzero(fits & ~sound))
            part = staged(rows, series, fits & sound)
            part["line"] = at  # which file it is of is told, not which line
            parts.append(part)
    resolved = resolve(np.concatenate(parts) if parts else np.empty(0, dtype=ROW))
    made = []
    for name, code in number.items():
        mine = resolved.rows[resolved.rows["series"] == code]
        if len(mine):
            made.append((_candles(name, reading, mine), _origins(name, mine, origin)))
    return _Read(made, unusable, len(resolved.conflicts))


def _candles(name: str, reading: Reading, rows: Staged) -> Candles:
    columns = {column: np.ascontiguousarray(rows[column]) for column in ("time", *VALUES)}
    time = columns.pop("time")
    return Candles.trusted(name, reading.timeframe, reading.calendar, time, columns)


def _origins(name: str, rows: Staged, origin: Sequence[str]) -> list[Filled]:
    found = []
    for at in np.unique(rows["line"]).tolist():
        times = rows["time"][rows["line"] == at]
        found.append(Filled(origin[at], name, int(times[0]), int(times[-1]), len(times)))
    return found
