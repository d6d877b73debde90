"""Newest: the last candles of a series, as the writes brought them, so that what just came need not be read. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from candlewick.candles import VALUES, Candles
from candlewick.store.repository import Series

KEPT = 128
"""Candles of a series that are kept, at least; twice as many at most."""


@dataclass(frozen=True)
class Newest:
    """Every candle of a series from ``since`` on (microseconds UTC), as of the record ``series``."""

    series: Series
    since: int
    candles: Candles

    def between(self, low: int, high: int | None) -> Candles:
        """Those of ``low <= time < high``; ``low`` is not before `since`."""
        time = self.candles.microseconds
        last = len(time) if high is None else int(np.searchsorted(time, high))
        return self.candles.rows(int(np.searchsorted(time, low)), last)


def newest_after(held: Newest | None, before: Series | None, now: Series, batch: Candles) -> Newest | None:
    """What is known after a write of ``batch``; None when nothing is.

    ``before`` and ``now``: the records read before and after it, None where there was no series. Somebody else may have
    written in between, which their revisions show: then what was written is not known.
    """
    if not len(batch):
        return held
    first = int(batch.microseconds[0])
    if held is not None and held.series.revision == now.revision:
        return held  # the write changed nothing
    if held is not None and held.series.revision + 1 == now.revision and first >= held.since:
        return _kept(now, held.since, _merged(held.candles, batch))
    if before is None:
        return _kept(now, first, batch) if now.revision == 1 else None
    if before.revision + 1 == now.revision and first > before.last:
        return _kept(now, first, batch)
    return None


def _kept(series: Series, since: int, candles: Candles) -> Newest:
    rows = len(candles)
    if rows <= 2 * KEPT:
        return Newest(series, since, candles)
    cut = slice(rows - KEPT, None)
    time = candles.microseconds[cut].copy()  # else what goes would still take its memory
    values = {name: getattr(candles, name)[cut].copy() for name in VALUES}
    left = Candles.trusted(candles.symbol, candles.timeframe, candles.calendar, time, values)
    return Newest(series, int(time[0]), left)


def _merged(old: Candles, new: Candles) -> Candles:
    """Both, by time; where both have one, the new candle."""
    stays = np.ones(len(old), dtype=np.bool_)
    if new.microseconds[0] <= old.microseconds[-1]:
        stays = ~np.isin(old.microseconds, new.microseconds)
    time = np.concatenate([old.microseconds[stays], new.microseconds])
    order = np.argsort(time, kind="stable")
    values = {name: np.concatenate([getattr(old, name)[stays], getattr(new, name)])[order] for name in VALUES}
    return Candles.trusted(old.symbol, old.timeframe, old.calendar, time[order], values)
