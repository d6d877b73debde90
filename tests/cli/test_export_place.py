from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from candlewick.cli.export_place import RESERVED, beginning, folder_of, months, symbol_of
from candlewick.errors import InputError
from candlewick.moments import FIRST, LAST, iso, moment
from candlewick.sessions.calendar import find_calendar

CALENDARS = ("XNYS", "CMES", "24/7", "XTKS", "09:15-15:30@Asia/Kolkata", "22:00-04:00@America/New_York")


@given(st.text(min_size=1, max_size=20))
@example("..")
@example(".")
@example("../../etc/passwd")
@example("BTC/USD")
@example("A|B")
@example("C:\\x")
@example("con")
@example("NUL.B")
@example("COM1")
@example("A.")
@example("%2F")
@example(".hidden")
@example("\0")
def test_a_folders_name_is_never_anything_else_and_leads_back(symbol: str) -> None:
    name = folder_of(symbol)
    assert symbol_of(name) == symbol
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~%")
    assert not name.startswith(".")
    assert not name.endswith(".")
    assert not RESERVED.fullmatch(name)


def test_names_are_as_people_know_them_where_that_is_safe() -> None:
    assert [folder_of(one) for one in ("AAPL", "BRK.B", "BTC/USD", "ES|Z", "..", "con", "CONS")] == [
        *("AAPL", "BRK.B", "BTC%2FUSD", "ES%7CZ", "%2E%2E", "%63on", "CONS")
    ]


def test_a_name_that_no_file_system_takes_is_refused() -> None:
    with pytest.raises(InputError, match="--output"):
        folder_of("/" * 81)


@given(
    st.sampled_from(CALENDARS),
    st.integers(moment("2012-01-01T00:00:00Z", "low"), moment("2026-01-01T00:00:00Z", "high")),
    st.integers(0, 400 * 86_400_000_000),
)
def test_each_time_lies_in_one_month_and_a_session_in_that_of_its_label(name: str, first: int, length: int) -> None:
    calendar = find_calendar(name)
    found = list(months(calendar, first, first + length))
    assert found[0].start <= first < found[0].end
    assert found[-1].start <= first + length < found[-1].end
    assert all(one.end == two.start for one, two in pairwise(found))
    sessions = calendar.periods(first, first + length + 1)
    for opened, label in zip(sessions.open.tolist(), sessions.label.tolist(), strict=True):
        at = next(months(calendar, opened, opened))
        assert at.name == str(np.datetime64(label, "D"))[:7]


def test_trading_around_a_session_lies_in_the_month_of_its_day() -> None:
    new_york = find_calendar("XNYS")
    evening, morning = moment("2024-01-31T19:59:00-05:00", "at"), moment("2024-02-01T04:00:00-05:00", "at")
    assert [next(months(new_york, at, at)).name for at in (evening, morning)] == ["2024-01", "2024-02"]
    chicago = find_calendar("CMES")
    evening = moment("2024-01-31T17:00:00-06:00", "at")  # the open of 1 February
    assert [next(months(chicago, at, at)).name for at in (evening - 1, evening)] == ["2024-01", "2024-02"]


def test_beyond_what_a_calendar_knows_a_month_begins_at_midnight() -> None:
    new_york = find_calendar("XNYS")
    assert iso(beginning(new_york, 1800 * 12)) == "1800-01-01T04:56:02Z"
    assert next(months(new_york, FIRST, FIRST)).start <= FIRST
    assert next(months(new_york, LAST, LAST)).end > LAST
    assert next(months(new_york, LAST, LAST)).name == str(dt.date.max)[:7]
