"""Inputs: what every contender starts from: the bars' columns, and where VWAP begins again, given to all for free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from candlewick.bars import Bars
from candlewick.columnar import Floats, Integers

ANCHOR_BITS = {"session": 1, "week": 2, "month": 4}


@dataclass(frozen=True)
class Inputs:
    """Columns of one series. ``starts``: rows at which a session, ISO week or month begins; row 0 is always one."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    time: Integers
    starts: Mapping[str, Integers]

    @classmethod
    def of(cls, bars: Bars) -> Inputs:
        """The columns of these bars, shared."""
        starts = {name: _starts(np.flatnonzero(bars.anchor & bit)) for name, bit in ANCHOR_BITS.items()}
        starts["first"] = np.zeros(1, dtype=np.int64)
        return cls(bars.open, bars.high, bars.low, bars.close, bars.volume, bars.microseconds, starts)

    def __len__(self) -> int:
        return len(self.close)

    def number(self, anchor: str) -> Integers:
        """For each row the running number of the session, week or month that it belongs to: what a table groups by."""
        marks = np.zeros(len(self), dtype=np.int64)
        marks[self.starts[anchor][1:]] = 1
        return np.cumsum(marks)


def _starts(found: Integers) -> Integers:
    return found if len(found) and found[0] == 0 else np.concatenate([np.zeros(1, dtype=np.int64), found])
