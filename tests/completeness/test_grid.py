"""Slots partition the sessions of a calendar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.completeness.conftest import at

from candlewick.completeness.grid import Grid
from candlewick.sessions.calendar import find_calendar
from candlewick.timeframe import MINUTE, Timeframe

CALENDARS = ("XNYS", "XTKS", "XBOM", "24/7", "09:15-15:30@Asia/Kolkata")
LOW, DAYS = at("2023-11-01T00:00:00Z"), 1440 * MINUTE


@given(
    st.sampled_from(CALENDARS), st.sampled_from(["1m", "5m", "1h", "4h", "1d"]), st.integers(0, 60), st.integers(1, 9)
)
def test_slots_fill_the_sessions_exactly(calendar: str, timeframe: str, day: int, many: int) -> None:
    found = find_calendar(calendar)
    start = LOW + day * DAYS
    grid = Grid.between(found, Timeframe.parse(timeframe), start, start + many * DAYS)
    periods = found.periods(start, start + many * DAYS)
    assert grid.sessions == len(np.unique(periods.label))
    assert (np.diff(grid.open) > 0).all()
    assert (grid.open[1:] >= grid.close[:-1]).all()
    if timeframe != "1d":
        assert int((grid.close - grid.open).sum()) == int((periods.close - periods.open).sum())
    for session in range(grid.sessions):
        mine = slice(int(grid.first[session]), int(grid.first[session + 1]))
        assert (grid.session[mine] == session).all()
    assert (grid.place(grid.open) == np.arange(len(grid))).all()
    assert (grid.place(grid.close - 1) == np.arange(len(grid))).all()
    assert (found.inside(grid.open[:50])).all()


def test_times_outside_of_sessions_have_no_slot() -> None:
    grid = Grid.between(
        find_calendar("XNYS"), Timeframe.parse("1m"), at("2024-01-02T00:00:00Z"), at("2024-01-04T00:00:00Z")
    )
    times = np.array([at(f"2024-01-0{text}Z") for text in ("2T14:29:59", "2T21:00:00", "3T03:00:00", "3T21:00:00")])
    assert (grid.place(times) == -1).all()
    assert grid.slots(at("2024-01-02T14:29:30Z"), at("2024-01-02T14:40:30Z")) == (0, 10)
    assert grid.slots(at("2024-01-02T14:30:30Z"), at("2024-01-02T14:31:30Z")) == (1, 1)
    assert grid.before(400, 1) == 0
    assert grid.before(10**6, 0) == 390
    assert len(grid.between_slots(395, 400)) == 390
    assert len(grid.between_slots(5, 5)) == 0


@pytest.mark.parametrize(
    ("low", "high"),
    [("2024-01-06T00:00:00Z", "2024-01-07T00:00:00Z"), ("1960-01-01T00:00:00Z", "1961-01-01T00:00:00Z")],
)
def test_there_are_none_where_the_calendar_has_none(low: str, high: str) -> None:
    grid = Grid.between(find_calendar("XNYS"), Timeframe.parse("1m"), at(low), at(high))
    assert (len(grid), grid.sessions, grid.before(0, 3)) == (0, 0, 0)
    assert grid.slots(at(low), at(high)) == (0, 0)
    assert (grid.place(np.array([at(low)])) == -1).all()
