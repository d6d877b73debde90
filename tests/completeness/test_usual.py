"""Runs and what is usual, against the plain way of counting them."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.completeness.usual import Runs, expected, ordinary


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2)), max_size=40), st.booleans())
def test_runs_are_those_that_one_counts_by_hand(steps: list[tuple[bool, int]], cut: bool) -> None:
    flags = np.array([flag for flag, _ in steps], dtype=np.bool_)
    group = np.cumsum([step for _, step in steps], dtype=np.int64)
    groups = int(group[-1]) + 1 if len(group) else 0
    by_hand = []
    place = 0
    for (flag, _), members in groupby(
        zip(flags.tolist(), group.tolist(), strict=True), lambda m: (m[0], m[1] if cut else 0)
    ):
        many = len(list(members))
        if flag:
            by_hand.append((place, place + many))
        place += many
    runs = Runs.of(flags, group, groups, cut=cut)
    assert list(zip(runs.start.tolist(), runs.stop.tolist(), strict=True)) == by_hand
    lengths: dict[int, list[int]] = {number: [0, 0] for number in range(groups)}
    for start, stop in by_hand:
        lengths[int(group[start])].append(stop - start)
    assert runs.longest.tolist() == [sorted(lengths[number])[-1] for number in range(groups)]
    assert runs.second.tolist() == [sorted(lengths[number])[-2] for number in range(groups)]
    for run, (start, stop) in enumerate(by_hand):
        without = {number: list(mine) for number, mine in lengths.items()}
        without[int(group[start])].remove(stop - start)
        usual = float(np.median([max(mine) for mine in without.values()]))
        assert runs.usual(run, np.ones(groups, dtype=np.bool_)) == usual
        assert runs.usual(run, np.zeros(groups, dtype=np.bool_)) == 0.0


def test_longer_runs_are_expected_less_often_and_the_run_itself_does_not_count() -> None:
    length = np.array([1, 2, 5, 40])
    one = np.full(4, 390)
    alone = expected(length, 2340, 40, one, length)
    assert (np.diff(alone) < 0).all()
    # 40 of 2340 are the run itself: without them nothing says that a minute may be empty.
    assert alone[3] < 1e-50
    assert expected(np.array([3]), 2340, 300, np.array([390]), np.array([3]))[0] > 1
    # A rate that holds in the same session only counts as well.
    assert expected(np.array([3]), 2340, 100, np.array([390]), np.array([100]))[0] > 1


def test_what_is_usual_does_not_move_with_a_few_damaged_sessions() -> None:
    assert ordinary(np.array([1.0, 1.0, 1.0, 0.2, 0.9]), 390) == pytest.approx((1.0, 1.0, 1.0))
    middle, least, most = ordinary(np.array([0.2, 0.3, 0.4]), 390)
    assert (middle, most - middle) == (0.3, pytest.approx(4 * 1.4826 * 0.1))
    assert middle - least == pytest.approx(most - middle)
    # Sessions that are alike by chance do not make the bounds narrower than chance does.
    assert ordinary(np.array([0.5, 0.5, 0.5]), 100) == pytest.approx((0.5, 0.25, 0.75))
    assert ordinary(np.array([1.0, 1.0]), 100, 0.1) == pytest.approx((1.0, 0.9, 1.1))
