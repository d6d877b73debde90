"""Check: store or quarantine, decided for each row, with the reason."""

from __future__ import annotations

import numpy as np

from candlewick.candles import VALUES
from candlewick.sources.rows import Codes, Reason, Rows


def check(rows: Rows, symbol: str | None = None) -> Codes:
    """A Reason for each row, ``SOUND`` for those to store: finite numbers, high at least and low at most open and
    close, volume 0 or more, a symbol (``symbol`` when one is asked for). What is wrong first in this order is told:
    the line, its time, its symbol, its numbers.
    """
    problem = rows.problem.copy()
    names = np.array([_named(name, symbol) for name in rows.names], dtype=np.uint8)
    if names.any():
        _mark(problem, names[rows.symbol] == Reason.NO_SYMBOL, Reason.NO_SYMBOL)
        _mark(problem, names[rows.symbol] == Reason.ANOTHER_SYMBOL, Reason.ANOTHER_SYMBOL)
    opened, high, low, close, volume = (rows.values[name] for name in VALUES)
    finite = np.isfinite(opened) & np.isfinite(high) & np.isfinite(low) & np.isfinite(close) & np.isfinite(volume)
    _mark(problem, ~finite, Reason.NOT_A_NUMBER)
    _mark(problem, high < np.maximum(opened, close), Reason.HIGH_TOO_LOW)
    _mark(problem, low > np.minimum(opened, close), Reason.LOW_TOO_HIGH)
    _mark(problem, volume < 0, Reason.NEGATIVE_VOLUME)
    return problem


def _named(name: str, symbol: str | None) -> Reason:
    if not name.strip():
        return Reason.NO_SYMBOL
    return Reason.SOUND if symbol in (None, name) else Reason.ANOTHER_SYMBOL


def _mark(problem: Codes, bad: np.ndarray[tuple[int], np.dtype[np.bool_]], reason: Reason) -> None:
    if bad.any():
        problem[bad & (problem == Reason.SOUND)] = reason
