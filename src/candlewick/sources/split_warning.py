"""Split warning: a jump between candles that looks like a stock split which nobody adjusted for."""

from __future__ import annotations

import numpy as np

from candlewick.columnar import Floats, Integers
from candlewick.timeframe import MINUTE

RATIOS = (1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0)
TOLERANCE = 0.05
"""A market may move so much over the night of a split."""

SHORTEST, LONGEST = 60 * MINUTE, 7 * 24 * 60 * MINUTE
"""Splits take effect between sessions; over longer gaps a price may have gone anywhere."""

NEAR = 5
"""Candles on each side whose median must show the jump too: a single bad tick is no split."""


def splits(time: Integers, opened: Floats, close: Floats) -> list[tuple[int, str]]:
    """``(row, ratio)`` of the first candle after each jump that looks like a split: "7:1", "3:2", "1:10"."""
    if len(time) < 2:
        return []
    gap = np.diff(time)
    sound = (gap >= SHORTEST) & (gap <= LONGEST) & (close[:-1] > 0) & (opened[1:] > 0) & (close[1:] > 0)
    # The first open of the day may still be the old price, the first close may have moved away: either may show it.
    changes = [np.divide(close[:-1], after[1:], out=np.ones(len(gap)), where=sound) for after in (opened, close)]
    far = np.flatnonzero(np.logical_or.reduce([(change > 1.4) | (change < 1 / 1.4) for change in changes]))
    found = []
    for at in far.tolist():
        seen = {_ratio(float(change[at])) for change in changes} - {None}
        old = float(np.median(close[max(0, at + 1 - NEAR) : at + 1]))
        new = float(np.median(close[at + 1 : at + 1 + NEAR]))
        lasting = _ratio(old / new) if new > 0 else None
        if lasting is not None and lasting in seen:
            found.append((at + 1, lasting))
    return found


def _ratio(change: float) -> str | None:
    for ratio in RATIOS:
        text = "3:2" if ratio == 1.5 else f"{ratio:.0f}:1"
        if abs(change / ratio - 1) <= TOLERANCE:
            return text
        if change > 0 and abs(1 / change / ratio - 1) <= TOLERANCE:
            return ":".join(reversed(text.split(":")))
    return None
