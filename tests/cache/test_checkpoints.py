"""Checkpoints: few of them, near enough to any correction, and never missed once dropped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from candlewick.cache.checkpoints import BASE, RATIO, Checkpoint, newest, places, thinned

counts = st.integers(0, 3_000_000)


@given(counts, counts)
def test_no_place_is_needed_later_that_was_not_kept_before(earlier: int, later: int) -> None:
    earlier, later = sorted((earlier, later))
    assert {place for place in places(0, later) if place <= earlier} <= set(places(0, earlier))


@given(counts, st.data())
def test_going_back_redoes_a_few_times_as_many_bars_at_most(count: int, data: st.DataObject) -> None:
    back = data.draw(st.integers(0, count))
    kept = [Checkpoint(place, None) for place in (0, *places(0, count))]
    found = newest(kept, count - back)
    assert found is not None
    assert found.count <= count - back
    assert count - found.count <= 2 * RATIO * max(back, BASE)


@given(counts)
def test_there_are_few(count: int) -> None:
    levels = 0
    while BASE * RATIO**levels <= count:
        levels += 1
    found = places(0, count)
    assert found == sorted(set(found))
    assert len(found) <= 2 * levels
    assert all(0 < place <= count and place % BASE == 0 for place in found)


@given(st.integers(0, 5000), counts)
def test_nothing_is_kept_before_the_first_bar_that_is(first: int, count: int) -> None:
    assert places(first, count) == [place for place in places(0, count) if place > first]


@given(st.lists(st.integers(1, 2000), max_size=8), st.integers(0, 100))
def test_a_series_that_grows_keeps_what_one_of_that_length_keeps(steps: list[int], first: int) -> None:
    count, kept = first, [Checkpoint(first, "first")]
    for step in steps:
        kept += [Checkpoint(place, "") for place in places(first, count + step) if place > count]
        count += step
        kept = thinned(kept, first, count)
    assert [one.count for one in kept] == [first, *places(first, count)]
    assert kept[0].state == "first"


def test_the_newest_at_or_before() -> None:
    kept = [Checkpoint(8, "a"), Checkpoint(64, "b")]
    assert newest(kept, 7) is None
    assert [one and one.state for one in (newest(kept, 8), newest(kept, 63), newest(kept, 64))] == ["a", "a", "b"]
    assert newest([], 5) is None
