"""Goals and verdicts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.benchmarks.goal import (
    FULL_SPEED,
    AtLeast,
    Faster,
    Goal,
    Standing,
    TimesTheCopy,
    Verdict,
    Within,
    all_met,
)

STANDING = Standing(ours=10.0, peers={"TA-Lib": 40.0}, copy=5.0, copy_speed=FULL_SPEED)
GOALS = [Faster(3.5, "TA-Lib"), Within(12.0), TimesTheCopy(2.5)]


@pytest.mark.parametrize("goal", GOALS)
@given(quicker=st.floats(0.01, 1.0))
def test_being_quicker_never_misses_what_was_met(goal: Goal, quicker: float) -> None:
    assert goal.judge(STANDING).met is True
    assert goal.judge(replace(STANDING, ours=STANDING.ours * quicker)).met is True


@pytest.mark.parametrize("goal", GOALS)
def test_twice_the_time_misses(goal: Goal) -> None:
    assert goal.judge(replace(STANDING, ours=20.1)).met is False


@pytest.mark.parametrize(
    ("goal", "text", "figure"),
    [
        (GOALS[0], "3.5x TA-Lib", 4.0),
        (GOALS[1], "12 ns", 10.0),
        (GOALS[2], "2.5x the copy", 2.0),
        (Within(12.0, "83M/s"), "83M/s", 10.0),
    ],
)
def test_verdicts_say_what_was_reached(goal: Goal, text: str, figure: float) -> None:
    assert goal.text == text
    assert goal.judge(STANDING) == Verdict(text, figure, True)


def test_without_the_peer_there_is_no_verdict() -> None:
    assert Faster(2.0, "pandas").judge(STANDING) == Verdict("2x pandas", None, None)


def test_a_machine_that_copies_slowly_is_given_more_time() -> None:
    slow = replace(STANDING, copy_speed=FULL_SPEED / 2)
    assert Within(6.0).judge(STANDING).met is False
    assert Within(6.0).judge(slow) == Verdict("6 ns (here 12 ns)", 10.0, True)
    assert Within(4.9).judge(slow).met is False


def test_a_machine_that_copies_faster_is_not_held_to_more() -> None:
    assert Within(10.0).judge(replace(STANDING, copy_speed=2 * FULL_SPEED)) == Verdict("10 ns", 10.0, True)


@pytest.mark.parametrize(
    ("met", "expected"),
    [
        ([], True),
        ([True, True], True),
        ([True, None], None),
        ([None, False], False),
        ([True, False], False),
    ],
)
def test_all_met(met: list[bool | None], expected: bool | None) -> None:
    assert all_met([Verdict("", None, one) for one in met]) is expected


def test_a_figure_beside_the_time_is_judged_where_it_was_measured() -> None:
    goal = AtLeast("hit_rate", 0.85, "85% cache hits")
    assert goal.judge(STANDING) == Verdict("85% cache hits", None, None)
    assert goal.judge(replace(STANDING, figures={"hit_rate": 0.85})) == Verdict("85% cache hits", 0.85, True)
    assert goal.judge(replace(STANDING, figures={"hit_rate": 0.8499})).met is False
