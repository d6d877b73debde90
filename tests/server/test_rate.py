"""The rate of requests: what a bucket gives, and what it never gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.server import rate as module
from candlewick.server.rate import Rates, take

TIMES = st.lists(st.floats(0, 5, allow_subnormal=False), max_size=60)


@given(TIMES, st.floats(0.1, 50), st.floats(1, 20))
def test_no_more_come_in_than_fit_into_the_time(pauses, rate, most):
    """In any stretch from the first to the last: at most the burst, and the rate times how long it was."""
    bucket, now, taken = None, 100.0, []
    for pause in pauses:
        now += pause
        bucket, seconds = take(bucket, now, rate, most)
        if not seconds:
            taken.append(now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= most + rate * (taken[last] - taken[first]) + 1e-6


@given(TIMES, st.floats(0.1, 50), st.floats(1, 20))
def test_who_waits_as_told_comes_in(pauses, rate, most):
    bucket, now = None, 100.0
    for pause in pauses:
        now += pause
        bucket, seconds = take(bucket, now, rate, most)
        if seconds:
            assert seconds <= 1 / rate * (1 + 1e-9)
            assert take(bucket, now + seconds * (1 + 1e-9) + 1e-9, rate, most)[1] == 0.0


def test_a_clock_that_goes_back_gives_nothing_away():
    bucket, _ = take(None, 100.0, 1.0, 1.0)
    assert take(bucket, 50.0, 1.0, 1.0)[1] == 1.0


def test_everybody_has_a_bucket_of_their_own():
    rates = Rates(2.0)
    assert [rates.wait("a", 0.0), rates.wait("a", 0.0)] == [0.0, 0.0]
    assert rates.wait("a", 0.0) == pytest.approx(0.5)
    assert rates.wait("b", 0.0) == 0.0
    assert rates.wait("a", 0.5) == 0.0


def test_no_limit_is_none_and_a_small_rate_lets_one_in():
    assert {Rates(0.0).wait("a", 0.0) for _ in range(1000)} == {0.0}
    slow = Rates(0.1)
    assert slow.wait("a", 0.0) == 0.0
    assert slow.wait("a", 0.0) == pytest.approx(10)


def test_what_is_kept_of_everybody_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST", 3)
    rates = Rates(1.0)
    for who in "abcd":
        rates.wait(who, 0.0)
    assert list(rates._buckets) == ["b", "c", "d"]
