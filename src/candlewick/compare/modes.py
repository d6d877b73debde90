"""Modes: what a recursion may still carry from a history that we do not have.

Whatever came before the first row shown, a recursion differs from ours only by what its state was then: for an
exponential average one number, which decays by its own factor. `carried` finds those numbers from the rows shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from candlewick.bars import Bars
from candlewick.columnar import Floats
from candlewick.compare.smoothing import ratio, recursive, sums
from candlewick.compare.titles import Meaning
from candlewick.indicators import ATR, EMA, MACD, RSI, VWAP
from candlewick.indicators.vwap import ANCHORS

ROUNDS = 8
"""In which what a quotient is divided by is brought up to the state found."""
STEPS = 3000
"""Of moving towards the row that is furthest off."""
HOPELESS = 2.0
"""Mean square beyond which no state does; above 1, since a quotient is divided by what it was a turn before."""
INSIDE = 0.9999
"""Share of a row's limit to which it is moved: further in, and the next row would be moved out again."""


@dataclass(frozen=True)
class Modes:
    """value = (numerator + sum of c x above) / (denominator + sum of c x below), c unknown; at each bar shown."""

    numerator: Floats
    denominator: Floats
    above: tuple[Floats, ...]
    below: tuple[Floats, ...]


def carried(meaning: Meaning, bars: Bars, theirs: Floats, slack: Floats) -> Floats | None:
    """The values of a column over ``bars`` (those shown) had its state been another at the first of them; None where
    the column has no such state, none gives what is shown, or the rows are too few to tell."""
    modes = _modes(meaning, bars)
    if modes is None:
        return None
    known = np.isfinite(theirs) & np.isfinite(modes.numerator) & np.isfinite(modes.denominator)
    count = len(modes.above)
    if known.sum() < 2 * count + 2:
        return None
    matrix = np.stack([a - theirs * b for a, b in zip(modes.above, modes.below, strict=True)], axis=1)[known]
    wanted = (theirs * modes.denominator - modes.numerator)[known]
    limit = np.maximum(slack[known], 1e-15 * np.abs(theirs[known]) + 1e-300)
    typical = max(float(np.median(np.abs(modes.denominator[known]))), 1e-300)
    bottom = np.maximum(np.abs(modes.denominator[known]), 1e-6 * typical)
    solution = np.zeros(count)
    for turn in range(ROUNDS):
        found = _within(matrix / bottom[:, None], wanted / bottom, limit, least_squares=turn == 0)
        if found is None:
            return None
        solution = found
        state = modes.denominator + sum(c * b for c, b in zip(solution, modes.below, strict=True))
        bottom = np.maximum(np.abs(state[known]), 1e-6 * typical)
        if (np.abs(matrix @ solution - wanted) <= limit * bottom).all():
            break
    top = modes.numerator + sum(c * a for c, a in zip(solution, modes.above, strict=True))
    return ratio(top, modes.denominator + sum(c * b for c, b in zip(solution, modes.below, strict=True)))


def _within(matrix: Floats, wanted: Floats, limit: Floats, *, least_squares: bool) -> Floats | None:
    """What solves every row within its limit, where anything does: the least squares, moved to the row that is furthest
    off until none is. None where nothing can: then the least squares are further off than the limits are wide.

    ``least_squares``: these alone.
    """
    scaled, target = matrix / limit[:, None] * limit.min(), wanted / limit * limit.min()
    base, triangle = np.linalg.qr(scaled)
    if least_squares or np.abs(np.diag(triangle)).min() <= 1e-13 * np.abs(np.diag(triangle)).max():
        return np.asarray(np.linalg.lstsq(scaled, target, rcond=None)[0])
    place = base.T @ target
    if float(((base @ place - target) ** 2).sum()) > HOPELESS * len(target) * limit.min() ** 2:
        return None
    lengths = np.maximum((base**2).sum(axis=1), 1e-300)
    for _ in range(STEPS):
        off = base @ place - target
        worst = int(np.argmax(np.abs(off)))
        if abs(off[worst]) <= limit.min():
            break
        place -= (off[worst] - np.sign(off[worst]) * INSIDE * limit.min()) / lengths[worst] * base[worst]
    return np.asarray(np.linalg.solve(triangle, place))


def _modes(meaning: Meaning, bars: Bars) -> Modes | None:
    indicator = meaning.indicator
    steps = np.arange(len(bars), dtype=np.float64)
    zero, one = np.zeros(len(bars)), np.ones(len(bars))
    if isinstance(indicator, EMA):
        factor = 2 / (indicator.period + 1)
        return Modes(recursive(getattr(bars, indicator.source), factor), one, ((1 - factor) ** steps,), (zero,))
    if isinstance(indicator, ATR):
        before = np.concatenate([bars.close[:1], bars.close[:-1]])
        ranges = np.maximum(bars.high, before) - np.minimum(bars.low, before)
        factor = 1 / indicator.period
        return Modes(recursive(ranges, factor), one, ((1 - factor) ** steps,), (zero,))
    if isinstance(indicator, MACD):
        fast, slow, signal = (2 / (n + 1) for n in (indicator.fast, indicator.slow, indicator.signal))
        source = getattr(bars, indicator.source)
        line = recursive(source, fast) - recursive(source, slow)
        states = ((1 - fast) ** steps, (1 - slow) ** steps)
        if meaning.part == 0:
            return Modes(line, one, states, (zero, zero))
        smooth = [recursive(values, signal) for values in (line, *states)]
        own = (1 - signal) ** steps
        if meaning.part == 1:
            return Modes(smooth[0], one, (*smooth[1:], own), (zero, zero, zero))
        left = [values - smoothed for values, smoothed in zip((line, *states), smooth, strict=True)]
        return Modes(left[0], one, (*left[1:], own), (zero, zero, zero))
    if isinstance(indicator, RSI):
        change = np.diff(getattr(bars, indicator.source), prepend=getattr(bars, indicator.source)[:1])
        factor = 1 / indicator.period
        gain, loss = (recursive(np.maximum(side, 0.0), factor) for side in (change, -change))
        state = (1 - factor) ** steps
        return Modes(100 * gain, gain + loss, (100 * state, zero), (state, state))
    if isinstance(indicator, VWAP):
        again = (bars.anchor & ANCHORS[indicator.anchor]) != 0
        again[:1] = False
        group = np.cumsum(again)
        price = (bars.high + bars.low + bars.close) / 3
        paid, traded = sums(price * bars.volume, group), sums(bars.volume, group)
        first = (group == 0).astype(np.float64)
        return Modes(paid, traded, (first, zero), (zero, first))
    return None
