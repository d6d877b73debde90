"""Moving average convergence divergence."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import nan

from candlewick.errors import InputError
from candlewick.indicators.exact import ROUNDING, Column, Exact, ExactBars, smoothed
from candlewick.indicators.indicator import Indicator, Scalars, Stepped, check_period, check_source


def seeded(t: int, hot: bool, x: float, average: float, period: float, factor: float) -> float:
    """One bar of an exponential average whose seed is the mean of its first ``period`` values."""
    if hot or t >= period:
        return average + factor * (x - average)
    average += x
    if t == period - 1.0:
        average /= period
    return average


def macd_step(t: int, hot: bool, inputs: Scalars, state: Scalars, parameters: Scalars) -> Stepped:
    """Two averages of the source, their difference, and an average of that."""
    (x,) = inputs
    fast, slow, signal = state
    fast = seeded(t, hot, x, fast, parameters[0], parameters[1])
    slow = seeded(t, hot, x, slow, parameters[2], parameters[3])
    since = t - int(parameters[2]) + 1
    if not hot and since < 0:
        return (fast, slow, signal), (nan, nan, nan)
    line = fast - slow
    signal = seeded(since, hot, line, signal, parameters[4], parameters[5])
    if not hot and since < parameters[4] - 1.0:
        return (fast, slow, signal), (line, nan, nan)
    return (fast, slow, signal), (line, signal, line - signal)


@dataclass(frozen=True)
class MACD(Indicator):
    """Difference of two exponential averages, its own average, and their difference. Columns ``macd_12_26_9_line`` ...

    Source: Gerald Appel; each average is seeded by the mean of its own first period (TA-Lib starts the fast one late so
    that both seeds end at one bar; TradingView starts from the first value). Bound: by running error analysis, about
    (slow / 2 + fast / 2 + 12) roundings of the price.
    """

    fast: int = 12
    slow: int = 26
    signal: int = 9
    source: str = "close"

    kind = "macd"
    parts = ("line", "signal", "histogram")
    slots = 3
    step = staticmethod(macd_step)
    meaning = "difference of a fast and a slow exponential average, its signal and histogram"

    def __post_init__(self) -> None:
        check_period(self.fast, "fast")
        check_period(self.slow, "slow")
        check_period(self.signal, "signal")
        check_source(self.source)
        if self.fast >= self.slow:
            raise InputError("fast", self.fast, f"give fewer bars than slow has ({self.slow})", "is not faster")

    @property
    def parameters(self) -> Scalars:
        periods = (self.fast, self.slow, self.signal)
        return tuple(number for n in periods for number in (float(n), 2.0 / (n + 1)))

    @property
    def warm_up(self) -> int:
        return self.slow + self.signal - 2

    def exact(self, bars: ExactBars) -> list[Column]:
        values = [Exact(x, 0.0) for x in bars[self.source]]
        fast = smoothed(values, self.fast, Fraction(2, self.fast + 1))
        slow = smoothed(values, self.slow, Fraction(2, self.slow + 1))
        line = [_difference(a, b) for a, b in zip(fast, slow, strict=True)]
        signal = smoothed(line, self.signal, Fraction(2, self.signal + 1))
        return [line, signal, [_difference(a, b) for a, b in zip(line, signal, strict=True)]]


def _difference(left: Exact | None, right: Exact | None) -> Exact | None:
    if left is None or right is None:
        return None
    value = left.value - right.value
    return Exact(value, left.bound + right.bound + ROUNDING * float(abs(value)))
