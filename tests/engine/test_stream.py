"""Stream and StreamMany: live equals batch, bit for bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import candlewick as cw
from candlewick.candles import VALUES
from candlewick.engine.frame import IndicatorFrame
from candlewick.errors import InputError, MissingColumnError, StateError
from candlewick.kernels.build import jit_disabled

pytestmark = pytest.mark.kernel

Maker = Callable[..., cw.Candles]
SPECS = "desk,stochastic,macd,wma(5)"
LENGTH = 120 if jit_disabled() else 900


def joined(frames: list[IndicatorFrame]) -> IndicatorFrame:
    """Frames of the same columns, one after the other, as one."""
    first = frames[0]
    values = np.concatenate([frame.matrix for frame in frames], axis=1)
    time = np.concatenate([frame.time.view(np.int64) for frame in frames])
    return IndicatorFrame(time, values, first.columns, {name: first.place(name) for name in first}, first._metadata())


def stream(timeframe: str = "5m", source: str | None = "1m") -> cw.Stream:
    return cw.Stream(SPECS, symbol="ACME", timeframe=timeframe, calendar="24/7", source=source)


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, LENGTH), max_size=12), through_bytes=st.booleans())
def test_any_cut_gives_the_batch(minutes: Maker, cuts: list[int], through_bytes: bool) -> None:
    candles = minutes(LENGTH)
    live, frames = stream(), []
    edges = [0, *sorted(cuts), LENGTH]
    for first, last in itertools.pairwise(edges):
        frames.append(live.update(candles.rows(first, last)))
        if through_bytes:
            live = cw.Stream.load(live.save())
    bars = cw.aggregate(candles, "5m")
    final = int(bars.final.sum())
    assert joined(frames) == cw.compute(bars, SPECS).between(0, final)


def test_peek_shows_the_forming_bar_and_changes_nothing(minutes: Maker) -> None:
    candles = minutes(103)
    live = stream()
    live.update(candles)
    before = live.save()
    forming = live.peek()
    assert forming == cw.compute(cw.aggregate(candles, "5m"), SPECS).between(20, 21)
    assert live.bars.n.tolist() == [3]
    assert live.save() == before


def test_peek_between_bars_is_empty(minutes: Maker) -> None:
    live = stream()
    assert live.update(minutes(100)).rows == 20
    assert live.peek().rows == 0
    assert len(live.bars) == 0


def test_source_defaults_to_the_bars_timeframe(minutes: Maker) -> None:
    live = cw.Stream("sma(3)", symbol="ACME", timeframe="1m", calendar="24/7")
    assert live.update(minutes(10)) == cw.compute(minutes(10), "sma(3)")


def test_late_and_foreign_candles_are_refused_and_change_nothing(minutes: Maker) -> None:
    live = stream()
    live.update(minutes(10))
    before = live.save()
    for wrong in (minutes(10), minutes(1), minutes(20, symbol="OTHER"), minutes(20, minute=5)):
        with pytest.raises(InputError):
            live.update(wrong)
        assert live.save() == before


@pytest.mark.parametrize("damage", ["empty", "cut", "longer", "foreign", "header"])
def test_damaged_state_is_refused(minutes: Maker, damage: str) -> None:
    live = stream()
    live.update(minutes(50))
    data = live.save()
    damaged = {
        "empty": b"",
        "cut": data[:-8],
        "longer": data + b"12345678",
        "foreign": b"something else" + data,
        "header": data[:30] + b"\xff" + data[31:],
    }[damage]
    with pytest.raises(StateError, match="data"):
        cw.Stream.load(damaged)


def test_state_of_other_kernels_is_refused(minutes: Maker) -> None:
    live = stream()
    data = live.save()
    version = data[data.index(b'"kernel": "') + 11 :][:16]
    with pytest.raises(StateError, match="rebuild the stream"):
        cw.Stream.load(data.replace(version, b"0" * 16))


def test_equal_states_are_equal_bytes(minutes: Maker) -> None:
    once, twice = stream(), stream()
    candles = minutes(77)
    once.update(candles)
    twice.update(candles.rows(0, 33))
    twice.update(candles.rows(33, 77))
    assert once.save() == twice.save()


def test_many_symbols_equal_each_alone(minutes: Maker) -> None:
    specs = "desk,stochastic(5,3,3),macd,wma(5),true_range,sma(4,open),stddev,percent_b,rsi(7,low)"
    count = 40 if jit_disabled() else 200
    series = [cw.compute(minutes(count, seed=k), specs) for k in range(3)]
    candles = [minutes(count, seed=k) for k in range(3)]
    bars = cw.aggregate(candles[0], "1m")
    live = cw.StreamMany(specs, ["A", "B", "C"])
    assert live.columns == series[0].columns
    for t in range(count):
        bar = {name: np.array([getattr(one, name)[t] for one in candles]) for name in VALUES}
        found = live.update({**bar, "anchor": np.full(3, bars.anchor[t])})
        for column in live.columns:
            expected = np.array([frame[column][t] for frame in series])
            assert np.array_equal(found[column], expected, equal_nan=True), (t, column)


def test_many_refuses_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="symbols"):
        cw.StreamMany("sma(3)", [])
    live = cw.StreamMany("sma(3)", ["A", "B"])
    with pytest.raises(MissingColumnError, match="close"):
        live.update({"open": np.zeros(2)})
    with pytest.raises(InputError, match="one value for each of the 2 symbols"):
        live.update({"close": np.zeros(3)})
    with pytest.raises(InputError, match=r"close\[1\]: nan is not finite"):
        live.update({"close": np.array([1.0, np.nan])})
