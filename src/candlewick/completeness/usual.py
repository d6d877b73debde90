"""Usual: what is usual for one series, so that a thin symbol is judged by itself and not by a busy one.

Pure. A run is a stretch of neighbours that share a property: minutes without a candle, candles with one close. Two
questions decide whether a run is unusual, each answered by the rest of the series without the run itself:

1. How often would so long a run come about by chance, at the rate at which the property stands elsewhere (in the whole
   series, and in the same session, whichever is higher)? (`expected`)
2. How long is the longest run of a usual session? (`Runs.usual`)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from candlewick.columnar import Floats, Integers

Flags = npt.NDArray[np.bool_]

CHANCE = 1e-6
"""So many runs of that length or longer may be expected in a whole series before one is unusual: stores have many."""

DEVIATIONS = 4.0
CHANCE_DEVIATIONS = 5.0
NORMAL = 1.4826
"""Makes a median deviation of normal values a standard one. Medians, so that damage does not move what is usual."""


@dataclass(frozen=True, eq=False)
class Runs:
    """Every run: ``start <= place < stop``, and the ``group`` (session) in which it starts.

    ``longest`` and ``second``: for each group the lengths of its longest runs, 0 where there is none.
    """

    start: Integers
    stop: Integers
    group: Integers
    longest: Integers
    second: Integers

    @classmethod
    def of(cls, flags: Flags, group: Integers, groups: int, *, cut: bool) -> Self:
        """The runs of True; with ``cut`` none reaches over the end of a group. ``group`` ascends."""
        over = np.diff(group) != 0 if cut else np.zeros(max(0, len(flags) - 1), dtype=np.bool_)
        start = np.flatnonzero(flags & np.append(True, ~flags[:-1] | over)[: len(flags)])
        stop = np.flatnonzero(flags & np.append(~flags[1:] | over, True)[-len(flags) or 1 :][: len(flags)]) + 1
        at = group[start]
        longest = np.zeros(groups, dtype=np.int64)
        second = np.zeros(groups, dtype=np.int64)
        length = stop - start
        order = np.lexsort((-length, at))
        leads = np.flatnonzero(np.diff(at[order], prepend=-1))
        longest[at[order][leads]] = length[order][leads]
        follows = leads + 1
        follows = follows[(follows < len(order)) & ~np.isin(follows, leads)]
        second[at[order][follows]] = length[order][follows]
        return cls(start, stop, at, longest, second)

    @property
    def length(self) -> Integers:
        """How many neighbours each run has."""
        return self.stop - self.start

    def usual(self, run: int, counted: Flags) -> float:
        """The longest run of a usual session: the median over the groups that are ``counted``, without this run."""
        group = int(self.group[run])
        longest = self.longest.copy()
        if self.stop[run] - self.start[run] == longest[group]:
            longest[group] = self.second[group]
        return float(np.median(longest[counted])) if counted.any() else 0.0


def expected(length: Integers, places: int, marked: int, local_places: Integers, local_marked: Integers) -> Floats:
    """For each run: how many runs of at least its length would come about by chance in the series.

    ``marked`` of ``places`` have the property, ``local_marked`` of ``local_places`` in the run's own session, the run
    itself included in each: it is taken out here.
    """
    everywhere = (marked - length + 1) / (places - length + 2)
    here = (local_marked - length + 1) / (local_places - length + 2)
    with np.errstate(under="ignore"):
        found: Floats = places * np.float_power(np.maximum(everywhere, here), length)
    return found


def ordinary(shares: Floats, of: int, least: float = 0.0) -> tuple[float, float, float]:
    """The usual share of ``of`` slots, and the bounds between which it lies: the median, and four deviations around it.

    The deviation is that of the sessions, by their median deviation. As few of them may be alike by chance, the bounds
    are never closer than five of the deviations that a share of so many slots has by itself, nor than ``least``.
    """
    middle = float(np.median(shares))
    by_chance = CHANCE_DEVIATIONS * math.sqrt(max(0.0, middle * (1 - middle)) / max(1, of))
    spread = max(least, by_chance, DEVIATIONS * NORMAL * float(np.median(np.abs(shares - middle))))
    return middle, middle - spread, middle + spread
