"""KeptBars: rows put behind each other, with room to grow that is counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick import Candles
from candlewick.aggregation import aggregate
from candlewick.aggregation.growing import Growing
from candlewick.cache.kept_bars import SPARE, TYPES, KeptBars, bytes_of, roomy
from candlewick.timeframe import Timeframe

Maker = Callable[..., Candles]
WIDTH = sum(np.dtype(kind).itemsize for kind in TYPES.values())


def growing_of(candles: Candles) -> Growing:
    return Growing(candles.symbol, candles.timeframe, Timeframe.parse("5m"), candles.calendar)


@given(st.integers(0, 50), st.lists(st.one_of(st.integers(0, 30), st.just(-7)), max_size=12), st.booleans())
def test_what_is_put_in_comes_out(minutes: Maker, first: int, steps: list[int], more: bool) -> None:
    candles = minutes(5 * 500)
    bars = aggregate(candles, "5m")
    growing = growing_of(candles)
    kept = KeptBars(first)
    count = first
    for step in steps:
        if step < 0:
            count = max(first, count + step)
            kept.cut(count)
        else:
            kept.append(bars.rows(count, count + step), more=more)
            count += step
        assert kept.count == count
        assert kept.nbytes % WIDTH == 0
        assert kept.nbytes // WIDTH >= count - first
    kept.fit()
    assert kept.nbytes // WIDTH <= max(roomy(count - first), SPARE * 3)
    assert kept.times.tolist() == bars.microseconds[first:count].tolist()
    assert kept.rows(first, count, growing) == _not_final(bars.rows(first, count), 0)
    for final in (0, count - first):
        tail = bars.rows(count, count + 1)
        joined = kept.joined(first, count + 1, tail, final, growing)
        assert joined == _not_final(bars.rows(first, count + 1), final)
        assert np.array_equal(joined.anchor, bars.anchor[first : count + 1])
        assert bytes_of(joined) == len(joined) * (WIDTH + 1)
    assert len(kept.joined(count + 1, count + 1, tail, 0, growing)) == 0
    if count > first:
        assert kept.anchor(first) == bars.anchor[first]


def test_what_was_handed_out_is_a_copy(minutes: Maker) -> None:
    candles = minutes(500)
    bars, other = aggregate(candles, "5m"), aggregate(minutes(500, seed=2), "5m")
    kept = KeptBars()
    kept.append(bars.rows(0, 50))
    out = kept.joined(10, 40, bars.rows(50, 51), 30, growing_of(candles))
    kept.cut(5)
    kept.append(other.rows(5, 60))
    assert np.array_equal(out.close, bars.close[10:40])
    with pytest.raises(ValueError, match="read-only"):
        out.close[0] = 1


def test_growing_costs_little_a_row(minutes: Maker) -> None:
    bars = aggregate(minutes(5 * 3000), "5m")
    kept, moved, before = KeptBars(), 0, 0
    for row in range(3000):
        kept.append(bars.rows(row, row + 1))
        if kept.nbytes != before:
            moved += row
        before = kept.nbytes
    assert moved / 3000 < 32, "times that a row is copied while the series grows"


def _not_final(bars, final):
    return type(bars).made(
        bars.symbol,
        bars.timeframe,
        bars.calendar,
        bars.microseconds,
        {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")},
        n=bars.n,
        final=np.arange(len(bars)) < final,
        anchor=bars.anchor,
        source=bars.source,
    )
