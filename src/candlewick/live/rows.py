"""Rows: the bars and indicators of an answer as one table, and a mark of each row by which it is known again. Pure.

The last bits of what the classic engine computes depend on the range that is asked for, as pandas' sums do. A row of it
is known again by its indicators to within 2**-30 of the larger of the value and the bar's highest price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from candlewick.candles import VALUES
from candlewick.columnar import Floats, Integers
from candlewick.service.answer import Answer

Marks = npt.NDArray[np.uint64]

FIRST = np.uint64(0x9E3779B97F4A7C15)
FACTOR = np.uint64(0xBF58476D1CE4E5B9)
SHIFT = np.uint64(29)
DIGITS = 30
"""Binary digits of a classic indicator by which its row is known again."""


@dataclass(frozen=True, eq=False)
class Rows:
    """``time``: opens, microseconds UTC, ascending; ``values``: open, high, low, close, volume, then the indicators,
    a row for each bar. ``exact``: the same row has the same bits whenever it is asked for."""

    time: Integers
    values: Floats
    n: npt.NDArray[np.int32]
    final: npt.NDArray[np.bool_]
    exact: bool = True

    @classmethod
    def of(cls, answer: Answer) -> Rows:
        """The rows of an answer."""
        bars = answer.bars
        columns = [getattr(bars, name) for name in VALUES] + list(answer.indicators.values())
        return cls(bars.microseconds, np.stack(columns, axis=1), bars.n, bars.final, answer.engine != "classic")

    def __len__(self) -> int:
        return len(self.time)

    def chosen(self, rows: npt.NDArray[np.bool_] | slice) -> Rows:
        """Some of the rows."""
        return Rows(self.time[rows], self.values[rows], self.n[rows], self.final[rows], self.exact)

    def marks(self) -> Marks:
        """64 bits of each row's content, without its time: rows that differ in one bit have the same mark once in
        2**64 times."""
        mark: Marks = (self.n.astype(np.uint64) << np.uint64(1)) ^ self.final.astype(np.uint64)
        mark ^= FIRST
        values = self.values if self.exact else self._rounded()
        for column in np.ascontiguousarray(values.T).view(np.uint64):
            mark = (mark ^ column) * FACTOR
            mark ^= mark >> SHIFT
        return mark

    def _rounded(self) -> Floats:
        """The values with the indicators rounded."""
        plain = len(VALUES)
        indicators = self.values[:, plain:]
        price = np.abs(self.values[:, 1:2])
        exponent = np.frexp(np.fmax(np.abs(indicators), price))[1] - DIGITS  # the price, where the value is undefined
        rounded = np.ldexp(np.rint(np.ldexp(indicators, -exponent)), exponent) + 0.0  # no -0.0
        return np.concatenate([self.values[:, :plain], rounded], axis=1)


def columns_of(answer: Answer) -> tuple[str, ...]:
    """What the values of a row are called."""
    return (*VALUES, *answer.indicators)
