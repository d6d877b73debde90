"""Bars: candles with n and final, cut, pickled and compared."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.bars import Bars
from candlewick.candles import VALUES, Candles
from candlewick.sessions.calendar import find_calendar
from candlewick.timeframe import Timeframe

CUTS = st.none() | st.integers(-12, 12)


def bars(n: int = 8, forming: bool = True) -> Bars:
    flags = np.ones(n, dtype=np.bool_)
    if forming and n:
        flags[-1] = False
    return Bars.made(
        "SPY",
        Timeframe.parse("5m"),
        find_calendar("24/7"),
        np.arange(n, dtype=np.int64) * 300_000_000,
        {name: np.arange(n, dtype=np.float64) for name in VALUES},
        n=np.arange(n, dtype=np.int32),
        final=flags,
        anchor=(np.arange(n) % 8).astype(np.uint8),
        source=Timeframe.parse("1m"),
    )


@given(CUTS, CUTS)
def test_cut_as_a_slice_has_it_sharing_memory(start: int | None, stop: int | None) -> None:
    whole = bars()
    cut = whole[start:stop]
    assert isinstance(cut, Bars)
    for name in ("microseconds", *VALUES, "n", "final", "anchor"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(whole, name)[start:stop])
        assert not len(cut) or np.shares_memory(getattr(cut, name), getattr(whole, name))
    assert cut.source == whole.source


@given(CUTS, CUTS)
def test_pickled_whole(start: int | None, stop: int | None) -> None:
    cut = bars()[start:stop]
    for again in (pickle.loads(pickle.dumps(cut)), copy.deepcopy(cut)):
        assert again == cut
        np.testing.assert_array_equal(again.anchor, cut.anchor)
        assert again.source == cut.source
        assert not any(getattr(again, name).flags.writeable for name in (*VALUES, "n", "final", "anchor"))


def test_by_time() -> None:
    assert bars()["1970-01-01T00:05:00Z":"1970-01-01T00:15:00Z"].n.tolist() == [1, 2]  # type: ignore[misc]


@pytest.mark.parametrize(("forming", "rows"), [(True, 7), (False, 8)])
def test_only_final_leaves_the_forming_bar_out(forming: bool, rows: int) -> None:
    assert len(bars(forming=forming).only_final()) == rows
    assert bars(forming=forming).only_final().final.all()
    assert len(bars(0).only_final()) == 0


def test_equal_by_n_final_and_source_too() -> None:
    assert bars() == bars()
    assert bars() != bars(forming=False)
    assert bars() != Candles.from_arrow(bars())


def test_arrow_has_n_and_final_and_the_source() -> None:
    arrow = pa.table(bars())
    assert arrow.column_names == ["time", *VALUES, "n", "final"]
    assert arrow.schema.field("n").type == pa.int32()
    assert arrow.column("final").to_pylist() == [True] * 7 + [False]
    assert arrow.schema.metadata[b"candlewick.source"] == b"1m"


def test_repr_says_what_the_bars_were_made_of() -> None:
    assert repr(bars()).splitlines()[0] == "<Bars SPY 5m 24/7 of 1m candles: 8 rows>"


def test_frozen() -> None:
    one = bars()
    with pytest.raises(AttributeError, match="Bars is frozen: n cannot be set"):
        one.n = np.zeros(8, dtype=np.int32)
    with pytest.raises(AttributeError, match="Bars is frozen: n cannot be deleted"):
        del one.n
    with pytest.raises(ValueError, match="read-only"):
        one.n[0] = 5


def test_bars_are_made_by_aggregation_alone() -> None:
    with pytest.raises(TypeError, match="made by aggregate"):
        Bars(symbol="SPY")
    with pytest.raises(TypeError, match="made by aggregate"):
        Bars.from_arrow(bars())
