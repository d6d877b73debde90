"""Scan: a store looked through series by series, and what was found told once.

1. What is asked for is laid out: which series, and until when those of each calendar should reach (`Due`).
2. Each series is read with some sessions before the range, which show what is usual, and judged (`_judged`).
3. What peers share is told once, and what they have meanwhile says how sure it is (`_beside_peers`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from candlewick.completeness.asked import Asked
from candlewick.completeness.due import Due
from candlewick.completeness.finding import Finding, Kind, Sure, ordered
from candlewick.completeness.grid import Grid
from candlewick.completeness.held import Held
from candlewick.completeness.missing import missing
from candlewick.completeness.refused import refused
from candlewick.completeness.shared import shared
from candlewick.completeness.stored import Stored
from candlewick.completeness.suspicious import suspicious
from candlewick.errors import UnknownSeriesError
from candlewick.sessions.calendar import find_calendar
from candlewick.store.repository import QuarantinedRow, Series, iso
from candlewick.timeframe import MINUTE, Timeframe

BEFORE = 20
"""Sessions before the range that show what is usual."""

PEERS = 10
"""Peers that are read to judge one finding."""

COMPARED = 31 * 24 * 60 * MINUTE
"""From the beginning of a finding, as much of a peer is read."""

SHOWN = 100
"""Findings that are told unless more are asked for: only for these are peers read."""

Step = Callable[[str], None]


@dataclass(frozen=True)
class Ended:
    """A series whose newest candle is so old that nothing more is expected."""

    symbol: str
    timeframe: Timeframe
    calendar: str
    last: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the time in ISO UTC with Z."""
        about = {"symbol": self.symbol, "timeframe": str(self.timeframe), "calendar": self.calendar}
        return about | {"last": iso(self.last)}


@dataclass(frozen=True)
class Scan:
    """``findings``: the newest first, of peers once, at most as many as asked for; ``found``: how many there are.

    ``single``: the same for each symbol alone, all of them: what candles from a file may fill. ``ended``: series that
    are not expected to go on; ``looked_at``: how many series were judged.
    """

    findings: list[Finding]
    single: list[Finding]
    found: int
    looked_at: int
    ended: list[Ended]


def scan(store: Stored, asked: Asked, *, limit: int = SHOWN, step: Step | None = None) -> Scan:
    """Look through the stored series of a timeframe, or those of some symbols; changes nothing.

    A named symbol that is not stored is a finding. Raises what reading the store raises.
    """
    every = store.series()
    stored = {one.symbol: one for one in every if one.timeframe == asked.timeframe}
    names = list(dict.fromkeys(asked.symbols)) or sorted(stored)
    held_back = _quarantined(store, names if asked.symbols else None)
    due = Due(stored.values(), asked)
    single: list[Finding] = []
    ended: list[Ended] = []
    looked_at = 0
    for name in names:
        if step is not None:
            step(name)
        series = stored.get(name)
        if series is None:
            single.append(_unknown(every, name, asked, due))
            continue
        looked_at += 1
        try:
            single += _judged(store, series, asked, due, held_back.pop(name, []), ended)
        except UnknownSeriesError:  # deleted meanwhile
            single.append(_unknown(every, name, asked, due))
    if not asked.symbols:
        single += _unnamed(held_back, asked, due)
    told = shared(single)
    findings = [_beside_peers(store, one, due, asked.timeframe) for one in told[:limit]]
    return Scan(findings, ordered(single), len(told), looked_at, ended)


def _judged(
    store: Stored,
    series: Series,
    asked: Asked,
    due: Due,
    rows: Sequence[QuarantinedRow],
    ended: list[Ended],
) -> list[Finding]:
    calendar = find_calendar(series.calendar)
    until = due.until(calendar)
    live = True
    if due.ended(calendar, series.last, until):
        ended.append(Ended(series.symbol, series.timeframe, series.calendar, series.last))
        live = due.lags(calendar, series.last, until)
        until = due.session_end(calendar, series.last)
    start = series.first if asked.start is None else asked.start
    end = until if asked.end is None else min(asked.end, until)
    grid = due.grid(calendar, min(start, series.first), max(start, end))
    low, stop = grid.slots(start, end)
    if asked.start is None:  # the first session is judged from its open on
        low = int(np.searchsorted(grid.close, start, side="right"))
        low = int(grid.first[grid.session[low]]) if low < len(grid) else low
        stop = max(low, stop)
    since = _since(grid, low, series)
    # What lies outside of sessions, and in candles that are not over yet, is looked at as well.
    reach = None if asked.end is None and live else max(end, series.last + 1 if asked.end is None else end)
    begin = min(start, int(grid.open[since]) if since < len(grid) else start)
    candles = store.read(series.symbol, series.timeframe, begin, reach)
    cut = grid.between_slots(since, len(grid)) if since < len(grid) else grid
    held = Held(
        candles,
        cut,
        low - since,
        stop - since,
        later=asked.end is not None and series.last >= end,
        live=live,
        begins=series.first,
        splits=store.splits_of(series.symbol),
    )
    times = candles.microseconds
    return [
        *missing(held),
        *suspicious(held),
        *refused(rows, series.symbol, series.timeframe, calendar, times, asked.start, asked.end),
    ]


