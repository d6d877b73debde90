"""Outside: the candles that bars leave out, and only those."""

from __future__ import annotations

import numpy as np
import pytest

from candlewick.candles import Candles
from candlewick.cli.outside import outside_columns


@pytest.fixture
def candles() -> Candles:
    time = np.array(["2024-01-02T14:28", "2024-01-02T14:29", "2024-01-02T14:30", "2024-01-02T21:00"], "datetime64[us]")
    flat = np.array([5.0, 6.0, 7.0, 8.0])
    return Candles(
        symbol="A",
        timeframe="1m",
        calendar="XNYS",
        time=time,
        open=flat,
        high=[5, 7, 7, 8],
        low=flat,
        close=flat,
        volume=[0, 0, 1, 3],
    )


def test_only_what_lies_in_no_period(candles: Candles) -> None:
    columns = outside_columns(candles)
    assert columns["open"].tolist() == [5.0, 6.0, 8.0]
    assert columns["n"].tolist() == [1, 1, 1]
    assert columns["final"].all()
    assert list(columns) == ["time", "open", "high", "low", "close", "volume", "n", "final"]


def test_flat_candles_without_volume_may_be_dropped(candles: Candles) -> None:
    assert outside_columns(candles, drop_flat=True)["open"].tolist() == [6.0, 8.0]
