"""Written: what rounding may have taken away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.compare.written import Written


@pytest.mark.parametrize(
    ("texts", "decimals", "significant"),
    [
        (["1.50", "2"], 2, 3),
        (["1200000", "5"], 0, 7),
        (["1.5e-7"], 8, 2),
        (["", "nan", "inf", "x"], 0, 0),
        ([], 0, 0),
    ],
)
def test_digits(texts, decimals, significant):
    assert Written.of(texts) == Written(decimals, significant)


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), digits=st.integers(0, 6))
def test_a_rounded_value_is_within_half_a_unit_of_what_it_was(values, digits):
    exact = np.array(values)
    texts = [f"{value:.{digits}f}" for value in values]
    half = Written.of(texts).half(np.array([float(text) for text in texts]))
    assert (np.abs(exact - [float(text) for text in texts]) <= half * (1 + 1e-6) + 1e-15).all()


@given(values=st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=40), digits=st.integers(1, 9))
def test_significant_digits_too(values, digits):
    texts = [f"{value:.{digits}g}" for value in values]
    shown = np.array([float(text) for text in texts])
    written = Written.of(texts)
    half = written.half(shown)
    # Where every number ends in a nought fewer digits seem to be written, which only makes the bound wider.
    assert (np.abs(np.array(values) - shown) <= half * (1 + 1e-6) + 1e-18).all()


def test_of_floats_in_full_nothing_is_rounded():
    values = np.random.default_rng(1).normal(100, 1, 50)
    assert (Written.of_numbers(values).half(values) < 1e-12).all()
    assert Written.of_numbers(np.array([1.0, 2.5, np.nan])) == Written(1, 2)
    assert str(Written(1, 2)) == "1 digit behind the point"
    assert str(Written(2, 2)) == "2 digits behind the point"
    assert Written(2, 0).half(np.array([1.0])).tolist() == [0.005]
