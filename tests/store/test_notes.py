from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.store.notes import Notes
from candlewick.store.revisions import Note


def note(revision: int) -> Note:
    return Note(revision, revision, "append", "24/7", 0)


@given(st.lists(st.integers(0, 30), max_size=30))
def test_a_value_never_changes_from_wherever_one_goes_on(origins: list[int]) -> None:
    values, expected = [Notes()], [[]]
    for revision, origin in enumerate(origins):
        begun = origin % len(values)
        values.append(values[begun].and_then(note(revision)))
        expected.append([*expected[begun], note(revision)])
    assert [list(value) for value in values] == expected
    for value, kept in zip(values, expected, strict=True):
        assert len(value) == len(kept)
        assert value[1:-1] == kept[1:-1]
        assert list(reversed(value)) == kept[::-1]


def test_what_was_added_later_is_not_there() -> None:
    first = Notes([note(1)])
    second = first.and_then(note(2))
    assert (first[-1], second[-1]) == (note(1), note(2))
    with pytest.raises(IndexError):
        first[1]


def test_the_list_behind_is_shared_until_two_go_on_from_one_value() -> None:
    first = Notes([note(1)])
    second = first.and_then(note(2))
    other = first.and_then(note(3))
    assert second._kept is first._kept
    assert other._kept is not first._kept
    assert (list(second), list(other)) == ([note(1), note(2)], [note(1), note(3)])
