"""Due: until when the series of a calendar are expected to reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from candlewick.completeness.asked import Asked
from candlewick.completeness.grid import Grid
from candlewick.sessions.calendar import Calendar
from candlewick.store.repository import Series
from candlewick.timeframe import MINUTE

GRACE = 5 * MINUTE
"""After its end a candle may take so long to come before it is missed."""

ENDED = 20
"""Sessions behind all that could still come, from which on a series is taken to have ended: it is not late."""


class Due:
    """Until when the series of each calendar are expected to reach."""

    def __init__(self, stored: Iterable[Series], asked: Asked) -> None:
        self._asked = asked
        self._grids: dict[str, Grid] = {}
        self.peers: dict[str, list[Series]] = defaultdict(list)
        for one in stored:
            self.peers[one.calendar].append(one)
        self._newest = {name: max(one.last for one in peers) for name, peers in self.peers.items()}

    def until(self, calendar: Calendar) -> int:
        """Until when the newest series of a calendar may be expected to reach: now, unless all have ended."""
        asked = self._asked
        now = asked.now - GRACE
        if asked.end is not None:
            return min(asked.end, now)
        newest = self._newest.get(calendar.name, now)
        if newest >= now or self._behind(calendar, newest, now) <= ENDED:
            return now
        return self.session_end(calendar, newest)

    def ended(self, calendar: Calendar, last: int, until: int) -> bool:
        """Whether a series that ends at ``last`` goes on no more: far behind its peers, or last of an old market."""
        if self._asked.end is not None:
            return False
        old = until < self._asked.now - GRACE and self.session_end(calendar, last) >= until
        return old or self._behind(calendar, last, until) > ENDED

    def lags(self, calendar: Calendar, last: int, until: int) -> bool:
        """Whether peers of a series that ends at ``last`` go on further, but not so far that it has ended."""
        newest = min(until, self._newest.get(calendar.name, last))
        return last + GRACE < newest and self._behind(calendar, last, newest) <= ENDED

    def session_end(self, calendar: Calendar, at: int) -> int:
        """The end of the session that holds a candle, or of the one before it; the candle's own end outside of all."""
        grid = self.grid(calendar, at, at + 1)
        place = int(np.searchsorted(grid.open, at, side="right")) - 1
        if place < 0:
            return at + max(1, self._asked.timeframe.microseconds)
        return int(grid.close[grid.first[int(grid.session[place]) + 1] - 1])

    def grid(self, calendar: Calendar, low: int, high: int) -> Grid:
        """A grid that covers a range and some sessions before it; made once for many series, and widened as needed."""
        held = self._grids.get(calendar.name)
        reach = 40 * 24 * 60 * MINUTE
        if held is None or not len(held) or int(held.open[0]) > low - reach // 2 or int(held.close[-1]) < high:
            series = self.peers[calendar.name]
            first = min([low, *(one.first for one in series)])
            last = max([high, *(one.last for one in series)])
            held = Grid.between(calendar, self._asked.timeframe, first - reach, last + 1)
            self._grids[calendar.name] = held
        return held

    def _behind(self, calendar: Calendar, since: int, until: int) -> int:
        """How many sessions begin after one time and up to another."""
        known = calendar.known
        periods = calendar.periods(max(since, known[0]), min(until, known[1]))
        opens = periods.open[np.unique(periods.label, return_index=True)[1]]
        return int(np.count_nonzero((opens > since) & (opens < until)))
