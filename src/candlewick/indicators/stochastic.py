"""Stochastic oscillator."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import nan

from candlewick.indicators.exact import ROUNDING, Column, Exact, ExactBars
from candlewick.indicators.indicator import Indicator, Memory, Pointer, Scalars, Stepped, check_period


def highest(past: Pointer, i: int, n: int, sign: float) -> tuple[float, float]:
    """The largest of ``sign`` x value over the last ``n`` bars, and how many bars ago it stood (the newest if tied)."""
    best = sign * past[i]
    age = 0.0
    for k in range(1, n):
        value = sign * past[i - k]
        if value > best:
            best = value
            age = float(k)
    return best, age


def mean_of(memory: Memory, first: int, count: int) -> float:
    """The mean of ``count`` floats of memory; NaN when one of them is."""
    total = 0.0
    for k in range(count):
        total += memory[first + k]
    return total / count


def stochastic_step(
    t: int,
    hot: bool,
    inputs: Scalars,
    state: Scalars,
    parameters: Scalars,
    past: tuple[Pointer, ...],
    i: int,
    memory: Memory,
) -> Stepped:
    """Extremes with their ages, looked for again only when one has left the window; two rings for the two means."""
    high, low, close = inputs
    top, top_age, bottom, bottom_age = state
    n = int(parameters[0])
    smooth = int(parameters[1])
    signal = int(parameters[2])
    if not hot and t < n - 1:
        return state, (nan, nan)
    top_age += 1.0
    bottom_age += 1.0
    if high >= top:
        top = high
        top_age = 0.0
    if -low >= bottom:
        bottom = -low
        bottom_age = 0.0
    if top_age >= parameters[0] or (not hot and t == n - 1):
        top, top_age = highest(past[0], i, n, 1.0)
    if bottom_age >= parameters[0] or (not hot and t == n - 1):
        bottom, bottom_age = highest(past[1], i, n, -1.0)
    reach = top + bottom
    raw = 100.0 * ((close + bottom) / reach)
    if reach <= 0.0:
        raw = nan
    memory[t % smooth] = raw
    k = nan
    if hot or t >= n + smooth - 2:
        k = mean_of(memory, 0, smooth)
    memory[smooth + t % signal] = k
    d = nan
    if hot or t >= n + smooth + signal - 3:
        d = mean_of(memory, smooth, signal)
    return (top, top_age, bottom, bottom_age), (k, d)


@dataclass(frozen=True)
class Stochastic(Indicator):
    """Stochastic oscillator: place of the close in the window's range, smoothed. Columns ``stochastic_14_3_3_k`` and d.

    ``k``: mean of ``smooth`` raw values 100 x (close - lowest) / (highest - lowest); ``d``: mean of ``signal`` of k.
    Undefined while the range is 0, and in the means that such a bar is part of. Source: George Lane, as TA-Lib's STOCH
    with simple means. Bound: (smooth + 4) roundings of 100 for k, (smooth + signal + 8) for d.
    """

    period: int = 14
    smooth: int = 3
    signal: int = 3

    kind = "stochastic"
    parts = ("k", "d")
    slots = 4
    step = staticmethod(stochastic_step)
    meaning = "place of the close in the window's range, 0 to 100, smoothed; and its mean"

    def __post_init__(self) -> None:
        check_period(self.period)
        check_period(self.smooth, "smooth")
        check_period(self.signal, "signal")

    @property
    def reads(self) -> tuple[str, ...]:
        return ("high", "low", "close")

    @property
    def parameters(self) -> Scalars:
        return float(self.period), float(self.smooth), float(self.signal)

    @property
    def look_back(self) -> int:
        return self.period

    @property
    def memory_size(self) -> int:
        return self.smooth + self.signal

    @property
    def warm_up(self) -> int:
        return self.period + self.smooth + self.signal - 3

    def exact(self, bars: ExactBars) -> list[Column]:
        n = self.period
        raw: Column = [None] * min(n - 1, len(bars))
        for t in range(n - 1, len(bars)):
            top = max(bars["high"][t - n + 1 : t + 1])
            bottom = min(bars["low"][t - n + 1 : t + 1])
            raw.append(Exact(100 * (bars["close"][t] - bottom) / (top - bottom), 0.0) if top > bottom else None)
        k = _means(raw, self.smooth, 100 * (self.smooth + 4) * ROUNDING)
        return [k, _means(k, self.signal, 100 * (self.smooth + self.signal + 8) * ROUNDING)]


def _means(values: Column, count: int, bound: float) -> Column:
    result: Column = [None] * min(count - 1, len(values))
    for t in range(count - 1, len(values)):
        window = [x for x in values[t - count + 1 : t + 1] if x is not None]
        full = len(window) == count
        result.append(Exact(sum((x.value for x in window), Fraction(0)) / count, bound) if full else None)
    return result
