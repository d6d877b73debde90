"""Readiness: whether a symbol may be relied on when its exchange opens, in one line, with the reasons where not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from candlewick.completeness.asked import Asked
from candlewick.completeness.due import GRACE
from candlewick.completeness.finding import ABSENT, Finding
from candlewick.completeness.grid import Grid
from candlewick.completeness.scan import Step, scan
from candlewick.completeness.stored import Stored
from candlewick.errors import UnknownSeriesError
from candlewick.indicators import parse_indicators
from candlewick.sessions.calendar import Calendar, find_calendar
from candlewick.sessions.overrides import as_date
from candlewick.sessions.table import DAY
from candlewick.store.repository import Series, iso
from candlewick.timeframe import Timeframe

RECENT = 5
"""Sessions over which a symbol must be without a finding."""

AHEAD = 2 * DAY
"""A calendar must know so much of what is to come: today and tomorrow."""

REACH = 60
"""Days in which so many sessions surely lie, holidays and all."""


@dataclass(frozen=True)
class Readiness:
    """One symbol before the open. ``session``: date of the last one that is over, ``there`` of ``slots`` candles of it.

    ``bars``: stored bars, at least up to what ``needed`` asks for; ``reasons``: why it is not ready, none when it is.
    """

    symbol: str
    timeframe: Timeframe
    calendar: str
    session: str | None
    there: int
    slots: int
    newest: int | None
    bars: int
    needed: int
    opens: int | None
    reasons: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons

    def line(self) -> str:
        """The whole of it in one line."""
        if self.reasons:
            return f"{self.symbol} {self.timeframe}: not ready because {'; '.join(self.reasons)}"
        opens = "" if self.opens is None else f", opens {iso(self.opens)}"
        return (
            f"{self.symbol} {self.timeframe}: ready: session {self.session} complete ({self.there:,} of {self.slots:,}"
            f" candles), newest {iso(self.newest or 0)}, {self.bars:,} bars of {self.needed:,} needed{opens}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times in ISO UTC with Z."""
        return {
            "symbol": self.symbol,
            "timeframe": str(self.timeframe),
            "calendar": self.calendar,
            "ready": self.ready,
            "reasons": list(self.reasons),
            "last_session": self.session,
            "candles_there": self.there,
            "candles_due": self.slots,
            "newest": None if self.newest is None else iso(self.newest),
            "bars": self.bars,
            "bars_needed": self.needed,
            "opens": None if self.opens is None else iso(self.opens),
        }


def readiness(
    store: Stored,
    timeframe: Timeframe,
    now: int,
    symbols: Sequence[str] = (),
    *,
    indicators: str = "desk",
    step: Step | None = None,
) -> list[Readiness]:
    """One for each stored series of the timeframe, or for each symbol asked for, by symbol. ``now``: microseconds UTC.

    Ready means: candles up to now, no finding in the last `RECENT` sessions, enough bars for the indicators, and a
    calendar that knows today and tomorrow.
    """
    needed = max(one.warm_up for one in parse_indicators(indicators))
    stored = {one.symbol: one for one in store.series() if one.timeframe == timeframe}
    found = []
    for name in sorted(set(symbols) or stored):
        if step is not None:
            step(name)
        series = stored.get(name)
        if series is None:
            why = (f"no {timeframe} candle of it is stored",)
            found.append(Readiness(name, timeframe, "", None, 0, 0, None, 0, needed, None, why))
        else:
            found.append(_of(store, series, now, needed))
    return found


def _of(store: Stored, series: Series, now: int, needed: int) -> Readiness:
    calendar = find_calendar(series.calendar)
    over = now - GRACE
    grid = Grid.between(calendar, series.timeframe, over - REACH * DAY, min(now + REACH * DAY, calendar.known[1]))
    ends = grid.close[grid.first[1:] - 1]
    last = int(np.searchsorted(ends, over, side="right")) - 1
    reasons: list[str] = []
    if calendar.known[1] < now + AHEAD:
        reasons.append(f"{calendar.name} knows sessions until {iso(calendar.known[1])[:10]} only")
    if last < 0:
        reasons.append(f"{calendar.name} has no session in the {REACH} days before")
        return Readiness(
            series.symbol, series.timeframe, series.calendar, None, 0, 0, series.last, 0, needed, None, tuple(reasons)
        )
    low, high = int(grid.first[last]), int(grid.first[last + 1])
    since = int(grid.open[grid.first[max(0, last - RECENT + 1)]])
    there = _there(store, series, grid, low, high)
    reasons += _faults(store, series, since, now)
    bars = _bars(store, series, grid, high, needed)
    if bars < needed:
        reasons.append(f"{bars:,} bars are stored of {needed:,} that the indicators need")
    following = np.flatnonzero(grid.open[grid.first[:-1]] > now)
    opens = int(grid.open[grid.first[following[0]]]) if len(following) else None
    label = _label(calendar, int(grid.open[low]))
    return Readiness(
        series.symbol,
        series.timeframe,
        series.calendar,
        label,
        there,
        high - low,
        series.last,
        bars,
        needed,
        opens,
        tuple(reasons),
    )


def _faults(store: Stored, series: Series, since: int, now: int) -> list[str]:
    """What a scan of the last sessions says against a series."""
    if series.last < since:
        return [f"its newest candle is of {iso(series.last)}, more than {RECENT} sessions ago"]
    asked = Asked((series.symbol,), series.timeframe, max(since, series.first), None, now)
    return [_told(one) for one in scan(store, asked, limit=0).single]


def _told(one: Finding) -> str:
    if one.evidence.get("stored") is False:
        return "it is gone"
    what = f"{one.kind}: {one.amount()}"
    if one.kind in ABSENT:
        return f"{what} from {iso(one.start)} to {iso(one.end)}"
    return f"{what} at {iso(one.start)}"


def _there(store: Stored, series: Series, grid: Grid, low: int, high: int) -> int:
    return _slots(store, series, grid, int(grid.open[low]), int(grid.close[high - 1]))


def _bars(store: Stored, series: Series, grid: Grid, high: int, needed: int) -> int:
    """How many bars there are: as many as the last sessions hold, where these are enough, else of the whole series."""
    low = max(0, high - 4 * needed)
    near = _slots(store, series, grid, int(grid.open[low]), series.last + 1)
    if near >= needed or series.first >= int(grid.open[low]):
        return near
    calendar = find_calendar(series.calendar)
    whole = Grid.between(calendar, series.timeframe, series.first, series.last + 1)
    return _slots(store, series, whole, series.first, series.last + 1)


def _slots(store: Stored, series: Series, grid: Grid, start: int, end: int) -> int:
    if end <= start:
        return 0
    try:
        place = grid.place(store.read(series.symbol, series.timeframe, start, end).microseconds)
    except UnknownSeriesError:  # deleted meanwhile
        return 0
    return len(np.unique(place[place >= 0]))


def _label(calendar: Calendar, at: int) -> str:
    return str(as_date(int(calendar.periods(at, at + 1).label[0])))
