"""How far answers are from ours."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.benchmarks.agreement import largest_difference

COLUMNS = st.lists(st.one_of(st.just(nan), st.floats(-1e9, 1e9)), min_size=1, max_size=30)


@given(COLUMNS)
def test_no_column_differs_from_itself(column: list[float]) -> None:
    values = np.array(column)
    assert largest_difference({"x": values}, {"x": values.copy()}) == 0.0


@given(COLUMNS, st.data())
def test_one_undefined_row_more_is_a_difference(column: list[float], data: st.DataObject) -> None:
    values = np.array(column)
    row = data.draw(st.integers(0, len(values) - 1))
    other = values.copy()
    other[row] = 1.0 if np.isnan(other[row]) else nan
    assert largest_difference({"x": values}, {"x": other}) == inf


def test_the_share_is_of_the_largest_value() -> None:
    assert largest_difference({"x": np.array([1.0, 200.0])}, {"x": np.array([3.0, 200.0])}) == 0.01


def test_the_worst_column_counts() -> None:
    right = {"x": np.array([1.0]), "y": np.array([4.0])}
    assert largest_difference(right, {"x": np.array([1.0]), "y": np.array([3.0])}) == 0.25


def test_zero_everywhere_is_compared_as_it_is() -> None:
    assert largest_difference({"x": np.zeros(3)}, {"x": np.full(3, 0.5)}) == 0.5


def test_rows_before_settled_are_not_looked_at() -> None:
    right, other = np.array([nan, 1.0, 2.0]), np.array([5.0, nan, 2.0])
    assert largest_difference({"x": right}, {"x": other}, settled=2) == 0.0
    assert largest_difference({"x": right}, {"x": other}, settled=1) == inf


def test_the_first_rows_alone_are_compared_where_a_contender_does_less() -> None:
    assert largest_difference({"x": np.array([1.0, 2.0])}, {"x": np.array([1.0])}) == 0.0


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"y": np.ones(2)},
        {"x": np.ones(2), "y": np.ones(2)},
        {"x": np.ones(3)},
        {"x": np.ones(0)},
    ],
)
def test_other_columns_and_other_lengths_differ(other: dict[str, np.ndarray]) -> None:
    assert largest_difference({"x": np.ones(2)}, other) == inf


def test_nothing_to_compare_is_no_agreement() -> None:
    assert largest_difference({}, {}) == inf
