"""Relative strength index."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from math import nan

from candlewick.indicators.exact import ROUNDING, Column, Exact, ExactBars, smoothed
from candlewick.indicators.indicator import Indicator, Scalars, Stepped, check_period, check_source

UNCHANGED = 1e-280
"""Gains and losses that have decayed below this have no digits left: nothing is known to have changed."""


def rsi_step(t: int, hot: bool, inputs: Scalars, state: Scalars, parameters: Scalars) -> Stepped:
    """Wilder's smoothing of gains and of losses, and the share of the gains."""
    (x,) = inputs
    before, gains, losses = state
    change = x - before
    gain = max(change, 0.0)
    loss = max(-change, 0.0)
    if hot or t > parameters[0]:
        gains += parameters[1] * (gain - gains)
        losses += parameters[1] * (loss - losses)
    else:
        if t > 0:
            gains += gain
            losses += loss
        if t < parameters[0]:
            return (x, gains, losses), (nan,)
        gains /= parameters[0]
        losses /= parameters[0]
    moved = gains + losses
    share = 100.0 * gains / moved
    if moved < UNCHANGED:
        share = nan
    return (x, gains, losses), (share,)


@dataclass(frozen=True)
class RSI(Indicator):
    """Relative strength index: 100 x gains / (gains + losses), each smoothed as Wilder did. Column ``rsi_14``.

    Source: Wilder (1978), as TA-Lib's RSI: the first value stands at bar ``period`` (counted from 0). Undefined while
    nothing has changed (TA-Lib shows 0, TradingView 100). Bound: by running error analysis, about 2 x period roundings
    of 100, more in proportion after a long stretch without change.
    """

    period: int = 14
    source: str = "close"

    kind = "rsi"
    slots = 3
    step = staticmethod(rsi_step)
    meaning = "relative strength index, Wilder's smoothing"

    def __post_init__(self) -> None:
        check_period(self.period)
        check_source(self.source)

    @property
    def parameters(self) -> Scalars:
        return float(self.period), 1.0 / self.period

    @property
    def warm_up(self) -> int:
        return self.period

    def exact(self, bars: ExactBars) -> list[Column]:
        values = bars[self.source]
        changes = [b - a for a, b in itertools.pairwise(values)]
        zero = Fraction(0)
        sides: list[Column] = []
        for sign in (1, -1):
            moves = [max(sign * change, zero) for change in changes]
            given: Column = [None] * min(1, len(values))
            given += [Exact(move, ROUNDING * float(move)) for move in moves]
            sides.append(smoothed(given, self.period, Fraction(1, self.period)))
        return [[_share(up, down) for up, down in zip(*sides, strict=True)]]


def _share(up: Exact | None, down: Exact | None) -> Exact | None:
    if up is None or down is None:
        return None
    moved = up.value + down.value
    if moved < Fraction(UNCHANGED):
        return None
    bound = 100.0 * (up.bound + down.bound) / float(moved) + 400.0 * ROUNDING
    return Exact(100 * up.value / moved, bound)
