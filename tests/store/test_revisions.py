"""Which write a moment means, and what is still known of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import HistoryError, InputError, NaiveTimeError, UnknownSeriesError
from candlewick.moments import LAST
from candlewick.store.repository import Series, Written
from candlewick.store.revisions import (
    NEW,
    Floor,
    Note,
    Trail,
    absent,
    check_retired,
    known,
    moment_known,
    stairs,
)
from candlewick.timeframe import Timeframe

SERIES = Series("SPY", Timeframe.parse("1m"), "XNYS", 5, 0, 4, 3, 0)
notes = st.lists(st.integers(-3, 6), max_size=20).map(
    lambda days: [Note(revision, 10 * revision, "append", "XNYS", day) for revision, day in enumerate(days, 1)]
)


@given(st.lists(st.integers(-5, 5), max_size=30))
def test_no_two_writes_come_at_the_same_moment(steps: list[int]) -> None:
    trail, now, moments = NEW, 1_000, []
    for step in steps:
        now += step
        at = trail.next(now)
        assert at >= now
        moments.append(at)
        trail = trail.noted(at)
    assert moments == sorted(set(moments))


def test_a_clock_that_goes_on_is_taken_as_it_is() -> None:
    assert Trail(5).next(9) == 9
    assert Trail(9).next(9) == 10
    assert Trail(20).next(9) == 21


@given(notes, st.integers(-4, 8))
def test_stairs_keep_what_the_days_say(all_of_them: list[Note], day: int) -> None:
    kept = stairs(all_of_them)

    def newest(some: list[Note]) -> int:
        return max((note.revision for note in some if note.day <= day), default=0)

    assert newest(kept) == newest(all_of_them)
    assert [note.revision for note in kept] == sorted({note.revision for note in kept})
    assert kept[-1:] == all_of_them[-1:]
    assert len({note.day for note in kept}) == len(kept)


def test_a_moment_means_the_last_write_before_it() -> None:
    note = Note(2, 50, "append", "XNYS", 0)
    assert known(SERIES, Trail(90), 60, note, 10) is note
    with pytest.raises(UnknownSeriesError, match=r"had no 1m candles as of 1970-01-01T00:00:00\.000005Z: they came"):
        known(SERIES, Trail(90), 5, None, 10)


def test_before_what_is_kept() -> None:
    note = Note(3, 50, "append", "XNYS", 0)
    trail = Trail(90).after_purge(note)
    assert trail == Trail(90, Floor(3, 50, LAST))
    assert known(SERIES, trail, 50, note, 10) is note
    with pytest.raises(HistoryError, match=r"SPY 1m is known from 1970-01-01T00:00:00\.000050Z on") as caught:
        known(SERIES, trail, 49, Note(2, 40, "append", "XNYS", 0), 10)
    assert caught.value.parameter == "as_of"
    assert caught.value.kept_from == "1970-01-01T00:00:00.000050Z"


def test_what_was_retired_is_not_asked_for() -> None:
    trail = Trail(90).after_retirement(3, 1_000)
    before, since = Note(2, 50, "append", "XNYS", 0), Note(3, 90, "retire", "XNYS", 0)
    check_retired(SERIES, trail, 90, since, None)
    check_retired(SERIES, trail, 60, before, 1_000)
    for low in (None, 0, 999):
        with pytest.raises(HistoryError, match=r"its candles before 1970-01-01T00:00:00\.001000Z were removed"):
            check_retired(SERIES, trail, 60, before, low)
    again = trail.noted(120).after_retirement(5, 500)
    assert again.retired == Floor(5, 120, 1_000), "the later border does not bring back what is before the earlier one"
    everything = trail.noted(130).after_retirement(6, None)
    with pytest.raises(HistoryError, match="its candles were removed"):
        check_retired(SERIES, everything, 60, before, 10**9)


def test_the_error_of_a_series_that_held_nothing() -> None:
    error = absent(SERIES, 0, "had been deleted")
    assert str(error) == "symbol: 'SPY' had no 1m candles as of 1970-01-01T00:00:00Z: they had been deleted"
    assert (error.parameter, error.value, error.nearest) == ("symbol", "SPY", [])


def test_a_note_as_it_is_listed() -> None:
    assert Note(2, 50, "change", "XNYS", 7, 1, 2, 3).written == Written(2, 50, "change", 1, 2, 3)


def test_moments() -> None:
    assert moment_known(5) == 5
    assert moment_known("1970-01-01T00:00:01Z") == 1_000_000
    for naive in ("2024-01-02", "2024-01-02T10:00"):
        with pytest.raises(NaiveTimeError, match=r"at: .* has no timezone; give an offset"):
            moment_known(naive, "at")
    with pytest.raises(InputError, match="as_of"):
        moment_known("now")
