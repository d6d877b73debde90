"""Recomputed: the value that a column should have, exactly, within a bounded time.

1. A bar's own columns come from its candles; a window's value from its window; a VWAP from its anchor on.
2. A recursion is begun at the series' first bar, or where what was before weighs less than ``FORGOTTEN``. Is even that
   more than ``MOST`` bars, it is begun where it weighs less than ``FAINT``. What that may move is part of the bound.
3. Where the exact form would take longer than a reader waits, nothing is recomputed, and that is said.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np

from candlewick.bars import Bars
from candlewick.candles import Candles
from candlewick.explain.column import Column
from candlewick.explain.explanation import Recomputed
from candlewick.indicators import RSI, VWAP, Indicator, Stochastic
from candlewick.indicators.exact import ROUNDING, Exact, ExactBars
from candlewick.indicators.indicator import SOURCES
from candlewick.service.comparison import TOLERANCE
from candlewick.service.judge import FORGOTTEN, RECURSIVE, WINDOWED, begin_of, size_of
from candlewick.service.scale import scale

MOST = 20_000
"""Bars that an exact recursion reaches over: some seconds of arithmetic for the slowest."""
MOST_SUMMED = 50_000
"""Bars that an exact VWAP sums."""
MOST_VALUES = 2_000_000
"""Values that an exact window looks at, each as often as it does."""
FAINT = 1e-14
"""Weight of what is left out where ``MOST`` bars do not reach further: times `_LEFT`, below 1e-12 of the scale."""
_LEFT = 16
"""What is left out is at most this many times weight and size: two seeds, their difference and its average."""
DIGITS = 40


class _TooLongError(Exception):  # never leaves this file
    """The exact form would take too long; the text says why."""


def recompute(
    column: Column, candles: Candles, bars: Bars, row: int, served: float | None, *, engine: str
) -> Recomputed:
    """The exact value of ``column`` at ``row`` beside the served one. ``candles``: those of that bar; ``bars``: all
    from the series' first on. ``engine`` says whose bound holds."""
    one = column.indicator
    begin, truncation = row, 0.0
    try:
        if one is None:
            truth: Exact | None = _of_candles(column.name, candles)
        else:
            begin, weight = beginning(one, bars, row)
            truncation = weight * _LEFT * (100.0 if isinstance(one, RSI) else size_of(one, bars))
            truth = _exact(one, column.name, bars, begin, row)
        value = None if truth is None else float(truth.value)
        bound, bound_of = _bound(column, bars, row, truth, truncation, engine)
        if not math.isfinite(bound):
            raise OverflowError
    except _TooLongError as error:
        return _not_recomputed(engine, str(error))
    except ArithmeticError:
        return _not_recomputed(engine, "its exact form leaves the range of float64")
    difference = None if truth is None or served is None else abs(Fraction(served) - truth.value)
    kept = truth is None if served is None else difference is not None and difference <= Fraction(bound)
    return Recomputed(
        value=value,
        digits=None if truth is None else digits(truth.value),
        exact_from=int(bars.microseconds[begin]),
        bars=row + 1 - begin,
        whole_history=not truncation,
        truncation=truncation,
        bound=bound,
        bound_of=bound_of,
        difference=None if difference is None else float(difference),
        kept=kept,
        note=None,
    )


def beginning(indicator: Indicator, bars: Bars, row: int) -> tuple[int, float]:
    """The first row that the exact form is computed from, and the weight of what is before it: 0 where nothing counts.

    Raises _TooLongError.
    """
    begin = begin_of(indicator, bars, row)
    count = row + 1 - begin
    if isinstance(indicator, (*RECURSIVE, RSI)):
        if count > MOST:
            begin = begin_of(indicator, bars, row, FAINT)
            if row + 1 - begin > MOST:
                raise _TooLongError(f"what is {MOST:,} bars ago still counts by more than 1e-12 of the scale")
            return begin, FAINT
        return begin, FORGOTTEN if begin else 0.0
    if isinstance(indicator, WINDOWED):
        looked_at = count
        if isinstance(indicator, Stochastic):
            windows = indicator.smooth + indicator.signal
            looked_at = windows * (indicator.period + windows)
        if looked_at > MOST_VALUES:
            raise _TooLongError(f"its exact form looks at {looked_at:,} values, more than {MOST_VALUES:,}")
        return begin, 0.0
    most = MOST_SUMMED if isinstance(indicator, VWAP) else MOST
    if count > most:
        raise _TooLongError(f"it is made of {count:,} bars, more than {most:,}")
    return begin, 0.0


def _not_recomputed(engine: str, why: str) -> Recomputed:
    return Recomputed(None, None, None, 0, False, 0.0, None, engine, None, None, f"not recomputed: {why}")


def digits(value: Fraction) -> str:
    """The value to 40 digits."""
    with localcontext(prec=DIGITS) as context:
        return str(context.divide(Decimal(value.numerator), Decimal(value.denominator)))


def _exact(indicator: Indicator, column: str, bars: Bars, begin: int, row: int) -> Exact | None:
    part = bars.rows(begin, row + 1)
    columns = {name: getattr(part, name) for name in SOURCES}
    exact = indicator.exact(ExactBars.of(columns, part.anchor.tolist()))
    return exact[indicator.columns.index(column)][-1]


def _of_candles(column: str, candles: Candles) -> Exact:
    """A bar's column from its candles; only a sum is rounded."""
    if column == "n":
        return Exact(Fraction(len(candles)), 0.0)
    values = [Fraction(value) for value in getattr(candles, column).tolist()]
    match column:
        case "open":
            return Exact(values[0], 0.0)
        case "high":
            return Exact(max(values), 0.0)
        case "low":
            return Exact(min(values), 0.0)
        case "close":
            return Exact(values[-1], 0.0)
    total = sum(values, Fraction(0))
    return Exact(total, len(values) * ROUNDING * float(total))


def _bound(
    column: Column, bars: Bars, row: int, truth: Exact | None, truncation: float, engine: str
) -> tuple[float, str]:
    """How far the served value may be from the exact one, and who says so. The classic engine owes no bound of its own:
    of it parity is asked."""
    stated = 0.0 if truth is None else math.nextafter(truth.bound + truncation, math.inf) if truncation else truth.bound
    one = column.indicator
    if engine != "classic" or one is None:
        return stated, "definition"
    window = bars.rows(max(0, row - one.warm_up), row + 1)
    values = np.zeros(len(window))
    values[-1] = 0.0 if truth is None else float(truth.value)
    allowed = TOLERANCE * float(scale(one, column.name, window, values)[-1])
    return (allowed, "parity") if allowed > stated else (stated, "definition")
