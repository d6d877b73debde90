"""Undefined: why a column has no value at a bar, in words."""

from __future__ import annotations

from candlewick.bars import Bars
from candlewick.explain.column import Column
from candlewick.indicators import RSI, VWAP, Bollinger, PercentB, Stochastic

UNEXPLAINED = "not by its definition: the engine left it undefined"
INFINITE = "infinite: it leaves the range of float64"


def why_undefined(column: Column, bars: Bars, row: int) -> str:
    """Why the definition gives no value at ``row``; only for where it gives none."""
    one = column.indicator
    if one is None:
        return UNEXPLAINED
    if row + 1 < column.needed:
        return f"warm-up: {column.needed} bars are needed, {row + 1} {'is' if row == 0 else 'are'} there"
    match one:
        case RSI():
            return f"unchanged: {one.source} has not moved, or so long ago that nothing is left of it"
        case VWAP():
            return "zero volume: nothing has traded since the sums began"
        case Bollinger(period=n) | PercentB(period=n):
            window = getattr(bars, one.source)[row + 1 - n : row + 1]
            if isinstance(one, PercentB):
                return f"zero width: the last {n} values of {one.source} are equal, so the bands touch"
            level = "all 0" if not window.any() else "0 on average, within rounding of their distances"
            return f"zero middle: the last {n} values of {one.source} are {level}"
        case Stochastic(period=n):
            return f"zero range: high and low of {n} bars are equal in a window that is part of it"
    return "undefined by its own definition"
