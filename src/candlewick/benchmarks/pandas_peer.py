"""pandas: the desk set as its users write it: rolling, ewm from a seeded start, groupby for VWAP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from candlewick.benchmarks.inputs import Inputs

if TYPE_CHECKING:
    import pandas as pd

NAME = "pandas"
PACKAGES = ("pandas",)
TOLERANCE = 1e-7
"""Its rolling deviation is a running sum over the whole series."""


def frame(inputs: Inputs) -> pd.DataFrame:
    """What is at hand before the clock starts: candles with the session that each belongs to."""
    import pandas as pd

    columns = {name: getattr(inputs, name) for name in ("open", "high", "low", "close", "volume")}
    return pd.DataFrame({**columns, "session": inputs.number("session")})


def desk(candles: pd.DataFrame) -> pd.DataFrame:
    """The 11 columns of the desk set."""
    import pandas as pd

    high, low, close, volume = candles["high"], candles["low"], candles["close"], candles["volume"]
    window = close.rolling(20)
    middle = window.mean()
    half = 2 * window.std(ddof=0)
    paid = ((high + low + close) / 3 * volume).groupby(candles["session"]).cumsum()
    before = close.shift()
    true_range = np.maximum(high, before) - np.minimum(low, before)
    change = close.diff()
    gain = _smoothed(change.clip(lower=0), 14, 1 / 14, 1)
    loss = _smoothed(-change.clip(upper=0), 14, 1 / 14, 1)
    return pd.DataFrame(
        {
            "sma_9": close.rolling(9).mean(),
            "bollinger_20_2_upper": middle + half,
            "bollinger_20_2_middle": middle,
            "bollinger_20_2_lower": middle - half,
            "bollinger_20_2_width": 2 * half / middle,
            "vwap": paid / volume.groupby(candles["session"]).cumsum(),
            "ema_5": _smoothed(close, 5, 2 / 6),
            "ema_9": _smoothed(close, 9, 2 / 10),
            "ema_50": _smoothed(close, 50, 2 / 51),
            "atr_14": _smoothed(true_range, 14, 1 / 14, 1),
            "rsi_14": 100 * gain / (gain + loss),
        }
    )


def _smoothed(values: pd.Series[Any], period: int, factor: float, first: int = 0) -> pd.Series[Any]:
    """An exponential average that starts from the mean of its first ``period`` values."""
    seeded = values.copy()
    seed = first + period - 1
    seeded.iloc[:seed] = np.nan
    seeded.iloc[seed] = values.iloc[first : seed + 1].mean()
    return seeded.ewm(alpha=factor, adjust=False).mean()
