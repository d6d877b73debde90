"""Indicators from the rolling standard deviation: the deviation itself, Bollinger bands, percent b."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import nan, sqrt

from candlewick.indicators.exact import ROUNDING, Column, Exact, ExactBars, root
from candlewick.indicators.indicator import (
    Indicator,
    Pointer,
    Scalars,
    Stepped,
    check_period,
    check_source,
    check_width,
)

DEVIATION_GRID = 256
"""Bars between exact re-anchorings of mean and squares, on bar numbers so that no cut of the series moves them."""
CANCELLED = 128.0
"""Squares are also re-anchored once they are this much smaller than their largest since: digits cancelled."""
NO_MIDDLE = 1e-10
"""A middle this small against half the bands' distance is 0 within rounding: the ratio width is undefined."""
RELATIVE = 1e-11
"""Bound on the relative error of the deviation."""
MEAN = 64 * ROUNDING
"""Bound on the error of the mean, against the largest value in the window."""


def window_moments(past: Pointer, i: int, n: int, reference: float) -> tuple[float, float]:
    """Mean and sum of squares of the deviations from ``reference`` over the last ``n`` bars, in two passes."""
    mean = 0.0
    for k in range(n):
        mean += past[i - k] - reference
    mean /= n
    squares = 0.0
    for k in range(n):
        distance = (past[i - k] - reference) - mean
        squares += distance * distance
    return mean, squares


def moments_step(t: int, hot: bool, x: float, past: Pointer, i: int, state: Scalars, n: int, inverse: float) -> Scalars:
    """Rolling mean and sum of squares about a local reference (Welford's update with one value in, one out)."""
    reference, mean, squares, peak = state
    oldest = past[i - n]
    step = x - oldest
    before = mean
    mean += step * inverse
    squares += step * ((x - reference - mean) + (oldest - reference - before))
    peak = max(peak, squares)
    stale = squares * CANCELLED < peak or n == 1  # one value has no squares: all that the update leaves is rounding
    if (t & (DEVIATION_GRID - 1)) == 0 or stale or (not hot and t == n - 1):
        reference = x
        mean, squares = window_moments(past, i, n, reference)
        peak = squares
    return reference, mean, squares, peak


def stddev_step(
    t: int, hot: bool, inputs: Scalars, state: Scalars, parameters: Scalars, past: tuple[Pointer, ...], i: int
) -> Stepped:
    """The population deviation of the window."""
    n = int(parameters[0])
    if not hot and t < n - 1:
        return state, (nan,)
    state = moments_step(t, hot, inputs[0], past[0], i, state, n, parameters[1])
    return state, (sqrt(state[2] * parameters[1]),)


def bollinger_step(
    t: int, hot: bool, inputs: Scalars, state: Scalars, parameters: Scalars, past: tuple[Pointer, ...], i: int
) -> Stepped:
    """Bands about the mean; width as a ratio of the middle."""
    n = int(parameters[0])
    if not hot and t < n - 1:
        return state, (nan, nan, nan, nan)
    state = moments_step(t, hot, inputs[0], past[0], i, state, n, parameters[1])
    half = parameters[2] * sqrt(state[2] * parameters[1])
    middle = state[0] + state[1]
    width = 2.0 * half / middle
    if abs(middle) <= NO_MIDDLE * half or middle == 0.0:
        width = nan
    return state, (middle + half, middle, middle - half, width)


def percent_b_step(
    t: int, hot: bool, inputs: Scalars, state: Scalars, parameters: Scalars, past: tuple[Pointer, ...], i: int
) -> Stepped:
    """Where the value stands between the bands, from the deviations: no digits lost to the price level."""
    n = int(parameters[0])
    if not hot and t < n - 1:
        return state, (nan,)
    x = inputs[0]
    state = moments_step(t, hot, x, past[0], i, state, n, parameters[1])
    half = parameters[2] * sqrt(state[2] * parameters[1])
    place = 0.5 + 0.5 * (x - state[0] - state[1]) / half
    if half <= 0.0:
        place = nan
    return state, (place,)


