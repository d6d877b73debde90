"""Missing: which candles of one series are not there, although the calendar and its own habits ask for them. Pure.

1. Nothing at all in the range: the symbol is missing (`_nothing`).
2. Nothing after some candle, and none is stored later: the series is late (`_late`).
3. Sessions without a candle; a series that trades on some days only is judged by how often it does (`_sessions`).
4. Sessions with half or fewer of the usual candles (`_short`).
5. Gaps inside sessions that are longer than chance and habit explain (`_gaps`), and sessions in which far more single
   candles than usual are not there (`_scattered`).

What an earlier step tells, no later one tells again. A single candle that is not there is never told by itself: it
looks like a minute without a trade.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from candlewick.completeness.finding import Finding, Kind, Sure
from candlewick.completeness.held import Held
from candlewick.completeness.usual import CHANCE, Runs, expected, ordinary
from candlewick.store.repository import iso

DENSE = 5
"""Candles in a usual session from which on none is ever empty by chance."""

SELDOM = 0.1
"""Share of sessions without a candle, up to which each of them is told."""

LONGER = 3
"""A gap is this many times longer than the longest one of a usual session."""

HALF = 0.5
FEW = 10
"""Candles in a usual session below which half of them says nothing."""

SCATTERED = 0.1
"""Share of a session's candles, not there one by one beyond what is usual, from which on it is told."""

SESSIONS_NEEDED = 3
"""Other sessions that must show what is usual before single candles are missed."""

Flags = npt.NDArray[np.bool_]


def missing(held: Held) -> list[Finding]:
    """What is not there of a series, each slot in one finding at most."""
    if held.low >= held.stop:
        return []
    if not held.present.any():
        return [_nothing(held)]
    told = np.zeros(held.stop, dtype=np.bool_)
    told[: held.low] = True
    found = []
    for step in (_late, _sessions, _short, _gaps, _scattered):
        found += step(held, told)
    return found


def _nothing(held: Held) -> Finding:
    sessions = int(held.session[held.stop - 1] - held.session[held.low]) + 1
    return _finding(held, Kind.MISSING_SYMBOL, held.low, held.stop, sessions, "sessions", Sure.POSSIBLE)


def _late(held: Held, told: Flags) -> list[Finding]:
    if held.later or not held.live:
        return []
    newest = int(np.flatnonzero(held.present)[-1])
    session = int(held.session[newest])
    ends = int(min(held.grid.first[session + 1], held.stop))
    begin = newest + 1 if _unusual(held, newest + 1, ends) else ends
    if begin == ends:
        behind = held.stop - ends
        over = int(np.count_nonzero(held.whole[session + 1 :]))
        if not behind or not (_empty(held, over) if over else _unusual(held, ends, held.stop)):
            return []
    begin = max(begin, held.low)
    if begin >= held.stop:
        return []
    told[begin:] = True
    sessions = int(held.session[held.stop - 1]) - session
    evidence = {"newest": iso(int(held.grid.open[newest])), "sessions_behind": sessions}
    return [_finding(held, Kind.LATE, begin, held.stop, held.stop - begin, "candles", Sure.LIKELY, evidence)]


def _sessions(held: Held, told: Flags) -> list[Finding]:
    first = held.grid.first
    empty = (held.counts == 0) & held.whole & ~np.append(told, True)[np.minimum(first[:-1], held.stop)]
    runs = Runs.of(empty, np.arange(len(empty)), len(empty), cut=False)
    usual = round(float(np.median(held.counts[held.ordinary])))
    found = []
    for start, stop in zip(runs.start.tolist(), runs.stop.tolist(), strict=True):
        low, high = int(first[start]), int(first[stop])
        if _empty(held, stop - start):
            told[low:high] = True
            before = held.begins >= int(held.grid.close[high - 1])
            evidence: dict[str, Any] = {"usual_candles": usual}
            if before:
                evidence["before_the_oldest_candle"] = True
            sure = Sure.POSSIBLE if before else Sure.LIKELY
            found.append(_finding(held, Kind.MISSING_SESSIONS, low, high, stop - start, "sessions", sure, evidence))
    return found


def _short(held: Held, told: Flags) -> list[Finding]:
    first, chosen = held.grid.first, held.ordinary & held.whole
    if np.count_nonzero(chosen) < 2:
        return []
    share = held.counts / np.maximum(1, held.sizes)
    found = []
    for session in np.flatnonzero(chosen & (share <= HALF)).tolist():
        low, high = int(first[session]), int(first[session + 1])
        if told[low:high].any():
            continue
        others = chosen.copy()
        others[session] = False
        middle, least, _ = ordinary(share[others], high - low)
        usual = middle * int(held.sizes[session])
        if usual < FEW or share[session] > min(HALF * middle, least):
            continue
        told[low:high] = True
        there = int(held.counts[session])
        evidence = {"there": there, "usual": round(usual), "slots": high - low}
        found.append(
            _finding(held, Kind.SHORT_SESSION, low, high, high - low - there, "candles", Sure.LIKELY, evidence)
        )
    return found


