"""Block: columns that grow, go back and grow again are those of a computation from the first bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick import Candles
from candlewick.aggregation import aggregate
from candlewick.aggregation.growing import Growing
from candlewick.cache.block import Block
from candlewick.cache.buffer_pool import BufferPool
from candlewick.cache.checkpoints import BASE, places
from candlewick.cache.kept_bars import KeptBars
from candlewick.engine.compute import compute
from candlewick.engine.plan import plan
from candlewick.indicators import parse_indicators

Maker = Callable[..., Candles]
DESK = parse_indicators("desk")
LONGEST = 900


@given(
    first=st.sampled_from([0, 0, 1, 70]),
    steps=st.lists(st.tuples(st.sampled_from(["grow", "grow", "back"]), st.integers(1, 300)), max_size=10),
)
def test_growing_and_going_back_equals_a_computation_of_all(
    minutes: Maker, first: int, steps: list[tuple[str, int]]
) -> None:
    candles = minutes(LONGEST)
    bars = aggregate(candles, "1m")
    growing = Growing("S", candles.timeframe, candles.timeframe, candles.calendar)
    buffers = BufferPool(10**6)
    block, kept = Block(plan(DESK).groups[0]), KeptBars(first)
    if first:
        block.pass_over(bars.rows(0, first))
    assert (block.first, block.covered) == (first, first)
    been_back = False
    for step, by in steps:
        if step == "grow":
            to = min(kept.count + by, LONGEST - 1)
            kept.append(bars.rows(kept.count, to))
            block.advance(kept, growing, buffers)
            assert block.covered == kept.count
            if kept.count > first:
                wanted = [first, *places(first, kept.count)]
                assert block.checkpoints[0] == first
                assert set(block.checkpoints) <= set(wanted)
                assert been_back or block.checkpoints == wanted
        else:
            been_back = True
            to = max(first, kept.count - by)
            kept.cut(to)
            block.go_back(to)
            assert block.covered <= to
            block.advance(kept, growing, buffers)
        assert block.nbytes == _recounted(block)
        _compare(block, bars, first, kept.count)
        assert buffers.stats().lent_bytes == 0


def test_a_block_cannot_go_back_before_what_is_kept(minutes: Maker) -> None:
    candles = minutes(3 * BASE)
    bars = aggregate(candles, "1m")
    block, kept = Block(plan(DESK).groups[0]), KeptBars(BASE)
    block.pass_over(bars.rows(0, 0))
    block.pass_over(bars.rows(0, BASE))
    kept.append(bars.rows(BASE, 2 * BASE))
    block.advance(kept, Growing("S", candles.timeframe, candles.timeframe, candles.calendar), BufferPool(0))
    with pytest.raises(ValueError, match="before the first one kept"):
        block.go_back(BASE - 1)


def test_the_newest_bar_is_computed_once_and_kept_out_of_the_state(minutes: Maker) -> None:
    candles = minutes(100)
    bars = aggregate(candles, "1m")
    growing = Growing("S", candles.timeframe, candles.timeframe, candles.calendar)
    block, kept = Block(plan(DESK).groups[0]), KeptBars()
    kept.append(bars.rows(0, 99))
    block.advance(kept, growing, BufferPool(0))
    tail, other = bars.rows(99, 100), aggregate(minutes(100, seed=3), "1m").rows(99, 100)
    rows = list(range(11))
    expected = block.columns(rows, 99, 100, tail)
    assert not np.array_equal(block.columns(rows, 99, 100, other), expected, equal_nan=True)
    assert np.array_equal(block.columns(rows, 99, 100, tail), expected, equal_nan=True)
    _compare(block, bars, 0, 99)


def _compare(block: Block, bars: Any, first: int, count: int) -> None:
    """Every column from ``first`` to the bar behind ``count``."""
    frame = compute(bars.rows(0, count + 1), DESK)
    names = list(block.group.columns)
    values = block.columns(list(range(len(names))), first, count + 1, bars.rows(count, count + 1))
    for row, name in enumerate(names):
        assert np.array_equal(values[row], frame[name][first:], equal_nan=True), name


def _recounted(block: Block) -> int:
    """By numpy's own count of what the block holds."""
    arrays = [block._matrix, block._state, block._tail[1], *(one.state for one in block._checkpoints)]
    assert all(one.base is None or one.base.nbytes == one.nbytes or not one.nbytes for one in arrays)
    return sum(one.nbytes for one in arrays)
