"""Smoothing: averages as other platforms take them. Values before the first known one are passed over."""

from __future__ import annotations

import numpy as np

from candlewick.columnar import Floats, Integers


def recursive(values: Floats, factor: float, adjust: bool = False) -> Floats:
    """An exponential average from the first value on; ``adjust``: divided by the weights so far, as pandas does."""
    import pandas as pd

    found: Floats = pd.Series(values).ewm(alpha=factor, adjust=adjust).mean().to_numpy(copy=True)
    found[~np.isfinite(values)] = np.nan
    return found


def seeded(values: Floats, period: int, factor: float, skip: int = 0) -> Floats:
    """An exponential average from the mean of ``period`` values, ``skip`` bars behind the first known one."""
    first = first_known(values) + skip
    result = np.full(len(values), np.nan)
    seed = first + period - 1
    if seed < len(values):
        start = values[seed:].copy()
        start[0] = values[first : seed + 1].mean()
        result[seed:] = recursive(start, factor)
    return result


def plain(values: Floats, period: int, least: int | None = None) -> Floats:
    """The mean of the last ``period`` values; of at least ``least`` of them where the series begins."""
    import pandas as pd

    found: Floats = pd.Series(values).rolling(period, min_periods=least or period).mean().to_numpy(copy=True)
    return found


def deviation(values: Floats, period: int, least: int, sample: bool) -> Floats:
    """The deviation of the last ``period`` values, about their mean, in two passes."""
    n = len(values)
    result = np.full(n, np.nan)
    for t in range(min(period - 1, n)) if least < period else ():
        window = values[: t + 1]
        if t + 1 >= max(least, 1 + sample):
            result[t] = window.std(ddof=int(sample))
    if n >= period:
        windows = np.lib.stride_tricks.sliding_window_view(values, period)
        if period > sample:
            result[period - 1 :] = windows.std(axis=1, ddof=int(sample))
    return result


def weighted(values: Floats, period: int) -> Floats:
    """The mean of the last ``period`` values with weights 1 to ``period``, the newest heaviest."""
    result = np.full(len(values), np.nan)
    if len(values) >= period:
        windows = np.lib.stride_tricks.sliding_window_view(values, period)
        result[period - 1 :] = windows @ (np.arange(1, period + 1) / (period * (period + 1) / 2))
    return result


def sums(values: Floats, group: Integers) -> Floats:
    """Running sums that begin again with each group."""
    import pandas as pd

    found: Floats = pd.Series(values).groupby(group).cumsum().to_numpy()
    return found


def ratio(above: Floats, below: Floats) -> Floats:
    """Quotients; undefined where there is nothing to divide by."""
    found: Floats = np.divide(above, below, out=np.full(len(above), np.nan), where=below != 0)
    return found


def first_known(values: Floats) -> int:
    """The place of the first value that is there; the length when none is."""
    known = np.isfinite(values)
    return int(np.argmax(known)) if known.any() else len(values)
