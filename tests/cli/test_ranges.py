"""Ranges: what --start and --end mean."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.cli.ranges import next_open, parse_range
from candlewick.errors import HorizonError, InputError, NaiveTimeError, UnknownNameError
from candlewick.sessions import find_calendar

DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2024, 12, 1))


def micro(text: str) -> int:
    return int(np.datetime64(text, "us").astype(np.int64))


@given(DAYS, st.sampled_from(["XNYS", "XTKS", "CMES", "24/7", "09:15-15:30@Asia/Kolkata"]))
def test_a_date_is_the_first_open_of_a_session_labelled_so_or_later(day: dt.date, name: str) -> None:
    calendar = find_calendar(name)
    number = (day - dt.date(1970, 1, 1)).days
    found = int(next_open(calendar, np.array([number]))[0])
    near = calendar.periods(found - 40 * 86_400_000_000, found + 86_400_000_000)
    opens = near.open[near.label >= number]
    assert found == opens.min()


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2024-01-02", "2024-01-02T14:30"),
        ("2024-01-01", "2024-01-02T14:30"),
        ("2024-01-02T10:00:00-05:00", "2024-01-02T15:00"),
        ("2024-01-02T15:00:00Z", "2024-01-02T15:00"),
    ],
)
def test_forms_of_a_time(text: str, right: str) -> None:
    assert parse_range("XNYS", text, None, None) == (micro(right), None)
    assert parse_range("XNYS", None, text, None) == (None, micro(right))


def test_a_naive_time_needs_a_timezone() -> None:
    with pytest.raises(NaiveTimeError, match="start: '2024-01-02T10:00:00' has no timezone; give an offset"):
        parse_range("XNYS", "2024-01-02T10:00:00", None, None)
    given = parse_range("XNYS", "2024-01-02T10:00:00", None, "America/New_York")
    assert given == (micro("2024-01-02T15:00"), None)


def test_nothing_given_is_everything() -> None:
    assert parse_range("XNYS", None, None, None) == (None, None)


def test_an_unknown_timezone_is_refused_even_when_unused() -> None:
    with pytest.raises(UnknownNameError, match="timezone: 'America/New_Yrok' is unknown"):
        parse_range("XNYS", None, None, "America/New_Yrok")


def test_a_reversed_range_is_refused() -> None:
    with pytest.raises(InputError, match=r"end: '2024-01-02' is before start; give a time at or after start"):
        parse_range("XNYS", "2024-01-03", "2024-01-02", None)


@pytest.mark.parametrize("text", ["yesterday", "2024-13-01", "2024-01-02T99:00Z", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"start: .* is not a time; give ISO 8601"):
        parse_range("XNYS", text, None, None)


@pytest.mark.parametrize("date", ["2199-01-01", "1900-01-01"])
def test_a_date_beyond_the_calendar_is_refused(date: str) -> None:
    with pytest.raises(HorizonError, match=f"end: '{date}' is beyond the sessions of XNYS"):
        parse_range("XNYS", None, date, None)


def test_a_date_after_the_last_known_session_is_refused() -> None:
    calendar = find_calendar("XNYS")
    last = calendar.known[1] // 86_400_000_000
    with pytest.raises(InputError):
        next_open(calendar, np.array([last + 1]))