@dataclass(frozen=True)
class Deviation(Indicator):
    """What the three have in common: a window and its exact moments."""

    period: int = 20

    slots = 4

    def __post_init__(self) -> None:
        check_period(self.period)
        check_source(getattr(self, "source", "close"))
        check_width(getattr(self, "deviations", 1))

    @property
    def parameters(self) -> Scalars:
        return float(self.period), 1.0 / self.period, float(getattr(self, "deviations", 1))

    @property
    def look_back(self) -> int:
        return self.period

    @property
    def warm_up(self) -> int:
        return self.period - 1

    def over_windows(
        self, bars: ExactBars, columns: int, values: Callable[[Moments], list[Exact | None]]
    ) -> list[Column]:
        """``values`` of each window's exact moments, as columns."""
        source = list(bars[self.reads[0]])
        n = self.period
        result: list[Column] = [[None] * min(n - 1, len(source)) for _ in range(columns)]
        for t in range(n - 1, len(source)):
            for column, value in zip(result, values(Moments.of(source[t - n + 1 : t + 1])), strict=True):
                column.append(value)
        return result


@dataclass(frozen=True)
class Moments:
    """A window's last value, mean and population deviation, exactly, and the bound on the computed mean."""

    last: Fraction
    mean: Fraction
    deviation: Fraction
    mean_bound: float

    @classmethod
    def of(cls, window: list[Fraction]) -> Moments:
        n = len(window)
        mean = sum(window, Fraction(0)) / n
        deviation = root(sum(((x - mean) ** 2 for x in window), Fraction(0)) / n)
        size = float(max(abs(x) for x in window))
        return cls(window[-1], mean, deviation, MEAN * size + RELATIVE * float(deviation))


@dataclass(frozen=True)
class StandardDeviation(Deviation):
    """Population standard deviation of the last ``period`` values of ``source``. Column ``stddev_20``.

    Source: TradingView's ta.stdev and TA-Lib's STDDEV; pandas' std() divides by period - 1 instead. Relative error at
    most 1e-11 (price 1e5 with tick 0.01, after a bad tick of 1e8 has left, at prices of 1e-8); exactly 0 when flat.
    """

    source: str = "close"

    kind = "stddev"
    step = staticmethod(stddev_step)
    meaning = "population standard deviation"

    def exact(self, bars: ExactBars) -> list[Column]:
        return self.over_windows(bars, 1, lambda m: [Exact(m.deviation, RELATIVE * float(m.deviation))])


@dataclass(frozen=True)
class Bollinger(Deviation):
    """Bollinger bands: mean and ``deviations`` population deviations about it. Columns ``bollinger_20_2_upper`` ...

    ``width`` = (upper - lower) / middle, a ratio; undefined at middle 0. Source: John Bollinger, as TradingView's ta.bb
    and TA-Lib's BBANDS. Bound: 1e-11 of the deviation plus 64 roundings of the largest value in the window.
    """

    deviations: float = 2.0
    source: str = "close"

    kind = "bollinger"
    parts = ("upper", "middle", "lower", "width")
    step = staticmethod(bollinger_step)
    meaning = "Bollinger bands from the population deviation; width is a ratio of the middle"

    def exact(self, bars: ExactBars) -> list[Column]:
        factor = Fraction(float(self.deviations))

        def values(m: Moments) -> list[Exact | None]:
            half = factor * m.deviation
            bound = m.mean_bound + RELATIVE * float(half) + 4 * ROUNDING * float(abs(m.mean) + half)
            bands: list[Exact | None] = [Exact(m.mean + half, bound), Exact(m.mean, bound), Exact(m.mean - half, bound)]
            if abs(m.mean) <= Fraction(NO_MIDDLE) * half or m.mean == 0:
                return [*bands, None]
            width = 2 * half / m.mean
            relative = RELATIVE + 8 * ROUNDING + m.mean_bound / float(abs(m.mean))
            return [*bands, Exact(width, float(abs(width)) * relative * 1.1)]

        return self.over_windows(bars, 4, values)


@dataclass(frozen=True)
class PercentB(Deviation):
    """Where the value stands between the Bollinger bands: 0 lower, 1 upper. Column ``percent_b_20_2``.

    Source: John Bollinger's %b = (value - lower) / (upper - lower). Undefined while the bands touch. Bound: 1e-11 of
    the distance from the middle plus the mean's bound against the bands' distance.
    """

    deviations: float = 2.0
    source: str = "close"

    kind = "percent_b"
    step = staticmethod(percent_b_step)
    meaning = "place of the value between the Bollinger bands, 0 lower, 1 upper"

    def exact(self, bars: ExactBars) -> list[Column]:
        factor = Fraction(float(self.deviations))

        def value(m: Moments) -> list[Exact | None]:
            half = factor * m.deviation
            if half == 0:
                return [None]
            distance = (m.last - m.mean) / half / 2
            bound = RELATIVE * (1.0 + float(abs(distance))) + m.mean_bound / float(half)
            return [Exact(Fraction(1, 2) + distance, bound)]

        return self.over_windows(bars, 1, value)
