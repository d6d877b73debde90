"""Slopes and their limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import InputError
from candlewick.validator.slope import slope_of, student


@pytest.mark.parametrize(
    ("freedom", "table"), [(6, 2.4469), (10, 2.2281), (18, 2.1009), (30, 2.0423), (120, 1.9799), (10_000, 1.9602)]
)
def test_students_quantile_is_that_of_the_tables(freedom: int, table: float) -> None:
    assert student(freedom) == pytest.approx(table, abs=0.005)


@given(slope=st.floats(-1e4, 1e4), start=st.floats(-1e6, 1e6))
def test_of_a_line_the_slope_is_its_own_and_the_limit_too(slope: float, start: float) -> None:
    x = np.arange(20.0)
    found = slope_of(x, start + slope * x)
    assert found.value == pytest.approx(slope, rel=1e-6, abs=1e-4)
    assert found.upper == pytest.approx(slope, rel=1e-4, abs=1e-3)


def test_the_limit_covers_the_true_slope_in_about_97_of_100_cases() -> None:
    random = np.random.default_rng(3)
    x = np.arange(20.0)
    covered = sum(slope_of(x, 5 * x + random.normal(0, 30, 20)).upper >= 5 for _ in range(2_000))
    assert 0.963 < covered / 2_000 < 0.987


@given(st.lists(st.floats(0, 1e6), min_size=8, max_size=30))
def test_the_limit_is_never_below_the_slope(y: list[float]) -> None:
    found = slope_of(range(len(y)), y)
    assert found.upper >= found.value


def test_points_of_no_use() -> None:
    with pytest.raises(InputError, match="points"):
        slope_of([1, 2, 3], [1, 2, 3])
    with pytest.raises(InputError, match="points"):
        slope_of(range(10), range(9))
    with pytest.raises(InputError, match="stands at every point"):
        slope_of([1.0] * 10, range(10))