def _gaps(held: Held, told: Flags) -> list[Finding]:
    runs, _, likely = _absent(held)
    found = []
    for run in np.flatnonzero(likely < CHANCE).tolist():
        usual = runs.usual(run, held.ordinary)
        low, high = max(int(runs.start[run]), held.low), int(runs.stop[run])
        if runs.length[run] <= LONGER * usual or low >= high or told[low]:
            continue
        told[low:high] = True
        evidence = {"usual_longest": round(usual, 1), "usual_share": round(_share(held), 4)}
        found.append(_finding(held, Kind.MISSING_MINUTES, low, high, high - low, "candles", Sure.LIKELY, evidence))
    return found


def _scattered(held: Held, told: Flags) -> list[Finding]:
    chosen = held.ordinary & held.whole
    if np.count_nonzero(chosen) <= SESSIONS_NEEDED:
        return []
    left = np.bincount(held.session[~held.present & ~told], minlength=held.grid.sessions)
    share = left / np.maximum(1, held.sizes)
    found = []
    for session in np.flatnonzero(chosen & (share >= SCATTERED)).tolist():
        others = chosen.copy()
        others[session] = False
        low, high = int(held.grid.first[session]), int(held.grid.first[session + 1])
        middle, _, most = ordinary(share[others], high - low, SCATTERED)
        if share[session] > most and low >= held.low:
            evidence = {"scattered": True, "there": int(held.counts[session]), "usual_share": round(1 - middle, 4)}
            count = int(left[session])
            found.append(_finding(held, Kind.MISSING_MINUTES, low, high, count, "candles", Sure.LIKELY, evidence))
    return found


def _absent(held: Held) -> tuple[Runs, Flags, npt.NDArray[np.float64]]:
    """The runs of slots without a candle in sessions that have one, and how many such runs chance would make."""
    full = held.counts > 0
    absent = ~held.present & full[held.session]
    runs = Runs.of(absent, held.session, held.grid.sessions, cut=True)
    places, marked = int(held.sizes[full].sum()), int(np.count_nonzero(absent))
    here = held.sizes - held.counts
    likely = expected(runs.length, places, marked, held.sizes[runs.group], here[runs.group])
    return runs, absent, likely


def _unusual(held: Held, low: int, high: int) -> bool:
    """Whether a stretch of slots without a candle at the end of what is due is longer than chance and habit explain."""
    if low >= high:
        return False
    runs, absent, _ = _absent(held)
    session, length = int(held.session[low]), high - low
    inside = bool(held.counts[session])
    full = held.counts > 0
    places = int(held.sizes[full].sum()) + (0 if inside else length)
    marked = int(np.count_nonzero(absent)) + (0 if inside else length)
    # Where nothing of the session is there, it does not say how often a candle is not: the whole series does.
    local = (int(held.sizes[session]), int(held.sizes[session] - held.counts[session])) if inside else (places, marked)
    one = np.array([length])
    likely = expected(one, places, marked, np.array([local[0]]), np.array([local[1]]))
    longest = runs.longest.copy()
    if inside and longest[session] == length:
        longest[session] = runs.second[session]
    usual = float(np.median(longest[held.ordinary]))
    return bool(likely[0] < CHANCE and length > LONGER * usual)


def _empty(held: Held, sessions: int) -> bool:
    """Whether so many sessions in a row without a candle are unusual for the series."""
    if _dense(held) >= DENSE:
        return True
    places = int(np.count_nonzero(held.whole))
    empty = int(np.count_nonzero(held.whole & (held.counts == 0)))
    others = max(0, empty - sessions)
    if others <= SELDOM * max(1, places - sessions):
        return True
    run = np.array([sessions])
    return bool(expected(run, places, empty, np.array([places]), np.array([empty]))[0] < CHANCE)


def _dense(held: Held) -> int:
    """Candles of a session that is among the emptier tenth of those that have any."""
    return int(np.quantile(held.counts[held.ordinary], 0.1, method="lower"))


def _share(held: Held) -> float:
    return float(np.median(held.counts[held.ordinary] / held.sizes[held.ordinary]))


def _finding(
    held: Held,
    kind: Kind,
    low: int,
    high: int,
    count: int,
    unit: str,
    sure: Sure,
    evidence: dict[str, Any] | None = None,
) -> Finding:
    grid = held.grid
    start, end = int(grid.open[low]), int(grid.close[high - 1])
    name = grid.calendar.name
    return Finding(kind, held.symbol, grid.timeframe, name, start, end, count, unit, sure, evidence or {})
