"""Calendars as values: found once by name, frozen, pickled, asked for periods."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import HorizonError, InputError, UnknownNameError
from candlewick.sessions import Calendar, find_calendar, own_hours
from candlewick.sessions.computed import Always, Computed
from candlewick.sessions.hours import Hours
from candlewick.sessions.table import DAY
from candlewick.timeframe import Span

SOME = int(np.datetime64("2024-05-17T15:00", "us").astype(np.int64))
NAMES = ["XNYS", "XTKS", "XBOM", "CMES", "24/7", "09:00-11:30,12:30-15:00@Asia/Tokyo", "18:00-17:00@Europe/Paris"]


@pytest.mark.parametrize("name", NAMES)
def test_found_once_equal_hashable_pickled_by_name(name: str) -> None:
    calendar = find_calendar(name)
    assert calendar.name == name
    assert find_calendar(name) is calendar
    assert find_calendar(calendar) is calendar
    assert pickle.loads(pickle.dumps(calendar)) is calendar
    assert len({calendar, find_calendar(f" {name} ")}) == 1
    assert len(calendar.version) == 16
    assert repr(calendar) == f"Calendar({name!r})"
    with pytest.raises(AttributeError, match="frozen"):
        calendar.name = "other"


def test_calendars_differ() -> None:
    assert len({find_calendar(name).version for name in NAMES}) == len(NAMES)
    assert find_calendar("XNYS") != find_calendar("XTKS")
    assert find_calendar("XNYS") != "XNYS"


@pytest.mark.parametrize(
    ("text", "nearest"), [("XNY", "XNYS"), ("nyse", "NYSE"), ("xnse", "XNSE"), ("", None), ("24-7", "24/7")]
)
def test_an_unknown_name_lists_the_nearest_and_the_likely(text: str, nearest: str | None) -> None:
    with pytest.raises(UnknownNameError, match=r"calendar: .*XNYS, XNAS, XLON.*09:15-15:30@Asia/Kolkata") as caught:
        find_calendar(text)
    assert nearest is None or nearest in caught.value.nearest


@pytest.mark.parametrize("thing", [None, [], {}, 5, b"XNYS", ["XNYS"], ["09:15-15:30@Asia/Kolkata"]])
def test_what_is_no_text_is_an_unknown_name(thing: object) -> None:
    with pytest.raises(UnknownNameError, match=r"calendar: .*XNYS, XNAS, XLON"):
        find_calendar(thing)  # type: ignore[arg-type]


def test_own_hours() -> None:
    calendar = own_hours("09:15-15:30", "Asia/Kolkata")
    assert calendar is find_calendar("09:15-15:30@Asia/Kolkata")
    assert calendar.timezone == "Asia/Kolkata"
    assert own_hours("10:00-14:00", "Asia/Dubai", "Sun-Thu").name == "10:00-14:00@Asia/Dubai;Mon-Thu,Sun"
    with pytest.raises(InputError, match="hours"):
        own_hours("9 to 5", "Asia/Kolkata")
    with pytest.raises(UnknownNameError, match="timezone"):
        own_hours("09:15-15:30", "Mars/Olympus")


@given(
    name=st.sampled_from(NAMES),
    start=st.integers(11_000 * DAY, 20_000 * DAY),
    length=st.integers(1, 40 * DAY),
    span=st.sampled_from(list(Span)),
)
def test_periods_are_whole_groups_that_touch_the_range(name: str, start: int, length: int, span: Span) -> None:
    """Against every period of a wide range, grouped in plain Python."""
    calendar, end = find_calendar(name), start + length
    wide = calendar.periods(start - 70 * DAY, end + 70 * DAY, Span.PERIOD)
    keys: dict[object, list[int]] = {}
    for row, label in enumerate(wide.label):
        date = np.datetime64(int(label), "D").item()
        key = {
            Span.PERIOD: row,
            Span.SESSION: date,
            Span.WEEK: date.isocalendar()[:2],
            Span.MONTH: (date.year, date.month),
        }[span]
        keys.setdefault(key, []).append(row)
    expected = [
        row for rows in keys.values() if wide.open[rows[0]] < end and wide.close[rows[-1]] > start for row in rows
    ]
    found = calendar.periods(start, end, span)
    assert np.array_equal(found.open, wide.open[expected])
    assert np.array_equal(found.close, wide.close[expected])
    assert np.array_equal(found.label, wide.label[expected])


def test_an_empty_range_has_no_periods() -> None:
    assert len(find_calendar("XNYS").periods(SOME, SOME)) == 0
    assert len(find_calendar("24/7").periods(SOME, SOME - 1)) == 0


def test_columns_cannot_be_written() -> None:
    periods = find_calendar("XNYS").periods(SOME, SOME + DAY)
    with pytest.raises(ValueError, match="read-only"):
        periods.open[0] = 0


def test_labels() -> None:
    calendar = find_calendar("XNYS")
    days = np.array([19_860, 19_863])  # 2024-05-17, a Friday, and the Monday after it
    assert [str(at) for at in calendar.label_opens(days).view("datetime64[us]").astype("datetime64[m]")] == [
        "2024-05-17T13:30",
        "2024-05-20T13:30",
    ]
    assert len(calendar.label_opens(days[:0])) == 0
    with pytest.raises(InputError, match=r"2024-05-18.*not a session of XNYS.*2024-05-17 and 2024-05-20"):
        calendar.label_opens(np.array([19_860, 19_861]))
    assert find_calendar("24/7").label_opens(np.array([-3, 0, 5])).tolist() == [-3 * DAY, 0, 5 * DAY]


@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**32 - 1))
def test_inside_asks_each_period(name: str, seed: int) -> None:
    calendar = find_calendar(name)
    periods = calendar.periods(SOME - 10 * DAY, SOME + 10 * DAY)
    edges = np.concatenate([periods.open, periods.close])
    times = np.random.default_rng(seed).choice(np.concatenate([edges, edges - 1, edges + 1, edges + DAY // 3]), 50)
    expected = [any(a <= t < b for a, b in zip(periods.open, periods.close)) for t in times]
    known = (times >= periods.open[0]) & (times < periods.close[-1])
    assert np.array_equal(calendar.inside(times)[known], np.array(expected)[known])


def test_inside_of_nothing_and_beyond() -> None:
    calendar = find_calendar("XNYS")
    assert calendar.inside(np.empty(0, dtype=np.int64)).shape == (0,)
    with pytest.raises(HorizonError):
        calendar.inside(np.array([SOME, 2**60]))


@pytest.mark.untraced
@pytest.mark.parametrize("pattern", [Always(), Hours.parse("09:30-16:00@America/New_York")])
def test_computed_tables_grow_and_end(pattern: Always | Hours) -> None:
    source = Computed(pattern)
    early = source.table(0, DAY)
    assert early.covers(0, DAY)
    assert source.table(0, 2 * DAY) is early
    both = source.table(20_000 * DAY, 20_001 * DAY)
    assert both.covers(0, 20_001 * DAY)
    calendar = Calendar(source)
    since, until = calendar.known
    assert len(calendar.periods(since, since + 10 * DAY)) > 4
    assert len(calendar.periods(until - 10 * DAY, until)) > 4
    with pytest.raises(HorizonError, match="1900-01-01 to 2199-12-31"):
        calendar.periods(since - 3 * DAY, since)
    with pytest.raises(HorizonError):
        calendar.periods(until - 2 * DAY, until, Span.WEEK)  # 2199 ends on a Tuesday


def test_a_week_or_month_that_is_not_known_to_its_ends_is_refused() -> None:
    tokyo = find_calendar("XBOM")
    first = int(tokyo.periods(tokyo.known[0], tokyo.known[0] + 5 * DAY).open[0])  # 1997-01-01, a Wednesday
    assert len(tokyo.periods(first, first + 1, Span.MONTH)) > 15
    with pytest.raises(HorizonError):
        tokyo.periods(first, first + 1, Span.WEEK)
