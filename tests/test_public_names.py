"""The public face is pinned: a name comes or goes only together with this list."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import candlewick

PINNED = [
    "ATR",
    "EMA",
    "MACD",
    "RSI",
    "SMA",
    "VWAP",
    "WMA",
    "Answer",
    "Bars",
    "Bollinger",
    "Calendar",
    "Candles",
    "CandlewickError",
    "Indicator",
    "IndicatorFrame",
    "InputError",
    "PercentB",
    "StandardDeviation",
    "Stochastic",
    "StoreError",
    "Stream",
    "StreamMany",
    "Timeframe",
    "TrueRange",
    "__version__",
    "aggregate",
    "aggregate_many",
    "compute",
    "compute_many",
    "find_calendar",
    "ingest",
    "open_store",
    "query",
    "read_csv",
    "warm_up",
]


def test_public_names() -> None:
    assert sorted(candlewick.__all__) == sorted(PINNED)
    assert dir(candlewick) == sorted(candlewick.__all__)
    for name in PINNED:
        assert getattr(candlewick, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'candlewick' has no attribute 'compile'"):
        candlewick.compile  # type: ignore[attr-defined] # noqa: B018


def test_the_function_is_not_hidden_by_a_package() -> None:
    assert callable(candlewick.aggregate)
    assert candlewick.aggregate.__module__ == "candlewick.aggregation.batch"


def test_importing_costs_no_library() -> None:
    code = "import sys, candlewick; print(*{'numpy', 'pandas', 'numba', 'pyarrow', 'duckdb'}.intersection(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_typed_usage_type_checks(tmp_path: Path) -> None:
    usage = Path(__file__).parent / "typing_usage.py"
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(usage)]
    found = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False)
    assert found.returncode == 0, found.stdout