def _since(grid: Grid, low: int, series: Series) -> int:
    """The first slot to be read: some sessions before the range, but none from before the series began."""
    if low >= len(grid):
        return low
    opens = int(grid.first[grid.session[low]])
    begins = int(np.searchsorted(grid.close, series.first, side="right"))
    begins = int(grid.first[grid.session[begins]]) if begins < len(grid) else len(grid)
    return min(opens, max(grid.before(low, BEFORE), begins))


def _beside_peers(store: Stored, one: Finding, due: Due, timeframe: Timeframe) -> Finding:
    """A finding with what peers of its calendar have in its range, and how sure it is then."""
    alone = (Kind.DUPLICATES, Kind.REFUSED, Kind.OFF_GRID, Kind.JUMP, Kind.ZERO_VOLUME)
    if one.kind in alone or one.evidence.get("stored") is False:
        return one
    about = set(one.about)
    inside = [
        peer
        for peer in due.peers[one.calendar]
        if peer.symbol not in about and peer.first <= one.start and peer.last >= one.start
    ]
    chosen = inside[:: max(1, -(-len(inside) // PEERS))]
    if not chosen:
        return one
    with_candles = moving = 0
    for peer in chosen:
        try:
            candles = store.read(peer.symbol, timeframe, one.start, min(one.end, one.start + COMPARED))
        except UnknownSeriesError:
            continue
        there = candles.calendar.inside(candles.microseconds)
        with_candles += bool(there.any())
        moving += len(np.unique(candles.close[there])) > 1
    evidence: dict[str, Any] = {"peers_looked_at": len(chosen)}
    sure = one.sure
    if one.kind in (Kind.STALE_PRICE, Kind.FLAT_BARS):
        evidence["peers_that_moved"] = moving
        sure = Sure.LIKELY if moving else Sure.POSSIBLE
    else:
        evidence["peers_with_candles"] = with_candles
        if one.sure is Sure.LIKELY:
            sure = Sure.CERTAIN if with_candles else Sure.POSSIBLE
    return replace(one, sure=sure, evidence=one.evidence | evidence)


def _unknown(every: Sequence[Series], name: str, asked: Asked, due: Due) -> Finding:
    others = [one for one in every if one.symbol == name]
    near = get_close_matches(name, {one.symbol for one in every}, n=3, cutoff=0.6)
    calendar = max(due.peers, key=lambda name: (len(due.peers[name]), name), default="")
    evidence: dict[str, Any] = {"stored": False}
    if others:
        evidence["stored_timeframes"] = ", ".join(str(one.timeframe) for one in others)
    elif near:
        evidence["nearest"] = ", ".join(near)
    end = asked.now if asked.end is None else asked.end
    start = end if asked.start is None else asked.start
    known = others[0].calendar if others else calendar
    return Finding(Kind.MISSING_SYMBOL, name, asked.timeframe, known, start, end, 1, "symbols", Sure.CERTAIN, evidence)


def _quarantined(store: Stored, names: Sequence[str] | None) -> dict[str, list[QuarantinedRow]]:
    rows: dict[str, list[QuarantinedRow]] = defaultdict(list)
    for name in [None] if names is None else names:
        for row in store.quarantined(name):
            rows[row.symbol].append(row)
    return rows


def _unnamed(rows: dict[str, list[QuarantinedRow]], asked: Asked, due: Due) -> list[Finding]:
    """Refused rows of symbols that are not stored: of a symbol that came whole, of none, or of an unreadable one."""
    calendar = max(due.peers, key=lambda name: (len(due.peers[name]), name), default="24/7")
    nothing = np.empty(0, dtype=np.int64)
    found: list[Finding] = []
    for name, members in rows.items():
        if members:
            found += refused(members, name, asked.timeframe, find_calendar(calendar), nothing, asked.start, asked.end)
    return found
