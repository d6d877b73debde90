from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from candlewick.candles import VALUES
from candlewick.store.change import appended, compared
from candlewick.testing.repository_contract import START, some
from candlewick.timeframe import MINUTE

# Up to two days on, so that the first day of a change is not always that of the first candle.
near = st.one_of(st.integers(0, 20), st.integers(560, 580), st.integers(2000, 2020))
minutes = st.sets(near, max_size=15).map(sorted)


@given(minutes, minutes, st.booleans())
def test_a_comparison_equals_that_of_dictionaries(stored: list[int], coming: list[int], same: bool) -> None:
    old, new = some(minutes=stored), some(minutes=coming, price=100 if same else 50)
    change = compared(new, old.microseconds, {name: getattr(old, name) for name in VALUES})
    held = set(stored)
    assert change.new.tolist() == [at not in held for at in coming]
    assert change.different.tolist() == [at in held and not same for at in coming]
    counts = change.upserted
    assert counts.inserted + counts.updated + counts.unchanged == len(coming)
    assert counts.inserted == int(np.count_nonzero(change.new))
    assert counts.updated == int(np.count_nonzero(change.different))
    counted = change.counted(new)
    touched = [START + at * MINUTE for at in coming if at not in held or not same]
    added = [START + at * MINUTE for at in coming if at not in held]
    assert (counted.inserted, counted.updated) == (counts.inserted, counts.updated)
    assert counted.first == (touched[0] if touched else None)
    assert counted.first_new == (added[0] if added else None)


def test_an_append_is_all_new() -> None:
    change = appended(some())
    assert change.upserted.inserted == 5
    assert change.counted(some()) == (5, 0, START, START)
    assert np.count_nonzero(change.different) == 0
