from __future__ import annotations

import pytest

from candlewick.store.change import Counted
from candlewick.store.entry_after import after_removal, after_write, new_entry
from candlewick.store.history import DAY
from candlewick.store.revisions import APPEND, CHANGE, DELETE, RETIRE
from candlewick.testing.repository_contract import START, some
from candlewick.timeframe import MINUTE


def test_the_first_write_makes_the_record() -> None:
    new = some(minutes=[0, 1, 2])
    entry, note = after_write(new_entry(new, 7), new, Counted(3, 0, START, START), now=50)
    assert entry.place == 7
    assert (entry.series.rows, entry.series.first, entry.series.last) == (3, START, START + 2 * MINUTE)
    assert (entry.series.revision, entry.series.generation, entry.series.calendar) == (1, 0, new.calendar.name)
    assert (note.revision, note.written_at, note.kind, note.day, note.inserted) == (1, 50, APPEND, START // DAY, 3)
    assert entry.history.stairs == ((START // DAY, 1),)


@pytest.mark.parametrize(
    ("counted", "kind"),
    [
        (Counted(1, 0, START + 9 * MINUTE, START + 9 * MINUTE), APPEND),
        (Counted(1, 0, START + MINUTE, START + MINUTE), CHANGE),
        (Counted(0, 1, START + 2 * MINUTE, None), CHANGE),
        (Counted(1, 1, START + 2 * MINUTE, START + 9 * MINUTE), CHANGE),
    ],
)
def test_the_past_changes_by_what_is_replaced_or_comes_before_the_newest(counted: Counted, kind: str) -> None:
    old = some(minutes=[0, 2])
    held, first = after_write(new_entry(old, None), old, Counted(2, 0, START, START), now=50)
    entry, note = after_write(held, some(minutes=[1, 2, 9]), counted, now=40)
    assert note.kind == kind
    assert entry.series.generation == int(kind == CHANGE)
    assert note.written_at == first.written_at + 1, "the clock went back"
    assert entry.series.rows == 2 + counted.inserted


@pytest.mark.parametrize(("for_good", "kind"), [(False, DELETE), (True, RETIRE)])
def test_a_removal_says_what_is_left(for_good: bool, kind: str) -> None:
    old = some(minutes=[0, 1, 2])
    held, _ = after_write(new_entry(old, None), old, Counted(3, 0, START, START), now=50)
    entry, note = after_removal(held, 2, START, (START + 2 * MINUTE, START + 2 * MINUTE), 60, for_good=for_good)
    assert (entry.series.rows, entry.series.first, entry.series.last) == (1, START + 2 * MINUTE, START + 2 * MINUTE)
    assert (entry.series.revision, entry.series.generation) == (2, 1)
    assert (note.kind, note.removed, note.day) == (kind, 2, START // DAY)
