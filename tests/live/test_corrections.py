"""Corrections: what those who come back are told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from candlewick.live.corrections import MOST, Corrections


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 50)), max_size=30), st.integers(0, 90))
def test_it_is_the_earliest_of_those_that_came_later(steps, revision):
    at, made, known = 10, [], Corrections(10)
    for more, since in steps:
        at += more
        made.append((at, since))
        known = known.noted(at, since)
    assert known.after(revision) == min((since for at, since in made if at > revision), default=None)


def test_the_oldest_is_forgotten_and_that_is_known():
    known = Corrections(0)
    for k in range(1, 2 * MOST):
        known = known.noted(k, k)
    assert len(known.made) == MOST
    assert known.known == MOST - 1
    assert known.after(known.known) == MOST
