"""Values that another public library (Stock.Indicators, Apache-2.0) states for its quotes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from candlewick import Candles, compute

pytestmark = pytest.mark.untraced

GOLDEN = [
    ("sma.json", "sma", "sma(20)", "sma_20"),
    ("ema.json", "ema", "ema(20)", "ema_20"),
    ("wma.json", "wma", "wma(14)", "wma_14"),
    ("rsi.json", "rsi", "rsi(14)", "rsi_14"),
    ("atr.json", "atr", "atr(14)", "atr_14"),
    ("tr.json", "tr", "true_range", "true_range"),
    ("stdev.json", "stdDev", "stddev(14)", "stddev_14"),
    ("bb.json", "upperBand", "bollinger(20,2)", "bollinger_20_2_upper"),
    ("bb.json", "sma", "bollinger(20,2)", "bollinger_20_2_middle"),
    ("bb.json", "lowerBand", "bollinger(20,2)", "bollinger_20_2_lower"),
    ("bb.json", "width", "bollinger(20,2)", "bollinger_20_2_width"),
    ("bb.json", "percentB", "percent_b(20,2)", "percent_b_20_2"),
    ("vwap.json", "vwap", "vwap(first)", "vwap_first"),
    ("macd.json", "macd", "macd(12,26,9)", "macd_12_26_9_line"),
    ("macd.json", "signal", "macd(12,26,9)", "macd_12_26_9_signal"),
    ("macd.json", "histogram", "macd(12,26,9)", "macd_12_26_9_histogram"),
    ("stoch.json", "k", "stochastic(14,3,3)", "stochastic_14_3_3_k"),
    ("stoch.json", "d", "stochastic(14,3,3)", "stochastic_14_3_3_d"),
]


@pytest.fixture(scope="module")
def quotes(shared_data: Path) -> Candles:
    with (shared_data / "golden" / "quotes_default.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    values = {name: [float(row[name]) for row in rows] for name in ("open", "high", "low", "close", "volume")}
    return Candles(symbol="QUOTES", timeframe="1d", calendar="XNYS", time=[row["date"] for row in rows], **values)


@pytest.mark.parametrize(("file", "key", "spec", "column"), GOLDEN)
def test_golden(quotes: Candles, shared_data: Path, file: str, key: str, spec: str, column: str) -> None:
    stated = json.loads((shared_data / "golden" / file).read_text())
    expected = np.array([np.nan if row[key] is None else row[key] for row in stated], dtype=np.float64)
    found = compute(quotes, spec)[column]
    assert len(expected) == 502
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=0)
