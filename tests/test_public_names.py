"""The public face is pinned: a name comes or goes only together with this list."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import candlewick

HEAVY = {"pandas", "numba", "exchange_calendars", "polars", "talib", "talipp"}
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
    "Client",
    "Indicator",
    "IndicatorFrame",
    "InputError",
    "PercentB",
    "ServedAnswer",
    "StandardDeviation",
    "Stochastic",
    "StoreError",
    "Stream",
    "StreamMany",
    "StreamedBar",
    "Timeframe",
    "TrueRange",
    "__version__",
    "aggregate",
    "aggregate_many",
    "compute",
    "compute_many",
    "connect",
    "find_calendar",
    "from_frame",
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


def test_type_checkers_see_the_names_where_they_are_loaded_from() -> None:
    tree = ast.parse(inspect.getsource(candlewick))
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {
        node.module: tuple(sorted(name.name for name in node.names))
        for node in block.body
        if isinstance(node, ast.ImportFrom)
    }
    assert seen == {home: tuple(sorted(names)) for home, names in candlewick._HOMES.items()}
    assert {name for names in seen.values() for name in names} == set(PINNED) - {"__version__"}


def test_every_public_name_says_what_it_promises() -> None:
    for name in set(PINNED) - {"__version__"}:
        assert (inspect.getdoc(getattr(candlewick, name)) or "").strip(), name


def test_all_of_it_can_be_imported_with_a_star() -> None:
    code = "from candlewick import *; print(*sorted(set(dir()) - {'__builtins__'}))"
    names = python("-c", code).stdout.split()
    assert set(PINNED) <= set(names)


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("candlewick", HEAVY | {"numpy", "pyarrow", "duckdb"}),
        ("candlewick.candles", HEAVY | {"pyarrow", "duckdb"}),
        ("candlewick.bars", HEAVY | {"pyarrow", "duckdb"}),
        ("candlewick.indicators", HEAVY | {"pyarrow", "duckdb"}),
        ("candlewick.client", HEAVY | {"pyarrow", "duckdb", "httpx", "websockets", "stamina", "fastapi"}),
    ],
)
def test_importing_costs_no_library(module: str, absent: set[str]) -> None:
    code = f"import sys, {module}; print(*sorted(set({sorted(absent)!r}) & set(sys.modules)))"
    assert python("-c", code).stdout.strip() == ""


@pytest.mark.slow  # `make lint` does it too, with what it knows already
def test_typed_usage_type_checks(tmp_path: Path) -> None:
    usage = Path(__file__).parent / "typing_usage.py"
    found = python("-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(usage), check=False)
    assert found.returncode == 0, found.stdout
    assert "no issues found in 1 source file" in found.stdout


def python(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[1]
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=root, check=check)
