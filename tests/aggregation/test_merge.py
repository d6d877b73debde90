"""The merge of two partial bars is associative."""

from __future__ import annotations

import math
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from candlewick.aggregation.merge import Partial, merge, untraded

prices = st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 1e8, 1e-8])
partials = st.tuples(prices, prices, prices, prices, st.integers(0, 2**40).map(float), st.integers(1, 1000))


def joined(left: Partial, right: Partial) -> Partial:
    open_, high, low, _, volume, n = left
    return merge(open_, high, low, volume, n, *right[1:])


def bits(partial: Partial) -> tuple[str, ...]:
    return tuple(float(value).hex() for value in partial)


@given(partials, partials, partials)
def test_associative_to_the_bit(a: Partial, b: Partial, c: Partial) -> None:
    assert bits(joined(joined(a, b), c)) == bits(joined(a, joined(b, c)))


@given(st.lists(partials, min_size=1, max_size=9))
def test_a_fold_is_first_highest_lowest_last_sum(parts: list[Partial]) -> None:
    open_, high, low, close, volume, n = reduce(joined, parts)
    assert (open_, close) == (parts[0][0], parts[-1][3])
    assert (high, low) == (max(part[1] for part in parts), min(part[2] for part in parts))
    assert (volume, n) == (math.fsum(part[4] for part in parts), sum(part[5] for part in parts))


def test_untraded_is_flat_and_without_volume() -> None:
    assert untraded(5.0, 5.0, 5.0, 5.0, 0.0)
    assert not untraded(5.0, 5.0, 5.0, 5.0, 1.0)
    assert not untraded(5.0, 6.0, 5.0, 5.0, 0.0)
    assert not untraded(5.0, 5.0, 4.0, 5.0, 0.0)
    assert not untraded(5.0, 5.0, 5.0, 4.0, 0.0)
