"""Rows: what is the same bar has the same mark, whichever range it was asked for with; what is another one has not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.live.rows import DIGITS, Rows
from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.service.request import Request
from candlewick.sources.simulated import simulate
from candlewick.store.memory import MemoryStore

SPECS = "desk,macd,stochastic,stddev(20),sma(3),percent_b(20,2)"


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    store = MemoryStore()
    store.upsert_many(list(simulate(["SIM"], "XNYS", 4, 3)))
    return store


@pytest.mark.parametrize("engine", [ClassicService, OptimizedService])
@pytest.mark.parametrize("timeframe", ["1m", "5m"])
def test_marks_do_not_depend_on_the_range(
    store: MemoryStore, engine: type[ClassicService] | type[OptimizedService], timeframe: str
) -> None:
    first, last = store.date_range("SIM", "1m")
    with engine(store) as service:
        whole = Rows.of(service.candles(Request.of("SIM", timeframe, SPECS)))
        for share in (0.2, 0.5, 0.9):
            start = first + int((last - first) * share)
            part = Rows.of(service.candles(Request.of("SIM", timeframe, SPECS, start=start)))
            assert 0 < len(part) < len(whole)
            assert (part.marks() == whole.marks()[-len(part) :]).all()


def rows(values: list[float], exact: bool) -> Rows:
    table = np.array([[100.0, 101.0, 99.0, 100.5, 5000.0, *values]])
    return Rows(np.array([0]), table, np.array([5], dtype=np.int32), np.array([True]), exact)


@given(st.floats(-1e6, 1e6), st.booleans(), st.sampled_from([0, 1, 3, 4]))
def test_another_bar_has_another_mark(value: float, exact: bool, column: int) -> None:
    one, other = rows([value], exact), rows([value], exact)
    other.values[0, column] = np.nextafter(other.values[0, column], np.inf)
    assert one.marks() != other.marks(), "what the bar itself says counts to the last bit"


@given(st.floats(-1e6, 1e6))
def test_indicators_count_as_exactly_as_the_engine_computes_them(value: float) -> None:
    size = max(abs(value), 101.0)
    beside, away = value + size * 2.0**-50, value + size * 2.0 ** (2 - DIGITS)
    assert rows([value], True).marks() != rows([beside], True).marks()
    assert rows([value], False).marks() != rows([away], False).marks()
    assert rows([0.0], False).marks() == rows([-1e-14], False).marks()


def test_undefined_is_undefined() -> None:
    assert rows([np.nan], False).marks() == rows([np.nan], False).marks()
    assert rows([np.nan], False).marks() != rows([0.0], False).marks()
    assert replace(rows([1.0], False), exact=True).marks() == rows([1.0], True).marks()
