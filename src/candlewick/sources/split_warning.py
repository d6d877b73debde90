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
    before, after = close[:-1], opened[1:]
    sound = (gap >= SHORTEST) & (gap <= LONGEST) & (before > 0) & (after > 0)
    change = np.divide(before, after, out=np.ones(len(gap)), where=sound)
    far = np.flatnonzero((change > 1.4) | (change < 1 / 1.4))
    found = []
    for at in far.tolist():
        ratio = _ratio(float(change[at]))
        old = float(np.median(close[max(0, at + 1 - NEAR) : at + 1]))
        new = float(np.median(close[at + 1 : at + 1 + NEAR]))
        if ratio is not None and new > 0 and ratio == _ratio(old / new):
            found.append((at + 1, ratio))
    return found


def _ratio(change: float) -> str | None:
    for ratio in RATIOS:
        text = "3:2" if ratio == 1.5 else f"{ratio:.0f}:1"
        if abs(change / ratio - 1) <= TOLERANCE:
            return text
        if change > 0 and abs(1 / change / ratio - 1) <= TOLERANCE:
            return ":".join(reversed(text.split(":")))
    return None
