from __future__ import annotations

from dataclasses import replace

from candlewick.store.catalogue import Entry
from candlewick.store.fresh import Fresh
from candlewick.store.history import History
from candlewick.store.repository import Series
from candlewick.store.revisions import NEW
from candlewick.timeframe import Timeframe

RECORD = Series("SPY", Timeframe.parse("1m"), "XNYS", 5, 0, 4, 1, 0)
BEFORE = Entry(RECORD, History().written(7, 1), 0)


def fresh(day: int, **changes: object) -> Fresh:
    series = replace(RECORD, revision=2, **changes)
    return Fresh(BEFORE, Entry(series, BEFORE.history.written(day, 2), 0, NEW.noted(5)), None)


def test_where_the_newest_stair_is() -> None:
    assert [fresh(day).step for day in (6, 7, 8)] == [-1, 0, 1]
    empty = Entry(replace(RECORD, revision=0), History(), 0)
    assert Fresh(empty, BEFORE, None).step == 1
    assert Fresh(empty, BEFORE, None).new


def test_what_needs_no_new_record() -> None:
    assert fresh(7).usual
    assert not fresh(7).new
    assert not fresh(7, calendar="24/7").usual
    after = fresh(7).after
    purged = replace(after, trail=after.trail.after_retirement(2, None))
    assert not Fresh(BEFORE, purged, None).usual
    assert not Fresh(Entry(replace(RECORD, revision=0), History(), 0), after, None).usual
