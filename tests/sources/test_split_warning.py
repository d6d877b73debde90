from __future__ import annotations

import numpy as np
import pytest

from candlewick.sources.split_warning import splits
from candlewick.timeframe import MINUTE

NIGHT = 18 * 60


def series(before: float, after: float, gap: int = NIGHT, rows: int = 20) -> tuple[np.ndarray, np.ndarray]:
    time = np.arange(2 * rows, dtype=np.int64)
    time[rows:] += gap
    return time * MINUTE, np.repeat([before, after], rows) * np.linspace(1, 1.01, 2 * rows)


@pytest.mark.parametrize(
    ("ratio", "text"), [(2, "2:1"), (3, "3:1"), (7, "7:1"), (20, "20:1"), (1.5, "3:2"), (0.1, "1:10"), (2 / 3, "2:3")]
)
def test_a_lasting_jump_over_night(ratio: float, text: str) -> None:
    time, close = series(100 * ratio, 100)
    assert splits(time, close, close) == [(20, text)]


@pytest.mark.parametrize(("ratio", "gap"), [(1.05, NIGHT), (1.3, NIGHT), (12, NIGHT), (2, 5), (2, 60 * 24 * 8)])
def test_other_jumps(ratio: float, gap: int) -> None:
    time, close = series(100 * ratio, 100, gap)
    assert splits(time, close, close) == []


def test_a_bad_tick_is_no_split() -> None:
    time, close = series(100, 100)
    close[20] = 50
    assert splits(time, close, close) == []


def test_the_first_open_may_still_be_the_old_price() -> None:
    time, close = series(645, 645 / 7)
    opened = close.copy()
    opened[20] = 645
    assert splits(time, opened, close) == [(20, "7:1")]


def test_prices_of_no_ratio_and_single_candles() -> None:
    time, close = series(-3, 0)
    assert splits(time, close, close) == []
    assert splits(time[:1], close[:1], close[:1]) == []
    time, close = series(100, 50)
    close[21:] = -1
    assert splits(time, close, close) == []
