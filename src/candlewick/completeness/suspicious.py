"""Suspicious: candles of one series that are there and hardly can be right. Pure.

* off grid: a candle that does not open where the calendar and the timeframe let one open.
* stale price: one close for far longer than is usual; flat bars: one price within each bar for far longer than usual.
* zero volume: a session without any volume, in a series that has volume in others.
* jump: a change between two sessions that looks like a split which nobody adjusted for: with the symbol's split factors
  applied, so one that a factor explains is none, and a factor for candles that were adjusted before is one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from candlewick.columnar import Integers
from candlewick.completeness.finding import Finding, Kind, Sure
from candlewick.completeness.held import Held
from candlewick.completeness.usual import Runs
from candlewick.sources.split_warning import SHORTEST, splits
from candlewick.store.repository import iso
from candlewick.store.splits import adjusted
from candlewick.timeframe import MINUTE

UNMOVED = 20
UNMOVED_HOURS = 10
"""Candles in a row that never are unusual: of less than an hour, and of an hour and more."""

TIMES = 5
"""A run is this many times longer than the longest one of a usual session."""

MOSTLY = 0.9
SESSIONS = 3
"""Share of so few sessions' candles from which on a run is taken for what is usual; half of more sessions'."""

CHUNK = 60
"""Candles that stand for a session where a session has fewer."""

SILENT = 0.2
"""Share of the other sessions without volume, up to which one more is told."""

Flags = npt.NDArray[np.bool_]


def suspicious(held: Held) -> list[Finding]:
    """What is there of a series and hardly right."""
    if not len(held.candles):
        return []
    inside = np.flatnonzero(held.place >= 0)
    found = _off_grid(held)
    if len(inside):
        found += [*_unmoved(held, inside), *_zero_volume(held, inside), *_jumps(held, inside)]
    return found


def _off_grid(held: Held) -> list[Finding]:
    time, place = held.candles.microseconds, held.place
    in_session = place >= 0
    off = np.zeros(len(time), dtype=np.bool_)
    off[in_session] = held.grid.open[place[in_session]] != time[in_session]
    if held.grid.timeframe.intraday:
        off |= ~in_session & (time % MINUTE != 0)
    beside = off & in_session & np.isin(place, place[in_session & ~off])
    # Sessions, and what lies between two of them, are told apart.
    session = np.searchsorted(held.grid.open[held.grid.first[:-1]], time, side="right") * 2 + ~in_session
    found = []
    for group in np.unique(session[off]).tolist():
        rows = np.flatnonzero(off & (session == group))
        evidence: dict[str, Any] = {"example": iso(int(time[rows[0]])), "of": int(np.count_nonzero(session == group))}
        if beside[rows].any():
            evidence["beside_one_on_the_grid"] = int(np.count_nonzero(beside[rows]))
        found.append(_finding(held, Kind.OFF_GRID, rows, Sure.CERTAIN, evidence))
    return _from(held, found)


def _unmoved(held: Held, inside: Integers) -> list[Finding]:
    candles = held.candles
    close = candles.close[inside]
    same = np.append(False, close[1:] == close[:-1])
    flat = (candles.high[inside] == candles.low[inside]) & (candles.open[inside] == close)
    group, groups = _groups(held, inside)
    least = UNMOVED if 0 < held.grid.timeframe.minutes < 60 else UNMOVED_HOURS
    stale = []
    for low, high, usual in _long(same, group, groups, least):
        rows = inside[low - 1 : high]  # with the candle whose close the others repeat
        evidence: dict[str, Any] = {
            "close": float(candles.close[rows[0]]),
            "flat": int(np.count_nonzero(flat[low:high])),
            "volume": float(candles.volume[rows].sum()),
            "usual_longest": usual,
        }
        sure = Sure.LIKELY if flat[low:high].all() else Sure.POSSIBLE
        stale.append(_finding(held, Kind.STALE_PRICE, rows, sure, evidence))
    found = list(stale)
    for low, high, usual in _long(flat, group, groups, least):
        rows = inside[low:high]
        start, end = int(candles.microseconds[rows[0]]), int(candles.microseconds[rows[-1]])
        if any(one.start <= end and start < one.end for one in stale):
            continue
        evidence = {"closes": len(np.unique(close[low:high])), "usual_longest": usual}
        found.append(_finding(held, Kind.FLAT_BARS, rows, Sure.LIKELY, evidence))
    return _from(held, found)


def _long(flags: Flags, group: Integers, groups: int, least: int) -> list[tuple[int, int, float]]:
    """Runs that are unusually long, each with the longest one of a usual session."""
    runs = Runs.of(flags, group, groups, cut=False)
    counted = np.bincount(group, minlength=groups) > 0
    # What stands for most of the series is its habit: an index that is told once a minute, a fund with one price a day.
    most = len(flags) * (MOSTLY if np.count_nonzero(counted) < SESSIONS else 0.5)
    found = []
    for run in np.flatnonzero((runs.length >= least) & (runs.length <= most)).tolist():
        usual = runs.usual(run, counted)
        if runs.length[run] > TIMES * usual:
            found.append((int(runs.start[run]), int(runs.stop[run]), round(usual, 1)))
    return found


def _groups(held: Held, inside: Integers) -> tuple[Integers, int]:
    """For each candle its session; pieces of `CHUNK` candles where sessions are shorter than that."""
    if held.grid.timeframe.intraday and len(held.grid) >= CHUNK * held.grid.sessions:
        return held.grid.session[held.place[inside]], held.grid.sessions
    group = np.arange(len(inside)) // CHUNK
    return group, int(group[-1]) + 1


def _zero_volume(held: Held, inside: Integers) -> list[Finding]:
    candles, session = held.candles, held.grid.session[held.place[inside]]
    volume = np.bincount(session, weights=candles.volume[inside], minlength=held.grid.sessions)
    there = np.bincount(session, minlength=held.grid.sessions) > 0
    silent = there & (volume == 0)
    with_volume = int(np.count_nonzero(there & ~silent))
    order = np.flatnonzero(there)
    runs = Runs.of(silent[order], np.arange(len(order)), len(order), cut=False)
    found = []
    for start, stop in zip(runs.start.tolist(), runs.stop.tolist(), strict=True):
        others = int(np.count_nonzero(silent)) - (stop - start)
        if not with_volume or others > SILENT * (with_volume + others):
            continue
        rows = inside[(session >= order[start]) & (session <= order[stop - 1])]
        moved = int(np.count_nonzero(candles.high[rows] > candles.low[rows]))
        usual = float(np.median(volume[there & ~silent]))
        evidence = {"sessions": stop - start, "candles_that_moved": moved, "usual_volume": usual}
        sure = Sure.CERTAIN if moved else Sure.LIKELY
        found.append(_finding(held, Kind.ZERO_VOLUME, rows, sure, evidence))
    return _from(held, found)


def _jumps(held: Held, inside: Integers) -> list[Finding]:
    candles = adjusted(held.candles, held.splits)
    time, session = candles.microseconds[inside], held.grid.session[held.place[inside]]
    # What looks for splits takes a break for a night; sessions round the clock have none, so each gets one of an hour.
    gap = np.diff(time)
    night = np.where((np.diff(session) > 0) & (gap < SHORTEST), SHORTEST, 0)
    apart = np.append(0, np.cumsum(night))
    within = np.append(False, (np.diff(session) == 0) & (gap >= SHORTEST))
    found = []
    for row, ratio in splits(time + apart, candles.open[inside], candles.close[inside]):
        if within[row]:
            continue
        rows = inside[row - 1 : row + 1]
        before, after = (float(candles.close[at]) for at in rows)
        evidence: dict[str, Any] = {"ratio": ratio, "before": before, "after": after}
        since, until = (int(candles.microseconds[at]) for at in rows)
        factors = [one.text for one in held.splits if since < one.time <= until]
        if factors:
            evidence["with_factor"] = ", ".join(factors)
        found.append(_finding(held, Kind.JUMP, rows, Sure.LIKELY, evidence, count=1, unit="jumps"))
    return _from(held, found)


def _finding(
    held: Held,
    kind: Kind,
    rows: Integers,
    sure: Sure,
    evidence: dict[str, Any],
    count: int | None = None,
    unit: str = "candles",
) -> Finding:
    """A finding over some candles: from the open of the first to the end of the last."""
    time, place = held.candles.microseconds, held.place
    last = int(time[rows[-1]])
    slot = int(place[rows[-1]])
    length = held.grid.timeframe.microseconds
    end = max(int(held.grid.close[slot]), last + 1) if slot >= 0 else last + max(length, 1)
    many = len(rows) if count is None else count
    name, length_of = held.grid.calendar.name, held.grid.timeframe
    return Finding(kind, held.symbol, length_of, name, int(time[rows[0]]), end, many, unit, sure, evidence)


def _from(held: Held, found: list[Finding]) -> list[Finding]:
    """Those that reach into what is judged: the sessions before it only show what is usual."""
    if held.low >= len(held.grid):
        return []
    since = int(held.grid.open[held.low])
    return [one for one in found if one.end > since]
