"""The e-value equals its integral, is a fair game under the null, and the thresholds add up to alpha."""

from __future__ import annotations

from fractions import Fraction
from math import comb, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.delivery.evidence import e_value, threshold

counts = st.integers(0, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


def exact(n: int, k: int) -> Fraction:
    """The integral from 1/2 to 1 of p^k (1 - p)^(n - k), by the binomial expansion of (1 - p)^(n - k), x 2^(n + 1)."""
    terms = (
        (-1) ** j * comb(n - k, j) * (1 - Fraction(1, 2 ** (k + j + 1))) / Fraction(k + j + 1) for j in range(n - k + 1)
    )
    return 2 ** (n + 1) * sum(terms, Fraction(0))


@given(counts)
def test_it_is_the_integral(pair: tuple[int, int]) -> None:
    n, k = pair
    right = exact(n, k)
    assert abs(Fraction(e_value(n, k)) - right) <= right * (k + 1) * Fraction(1, 2**52)


@given(counts)
def test_it_is_a_fair_game(pair: tuple[int, int]) -> None:
    n, k = pair
    assert (exact(n + 1, k + 1) + exact(n + 1, k)) / 2 == exact(n, k)
    assert (e_value(n + 1, k + 1) + e_value(n + 1, k)) / 2 == pytest.approx(e_value(n, k), rel=1e-12)


@given(counts)
def test_more_blame_is_more_evidence(pair: tuple[int, int]) -> None:
    n, k = pair
    assert e_value(n + 1, k + 1) > e_value(n, k) >= e_value(n + 1, k)


def test_nothing_seen_is_no_evidence_and_very_much_is_infinite() -> None:
    assert e_value(0, 0) == 1.0
    assert e_value(5, 5) == 63 / 6
    assert e_value(5000, 5000) == inf


def test_the_chances_of_all_trials_add_up_to_alpha() -> None:
    chances = [1 / threshold(trial, 0.05) for trial in range(1, 20_000)]
    assert sum(chances) < 0.05
    assert sum(chances) > 0.0499
