"""Tail: what was sent of a series so far, and what a fresh answer adds to it. Pure.

A bar that was sent as final and is another one now is a revision. Bars behind the newest that was sent are new ones;
a bar that was still forming may have changed or have become final.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from candlewick.columnar import Integers
from candlewick.live.rows import Marks, Rows
from candlewick.store.history import DAY

FEWEST = 64
MOST = 4096
"""Rows that are held: those of the newest one's UTC day and the day before, within these limits."""


@dataclass(frozen=True)
class Step:
    """What a fresh answer brought: the tail from now on, the rows to send, or from when on everything must be read
    again (microseconds UTC; then there are no rows)."""

    tail: Tail
    rows: Rows
    revised: int | None = None


@dataclass(frozen=True, eq=False)
class Tail:
    """The newest rows that were sent, each by its mark. ``floor``: every bar from there on is held; the final ones
    come first."""

    floor: int
    time: Integers
    mark: Marks
    final: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Rows, floor: int) -> Tail:
        """Everything from ``floor`` on was sent as ``rows``."""
        return cls(floor, rows.time, rows.marks(), rows.final)._kept()

    @property
    def asks(self) -> int:
        """From when on to ask for what may be new, while nothing older was changed: the last final bar."""
        finals = int(np.count_nonzero(self.final))
        return int(self.time[finals - 1]) if finals else self.floor

    @property
    def forming(self) -> int | None:
        """When the first bar opened that is not final; None when all are."""
        finals = int(np.count_nonzero(self.final))
        return int(self.time[finals]) if finals < len(self.time) else None

    def advance(self, fresh: Rows, since: int) -> Step:
        """What ``fresh`` brings, which has every bar from ``since`` on as it is now (``since`` not before `floor`)."""
        kept = int(np.searchsorted(self.time, since))
        old_time, old_mark, old_final = self.time[kept:], self.mark[kept:], self.final[kept:]
        marks = fresh.marks()
        tail = replace(
            self,
            time=np.concatenate([self.time[:kept], fresh.time]),
            mark=np.concatenate([self.mark[:kept], marks]),
            final=np.concatenate([self.final[:kept], fresh.final]),
        )._kept()
        both = min(len(old_time), len(fresh))
        other = (old_time[:both] != fresh.time[:both]) | (old_mark[:both] != marks[:both])
        first = int(np.argmax(other)) if other.any() else both
        if first < len(old_time):
            stands = both == len(old_time) and bool((old_time[first:] == fresh.time[first:both]).all())
            if old_final[first] or not stands:
                at = int(old_time[first]) if first == len(fresh) else min(int(old_time[first]), int(fresh.time[first]))
                return Step(tail, fresh.chosen(slice(0, 0)), at)
        sent = np.ones(len(fresh), dtype=np.bool_)
        sent[:both] = other
        return Step(tail, fresh.chosen(sent))

    def _kept(self) -> Tail:
        """Without the rows that are old: never without the last final one, or one that forms."""
        if not len(self.time):
            return self
        day = (int(self.time[-1]) // DAY - 1) * DAY
        first = min(int(np.searchsorted(self.time, day)), len(self.time) - FEWEST)
        first = max(first, len(self.time) - MOST)
        first = max(0, min(first, int(np.count_nonzero(self.final)) - 1))
        if not first:
            return self
        cut = slice(first, None)
        # Between a row that goes and the next one there was no bar.
        return Tail(int(self.time[first - 1]) + 1, self.time[cut].copy(), self.mark[cut].copy(), self.final[cut].copy())
