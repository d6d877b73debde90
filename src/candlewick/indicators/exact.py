"""Exact arithmetic for the slow forms: fractions for windows, 100-digit decimals for recursions.

A bound is the largest error that the compiled step may make at that bar, worked out from the data beside the value:
for windows from what the step's guard allows, for recursions by running error analysis (Higham, Accuracy and Stability
of Numerical Algorithms, 2002, section 3.3: each operation adds one rounding, each step passes the old error on).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import NamedTuple

from candlewick.columnar import Floats

ROUNDING = 2.0**-53
"""Largest relative error of one float64 operation."""

DIGITS = Context(prec=100)


class Exact(NamedTuple):
    """A value computed exactly (to 100 digits), and how far the compiled step may be from it."""

    value: Fraction
    bound: float


Column = list[Exact | None]


@dataclass(frozen=True)
class ExactBars:
    """The columns of a series as exact fractions, and its anchors."""

    columns: Mapping[str, Sequence[Fraction]]
    anchor: Sequence[int]

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[float] | Floats], anchor: Sequence[int]) -> ExactBars:
        """From float64 columns, each value taken for exactly what it is."""
        exact = {name: [Fraction(float(x)) for x in values] for name, values in columns.items()}
        return cls(exact, [int(mark) for mark in anchor])

    def __getitem__(self, name: str) -> Sequence[Fraction]:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.anchor)


def root(value: Fraction) -> Fraction:
    """The square root to 100 digits."""
    with localcontext(DIGITS) as context:
        return Fraction(context.sqrt(context.divide(Decimal(value.numerator), Decimal(value.denominator))))


def smoothed(values: Sequence[Exact | None], period: int, factor: Fraction) -> Column:
    """A recursion ``e += factor (x - e)`` seeded by the mean of its first ``period`` values, errors passed on.

    Leading None are skipped; the first result stands where ``period`` values are there.
    """
    result: Column = []
    error, count = 0.0, 0
    k = float(factor)
    with localcontext(DIGITS) as context:
        share = context.divide(Decimal(factor.numerator), Decimal(factor.denominator))
        total = Decimal(0)
        for x in values:
            if x is None:
                result.append(None)
                continue
            count += 1
            value = context.divide(Decimal(x.value.numerator), Decimal(x.value.denominator))
            if count <= period:
                total += value
                error += x.bound + ROUNDING * float(abs(total))
                if count < period:
                    result.append(None)
                    continue
                total /= period
                error = error / period + ROUNDING * float(abs(total))
            else:
                move = value - total
                total += share * move
                distance = float(abs(move)) + error + x.bound
                error = (1.0 - k) * error + k * x.bound + ROUNDING * (3.0 * k * distance + float(abs(total)) + error)
            result.append(Exact(Fraction(total), 1.01 * error))
    return result
