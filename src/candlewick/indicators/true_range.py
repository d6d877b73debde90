"""True range and its average."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import nan

from candlewick.indicators.exact import ROUNDING, Column, Exact, ExactBars, smoothed
from candlewick.indicators.indicator import Indicator, Scalars, Stepped, check_period

RANGE_READS = ("high", "low", "close")


def true_range_step(t: int, hot: bool, inputs: Scalars, state: Scalars, parameters: Scalars) -> Stepped:
    """The bar's range, stretched to the close before it."""
    high, low, close = inputs
    (before,) = state
    if not hot and t == 0:
        return (close,), (nan,)
    return (close,), (max(high, before) - min(low, before),)


def atr_step(t: int, hot: bool, inputs: Scalars, state: Scalars, parameters: Scalars) -> Stepped:
    """Wilder's smoothing of the true range, or the sum for its seed."""
    high, low, close = inputs
    before, average = state
    if not hot and t == 0:
        return (close, 0.0), (nan,)
    reach = max(high, before) - min(low, before)
    if hot or t > parameters[0]:
        average += parameters[1] * (reach - average)
        return (close, average), (average,)
    average += reach
    if t == parameters[0]:
        average /= parameters[0]
        return (close, average), (average,)
    return (close, average), (nan,)


def exact_ranges(bars: ExactBars) -> Column:
    """The true range of every bar but the first."""
    result: Column = [None] * min(1, len(bars))
    for t in range(1, len(bars)):
        before = bars["close"][t - 1]
        reach = max(bars["high"][t], before) - min(bars["low"][t], before)
        result.append(Exact(reach, ROUNDING * float(reach)))
    return result


@dataclass(frozen=True)
class TrueRange(Indicator):
    """True range: the bar's range, stretched to the close before it. Column ``true_range``.

    Source: Welles Wilder, New Concepts in Technical Trading Systems (1978), as TA-Lib's TRANGE: undefined at the first
    bar, which has no close before it (TradingView shows high - low there). Bound: one rounding.
    """

    kind = "true_range"
    slots = 1
    step = staticmethod(true_range_step)
    meaning = "the bar's range, stretched to the close before it"

    @property
    def reads(self) -> tuple[str, ...]:
        return RANGE_READS

    @property
    def parameters(self) -> Scalars:
        return ()

    @property
    def warm_up(self) -> int:
        return 1

    def exact(self, bars: ExactBars) -> list[Column]:
        return [exact_ranges(bars)]


@dataclass(frozen=True)
class ATR(Indicator):
    """Average true range: Wilder's smoothing (factor 1 / period), seeded by a mean. Column ``atr_14``.

    Source: Wilder (1978), as TA-Lib's ATR: the first value stands at bar ``period`` (counted from 0) and is the mean of
    the true ranges of bars 1 to ``period``. Bound: by running error analysis, about period roundings of the range.
    """

    period: int = 14

    kind = "atr"
    slots = 2
    step = staticmethod(atr_step)
    meaning = "average true range, Wilder's smoothing"

    def __post_init__(self) -> None:
        check_period(self.period)

    @property
    def reads(self) -> tuple[str, ...]:
        return RANGE_READS

    @property
    def parameters(self) -> Scalars:
        return float(self.period), 1.0 / self.period

    @property
    def warm_up(self) -> int:
        return self.period

    def exact(self, bars: ExactBars) -> list[Column]:
        return [smoothed(exact_ranges(bars), self.period, Fraction(1, self.period))]
