"""The staircase against the plain list of writes that it stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import InputError
from candlewick.store.history import DAY, History, day_of

# Few days, so that writes often meet; some negative, some far away.
days = st.one_of(st.integers(-3, 6), st.integers(-719_162, 2_932_896))
writes = st.lists(st.tuples(days, st.integers(1, 3)), max_size=20)


def listed(steps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """(day, revision) of every write; revisions ascend by the given steps."""
    done, revision = [], 0
    for day, step in steps:
        revision += step
        done.append((day, revision))
    return done


def history(done: list[tuple[int, int]]) -> History:
    """What the writes leave."""
    held = History()
    for day, revision in done:
        held = held.written(day, revision)
    return held


@given(writes, days, st.integers(0, DAY - 1))
def test_revision_before_is_that_of_the_last_write_up_to_that_day(
    steps: list[tuple[int, int]], day: int, within: int
) -> None:
    done = listed(steps)
    expected = max((revision for at, revision in done if at <= day), default=0)
    assert history(done).revision_before(day * DAY + within + 1, 99) == expected


@given(writes, st.integers(-1, 70))
def test_first_changed_is_the_earliest_day_of_the_later_writes(steps: list[tuple[int, int]], since: int) -> None:
    done = listed(steps)
    touched = [day for day, revision in done if revision > since]
    assert history(done).first_changed(since) == (min(touched) * DAY if touched else None)


@given(writes)
def test_stairs_ascend_in_both_and_come_back(steps: list[tuple[int, int]]) -> None:
    done = listed(steps)
    held = history(done)
    for before, after in zip(held.stairs, held.stairs[1:], strict=False):
        assert before[0] < after[0]
        assert before[1] < after[1]
    assert History.of(held.stairs) == held
    assert set(held.stairs) <= set(done)
    if done:
        assert held.last == held.stairs[-1] == done[-1]


@given(writes, days)
def test_a_write_leaves_the_history_before_it_alone(steps: list[tuple[int, int]], day: int) -> None:
    done = listed(steps)
    old = history(done)
    kept = old.stairs
    new = old.written(day, 1000)
    assert old.stairs == kept
    for end in (day * DAY, day * DAY - 5, (day - 1) * DAY):
        assert new.revision_before(end, 1000) == old.revision_before(end, 99)
    assert new.revision_before(day * DAY + 1, 1000) == 1000


def test_an_empty_history() -> None:
    assert History().stairs == ()
    assert History().revision_before(0, 0) == 0
    assert History().revision_before(None, 0) == 0
    assert History().first_changed(0) is None


def test_without_an_end_it_is_the_revision_of_the_series() -> None:
    assert History().written(3, 5).revision_before(None, 5) == 5


def test_appends_of_one_day_are_one_stair() -> None:
    held = History()
    for revision in range(1, 400):
        held = held.written(19_724, revision)
    assert held.stairs == ((19_724, 399),)


@pytest.mark.parametrize(("time", "day"), [(0, 0), (DAY - 1, 0), (DAY, 1), (-1, -1), (-DAY, -1), (-DAY - 1, -2)])
def test_days_are_floored(time: int, day: int) -> None:
    assert day_of(time) == day


def test_what_is_no_staircase_is_refused() -> None:
    for stairs in ([(1, 1), (1, 2)], [(1, 2), (2, 2)], [(3, 1), (2, 2)], [(1, 3), (2, 2)]):
        with pytest.raises(InputError, match="ascend"):
            History.of(stairs)
    with pytest.raises(InputError, match="give one above 4"):
        History().written(1, 4).written(2, 4)
