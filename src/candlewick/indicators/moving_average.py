"""Moving averages: simple, exponential, weighted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import nan

from candlewick.indicators.exact import ROUNDING, Column, Exact, ExactBars, smoothed
from candlewick.indicators.indicator import Indicator, Pointer, Scalars, Stepped, check_period, check_source

GRID = 512
"""Bars between exact re-anchorings of a running sum, on bar numbers so that no cut of the series moves them."""
WEIGHTED_GRID = 64
"""The weighted sum takes up the plain sum's error at every bar, so it is re-anchored sooner."""
GUARD = 16.0
"""A sum is also re-anchored while its largest deviation was more than GUARD times both the value and the mean."""


def window_sum(past: Pointer, i: int, n: int, reference: float) -> tuple[float, float]:
    """Sum and largest size of the deviations from ``reference`` over the last ``n`` bars."""
    total = 0.0
    peak = 0.0
    for k in range(n):
        deviation = past[i - k] - reference
        total += deviation
        peak = max(peak, abs(deviation))
    return total, peak


def sma_step(
    t: int, hot: bool, inputs: Scalars, state: Scalars, parameters: Scalars, past: tuple[Pointer, ...], i: int
) -> Stepped:
    """A running sum of deviations from a local reference: small numbers keep their digits."""
    (x,) = inputs
    reference, total, peak = state
    n = int(parameters[0])
    if not hot and t < n - 1:
        return (reference, total, peak), (nan,)
    total += x - past[0][i - n]
    peak = max(peak, abs(x - reference))
    mean = reference + total * parameters[1]
    size = max(abs(x), abs(mean))
    if (t & (GRID - 1)) == 0 or GUARD * size < peak or (not hot and t == n - 1):
        reference = x
        total, peak = window_sum(past[0], i, n, reference)
        mean = reference + total * parameters[1]
    return (reference, total, peak), (mean,)


def ema_step(t: int, hot: bool, inputs: Scalars, state: Scalars, parameters: Scalars) -> Stepped:
    """The recursion, or the sum for its seed."""
    (x,) = inputs
    (average,) = state
    if hot or t >= parameters[0]:
        average += parameters[1] * (x - average)
        return (average,), (average,)
    average += x
    if t == parameters[0] - 1.0:
        average /= parameters[0]
        return (average,), (average,)
    return (average,), (nan,)


def weighted_sums(past: Pointer, i: int, n: int, reference: float) -> tuple[float, float, float]:
    """Sum, weighted sum and largest size of the deviations from ``reference`` over the last ``n`` bars."""
    total = 0.0
    weighted = 0.0
    peak = 0.0
    for k in range(n):
        deviation = past[i - k] - reference
        total += deviation
        weighted += (n - k) * deviation
        peak = max(peak, abs(deviation))
    return total, weighted, peak


def wma_step(
    t: int, hot: bool, inputs: Scalars, state: Scalars, parameters: Scalars, past: tuple[Pointer, ...], i: int
) -> Stepped:
    """A running weighted sum: every bar takes the plain sum off and puts the newest on with weight n."""
    (x,) = inputs
    reference, total, weighted, peak = state
    n = int(parameters[0])
    if not hot and t < n - 1:
        return (reference, total, weighted, peak), (nan,)
    deviation = x - reference
    weighted += parameters[0] * deviation - total
    total += x - past[0][i - n]
    peak = max(peak, abs(deviation))
    mean = reference + weighted * parameters[1]
    size = max(abs(x), abs(mean))
    if (t & (WEIGHTED_GRID - 1)) == 0 or GUARD * size < peak or (not hot and t == n - 1):
        reference = x
        total, weighted, peak = weighted_sums(past[0], i, n, reference)
        mean = reference + weighted * parameters[1]
    return (reference, total, weighted, peak), (mean,)


@dataclass(frozen=True)
class MovingAverage(Indicator):
    """What the three have in common: a period and a source."""

    period: int
    source: str = "close"

    def __post_init__(self) -> None:
        check_period(self.period)
        check_source(self.source)

    @property
    def look_back(self) -> int:
        return self.period

    @property
    def warm_up(self) -> int:
        return self.period - 1

    def windows(self, bars: ExactBars) -> list[list[Fraction] | None]:
        """The last ``period`` values at each bar, oldest first; None during warm-up."""
        values = list(bars[self.source])
        n = self.period
        return [None if t < n - 1 else values[t - n + 1 : t + 1] for t in range(len(values))]


@dataclass(frozen=True)
class SMA(MovingAverage):
    """Simple moving average: the mean of the last ``period`` values of ``source``. Column ``sma_9``.

    Source: the arithmetic mean, as TA-Lib's SMA and TradingView's ta.sma. Error at most (512 + period) x 16 roundings
    of the largest value in the window, also after bad ticks (TA-Lib 0.8 stays 2e-11 off after one of 1e8).
    """

    kind = "sma"
    slots = 3
    step = staticmethod(sma_step)
    meaning = "simple moving average"

    @property
    def parameters(self) -> Scalars:
        return float(self.period), 1.0 / self.period

    def exact(self, bars: ExactBars) -> list[Column]:
        n = self.period
        factor = (GRID + n) * GUARD * ROUNDING
        return [[None if w is None else Exact(sum(w, Fraction(0)) / n, factor * _size(w)) for w in self.windows(bars)]]


@dataclass(frozen=True)
class EMA(MovingAverage):
    """Exponential moving average, factor 2 / (period + 1), seeded by a mean. Column ``ema_9``.

    The seed is the mean of the first ``period`` values, as in TA-Lib's EMA by default. TradingView's ta.ema and
    pandas' ewm(adjust=False) start from the first value and agree only after several periods. Error bound: by running
    error analysis, about (period / 2 + 6) roundings of the price.
    """

    kind = "ema"
    slots = 1
    step = staticmethod(ema_step)
    meaning = "exponential moving average, seeded by the mean of its first period"

    @property
    def parameters(self) -> Scalars:
        return float(self.period), 2.0 / (self.period + 1)

    @property
    def look_back(self) -> int:
        return 0

    def exact(self, bars: ExactBars) -> list[Column]:
        values = [Exact(x, 0.0) for x in bars[self.source]]
        return [smoothed(values, self.period, Fraction(2, self.period + 1))]


@dataclass(frozen=True)
class WMA(MovingAverage):
    """Weighted moving average, weights 1 to ``period``, the newest heaviest. Column ``wma_14``.

    Source: the linearly weighted mean, as TA-Lib's WMA and TradingView's ta.wma. Error at most (64^2 / period + 64 +
    period) x 32 roundings of the largest value in the window.
    """

    kind = "wma"
    slots = 4
    step = staticmethod(wma_step)
    meaning = "linearly weighted moving average, the newest heaviest"

    @property
    def parameters(self) -> Scalars:
        return float(self.period), 2.0 / (self.period * (self.period + 1))

    def exact(self, bars: ExactBars) -> list[Column]:
        n = self.period
        factor = (WEIGHTED_GRID**2 / n + WEIGHTED_GRID + n) * 2 * GUARD * ROUNDING
        weights = Fraction(n * (n + 1), 2)

        def value(window: list[Fraction]) -> Exact:
            total = sum((k * x for k, x in enumerate(window, 1)), Fraction(0))
            return Exact(total / weights, factor * _size(window))

        return [[None if w is None else value(w) for w in self.windows(bars)]]


def _size(window: list[Fraction]) -> float:
    return float(max(abs(x) for x in window))
