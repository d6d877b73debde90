"""Stochastic oscillator."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf, nan

from candlewick.indicators.exact import ROUNDING, Column, Exact, ExactBars
from candlewick.indicators.indicator import Indicator, Memory, Pointer, Scalars, Stepped, check_period


def keep_maxima(past: Pointer, i: int, n: int, sign: float, memory: Memory, first: int) -> None:
    """For the ``n`` bars before this one: the largest ``sign`` x value from each of them on to the last."""
    best = -inf
    for k in range(1, n + 1):
        best = max(best, sign * past[i - k])
        memory[first + n - k] = best
    memory[first + n] = -inf


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
    """Extremes by blocks of n bars: the largest so far in this block, and from each bar of the last block to its end.

    So every bar costs the same whatever the prices do (van Herk 1992, Gil and Werman 1993); two rings for the means.
    """
    high, low, close = inputs
    top, bottom, place, k_place, d_place = state
    n = int(parameters[0])
    smooth = int(parameters[1])
    signal = int(parameters[2])
    tops = smooth + signal
    bottoms = tops + n + 1
    p = int(place)
    if p == n or (not hot and t == 0):
        keep_maxima(past[0], i, n, 1.0, memory, tops)
        keep_maxima(past[1], i, n, -1.0, memory, bottoms)
        top = -inf
        bottom = -inf
        p = 0
    top = max(top, high)
    bottom = max(bottom, -low)
    p += 1
    place = float(p)
    if not hot and t < n - 1:
        return (top, bottom, place, k_place, d_place), (nan, nan)
    highest = max(top, memory[tops + p])
    lowest = -max(bottom, memory[bottoms + p])
    reach = highest - lowest
    raw = 100.0 * ((close - lowest) / reach)
    if reach <= 0.0:
        raw = nan
    memory[int(k_place)] = raw
    k_place += 1.0
    if k_place >= parameters[1]:  # counted, not t % smooth: a division of integers costs more than all the rest
        k_place = 0.0
    k = nan
    if hot or t >= n + smooth - 2:
        k = mean_of(memory, 0, smooth)
    memory[smooth + int(d_place)] = k
    d_place += 1.0
    if d_place >= parameters[2]:
        d_place = 0.0
    d = nan
    if hot or t >= n + smooth + signal - 3:
        d = mean_of(memory, smooth, signal)
    return (top, bottom, place, k_place, d_place), (k, d)


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
    slots = 5
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
        return self.smooth + self.signal + 2 * (self.period + 1)

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
