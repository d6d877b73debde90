"""Duplicates: rows that stand for the same candle, resolved: the last line of the file wins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from candlewick.candles import VALUES
from candlewick.columnar import Integers
from candlewick.sources.staging import Staged


@dataclass(frozen=True)
class Resolved:
    """``rows``: sorted by series and time, unique; ``identical``: how many collapsed into an equal one; ``conflicts``:
    the rows that lost against a later, different line."""

    rows: Staged
    identical: int
    conflicts: Staged


def resolve(rows: Staged) -> Resolved:
    """Sort staged rows, given in the order of the file, and keep one for each (series, time): the last.

    The others are identical to it and collapse, or differ from it and are conflicts.
    """
    rows = rows[_order(rows["series"], rows["time"])]
    if len(rows) < 2:
        return Resolved(rows, 0, rows[:0])
    follows = (rows["series"][1:] == rows["series"][:-1]) & (rows["time"][1:] == rows["time"][:-1])
    if not follows.any():
        return Resolved(rows, 0, rows[:0])
    last = np.append(~follows, True)
    winner = np.flatnonzero(last)[np.cumsum(last) - last]
    losers = np.flatnonzero(~last)
    differ = np.zeros(len(losers), dtype=np.bool_)
    for name in VALUES:
        differ |= rows[name][losers] != rows[name][winner[losers]]
    return Resolved(rows[last], int(np.count_nonzero(~differ)), rows[losers[differ]])


def _order(series: npt.NDArray[np.int32], time: Integers) -> Integers:
    """The stable order by (series, time). Files are mostly in order within each series, so only others are sorted."""
    small = series.astype(np.uint16) if len(series) and series.max() < 1 << 16 else series
    order = np.argsort(small, kind="stable")
    series, time = series[order], time[order]
    backwards = (time[1:] < time[:-1]) & (series[1:] == series[:-1])
    if backwards.any():
        cuts = np.flatnonzero(np.diff(series)) + 1
        starts, stops = np.append(0, cuts), np.append(cuts, len(series))
        touched = np.unique(np.searchsorted(starts, np.flatnonzero(backwards), side="right") - 1)
        for at in touched:
            span = slice(starts[at], stops[at])
            order[span] = order[span][np.argsort(time[span], kind="stable")]
    return order
