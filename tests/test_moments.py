"""Moments: each accepted form gives the same microseconds, each refusal names parameter, value and what is right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.columnar import Integers
from candlewick.errors import InputError, NaiveTimeError
from candlewick.moments import EPOCH, FIRST, LAST, moment, moments
from candlewick.sessions.calendar import find_calendar

ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
DAY = 86_400_000_000
MICROSECONDS = st.integers(-60 * 365 * DAY, 130 * 365 * DAY)
COLUMN = st.lists(MICROSECONDS, min_size=1, max_size=20)


def opens(days: Integers) -> Integers:
    """Labels of a market that opens at 09:30 UTC."""
    return days * DAY + 34_200_000_000


def aware(at: int, zone: str = "UTC") -> dt.datetime:
    return (EPOCH + dt.timedelta(microseconds=at)).astimezone(ZoneInfo(zone))


# One time


@given(MICROSECONDS, st.sampled_from(ZONES))
def test_every_form_of_one_time_is_the_same_microsecond(at: int, zone: str) -> None:
    forms = [
        at,
        np.int64(at),
        np.datetime64(at, "us"),
        aware(at, zone),
        aware(at, zone).isoformat(),
        f"  {aware(at).isoformat()} ",
        aware(at).replace(tzinfo=None).isoformat() + "Z",
        pd.Timestamp(aware(at)),
    ]
    assert [moment(form, "at") for form in forms] == [at] * len(forms)


@given(st.integers(-20_000, 40_000))
def test_every_form_of_a_date_is_the_session_of_that_label(day: int) -> None:
    date = EPOCH.date() + dt.timedelta(days=day)
    forms = [date, date.isoformat(), np.datetime64(day, "D"), np.datetime64(date)]
    expected = int(opens(np.array([day]))[0])
    assert [moment(form, "at", labels=opens) for form in forms] == [expected] * len(forms)


@pytest.mark.parametrize("at", ["2024-01-06", dt.date(2024, 1, 6), np.datetime64("2024-01-06", "D")])
def test_a_date_without_a_session_is_refused_by_the_name_of_what_was_asked(at: Any) -> None:
    opens = find_calendar("XNYS").label_opens
    with pytest.raises(InputError, match="start: '2024-01-06' is not a session of XNYS; the nearest are 2024-01-05"):
        moment(at, "start", labels=opens)


def test_a_zone_is_used_for_naive_times_only() -> None:
    zone = ZoneInfo("America/New_York")
    assert moment("2024-01-02T09:30", "at", zone=zone) == moment("2024-01-02T14:30Z", "at")
    assert moment(dt.datetime(2024, 7, 1, 9, 30), "at", zone=zone) == moment("2024-07-01T13:30Z", "at")  # noqa: DTZ001
    assert moment("2024-01-02T09:30+05:30", "at", zone=zone) == moment("2024-01-02T04:00Z", "at")


def test_coarse_and_fine_datetime64() -> None:
    expected = moment("2024-01-02T00:00Z", "at")
    for unit in ("D", "h", "m", "s", "ms", "us", "ns"):
        assert moment(np.datetime64("2024-01-02", unit), "at") == expected


@pytest.mark.parametrize(
    ("at", "problem"),
    [
        (True, "is not a time"),
        (np.bool_(True), "is not a time"),
        (1.5, "is not a time"),
        (None, "is not a time"),
        (Decimal(1), "is not a time"),
        ([1], "is not a time"),
        ("", "is not a time"),
        ("yesterday", "is not a time"),
        ("2024-02-30", "is not a time"),
        ("2024-01-02T25:00Z", "is not a time"),
        ("1704187800", "is not a time"),
        (np.datetime64("NaT", "us"), "is missing"),
        (pd.NaT, "is missing"),
        (2**70, "is beyond the years 1 to 9999"),
        (-(2**63), "is beyond the years 1 to 9999"),
        (LAST + 1, "is beyond the years 1 to 9999"),
        (FIRST - 1, "is beyond the years 1 to 9999"),
        (np.datetime64(2**60, "D"), "is beyond the years 1 to 9999"),
        (np.datetime64(2**60, "s"), "is beyond the years 1 to 9999"),
        (np.datetime64(10_000 - 1970, "Y"), "is beyond the years 1 to 9999"),
        (np.datetime64(LAST + 1, "us"), "is beyond the years 1 to 9999"),
    ],
)
def test_what_is_no_time_is_refused(at: Any, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        moment(at, "start")
    assert caught.value.parameter == "start"
    assert caught.value.problem == problem
    assert "1970" in str(caught.value) or "2024-01-02T14:30:00Z" in str(caught.value)


def test_the_first_and_the_last_moment() -> None:
    assert moment(FIRST, "at") == moment(dt.datetime.min.replace(tzinfo=dt.UTC), "at") == FIRST
    assert moment(LAST, "at") == moment(dt.datetime.max.replace(tzinfo=dt.UTC), "at") == LAST


class Nowhere(dt.tzinfo):
    """A zone that knows no offset: such a datetime is naive."""

    def utcoffset(self, when: dt.datetime | None) -> dt.timedelta | None:
        return None


@pytest.mark.parametrize(
    "at",
    [
        "2024-01-02T09:30",
        "20240102T0930",
        dt.datetime(2024, 1, 2, 9, 30),  # noqa: DTZ001
        dt.datetime(2024, 1, 2, 9, 30, tzinfo=Nowhere()),
        pd.Timestamp("2024-01-02 09:30"),
    ],
)
def test_a_naive_time_is_refused(at: Any) -> None:
    with pytest.raises(NaiveTimeError, match=r"end: '2024-01-02T09:30:00' has no timezone; give an offset"):
        moment(at, "end", labels=opens)


@pytest.mark.parametrize("at", ["2024-01-02", dt.date(2024, 1, 2)])
def test_a_date_where_no_sessions_are_known_is_refused(at: Any) -> None:
    with pytest.raises(NaiveTimeError, match=r"end: '2024-01-02' has no timezone; a bare date is a session label"):
        moment(at, "end")


# A column of times

FORMS: dict[str, Callable[[list[int]], Any]] = {
    "int64": lambda at: np.array(at, dtype=np.int64),
    "big-endian int64": lambda at: np.array(at, dtype=">i8"),
    "datetime64[us]": lambda at: np.array(at, dtype="datetime64[us]"),
    "big-endian datetime64": lambda at: np.array(at, dtype=">M8[us]"),
    "datetime64[ns]": lambda at: np.array(at, dtype="datetime64[us]").astype("datetime64[ns]"),
    "every second one": lambda at: np.array(at, dtype=np.int64).repeat(2)[::2],
    "list of integers": list,
    "tuple of datetimes": lambda at: tuple(aware(each) for each in at),
    "generator": lambda at: (each for each in at),
    "list of numpy scalars": lambda at: [np.datetime64(each, "us") for each in at],
    "datetimes of many zones": lambda at: [aware(each, ZONES[i % len(ZONES)]) for i, each in enumerate(at)],
    "ISO text": lambda at: [aware(each, "Asia/Kolkata").isoformat() for each in at],
    "numpy text": lambda at: np.array([aware(each).isoformat() for each in at]),
    "numpy objects": lambda at: np.array([aware(each) for each in at], dtype=object),
    "masked, nothing missing": lambda at: np.ma.array(np.array(at, dtype="datetime64[us]"), mask=False),
    "Arrow int64": lambda at: pa.array(at, pa.int64()),
    "Arrow us": lambda at: pa.array(at, pa.timestamp("us", "America/New_York")),
    "Arrow ns": lambda at: pa.array(at, pa.timestamp("us", "UTC")).cast(pa.timestamp("ns", "+05:30")),
    "Arrow chunks": lambda at: pa.chunked_array(
        [pa.array(part, pa.timestamp("us", "UTC")) for part in (at[:1], at[1:])]
    ),
    "Arrow text": lambda at: pa.array([aware(each).isoformat() for each in at]),
    "pandas Series": lambda at: pd.Series(pd.to_datetime(at, unit="us", utc=True)).dt.tz_convert("Asia/Tokyo"),
    "pandas index": lambda at: pd.to_datetime(at, unit="us", utc=True),
    "pandas ns": lambda at: pd.Series(pd.to_datetime(at, unit="us", utc=True)).astype("datetime64[ns, UTC]"),
    "pandas objects": lambda at: pd.Series([aware(each) for each in at], dtype=object),
    "pandas integers": lambda at: pd.Series(at, dtype="int64"),
    "pandas text": lambda at: pd.Series([aware(each).isoformat() for each in at]),
    "polars us": lambda at: pl.Series(at, dtype=pl.Datetime("us", "Europe/London")),
    "polars ns": lambda at: pl.Series(at, dtype=pl.Datetime("us", "UTC")).cast(pl.Datetime("ns", "UTC")),
    "polars integers": lambda at: pl.Series(at, dtype=pl.Int64),
}


@pytest.mark.parametrize("form", FORMS)
@given(at=COLUMN)
def test_every_form_of_a_column_is_the_same_microseconds(form: str, at: list[int]) -> None:
    found = moments(FORMS[form](at), "time")
    assert found.dtype == np.int64
    assert found.dtype.isnative
    assert found.flags.c_contiguous
    assert found.tolist() == at


@pytest.mark.parametrize("unit", ["s", "ms"])
@given(at=st.lists(st.integers(-(10**9), 10**10), min_size=1, max_size=9))
def test_coarser_units(unit: str, at: list[int]) -> None:
    factor = {"s": 1_000_000, "ms": 1_000}[unit]
    expected = [each * factor for each in at]
    assert moments(np.array(at, dtype=f"datetime64[{unit}]"), "time").tolist() == expected
    assert moments(pa.array(at, pa.timestamp(unit, "Asia/Tokyo")), "time").tolist() == expected


DATES: dict[str, Callable[[list[dt.date]], Any]] = {
    "datetime64[D]": lambda days: np.array(days, dtype="datetime64[D]"),
    "dates": list,
    "text": lambda days: [day.isoformat() for day in days],
    "numpy text": lambda days: np.array([day.isoformat() for day in days]),
    "Arrow date32": lambda days: pa.array(days, pa.date32()),
    "Arrow date64": lambda days: pa.chunked_array([pa.array(days, pa.date64())]),
    "polars": lambda days: pl.Series(days, dtype=pl.Date),
    "pandas objects": lambda days: pd.Series(days, dtype=object),
}


@pytest.mark.parametrize("form", DATES)
@given(days=st.lists(st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)), min_size=1, max_size=9))
def test_every_form_of_dates_is_the_sessions_of_those_labels(form: str, days: list[dt.date]) -> None:
    expected = opens(np.array([(day - EPOCH.date()).days for day in days], dtype=np.int64))
    assert moments(DATES[form](days), "time", labels=opens).tolist() == expected.tolist()


@pytest.mark.parametrize("form", [form for form in DATES if form != "datetime64[D]"])
def test_dates_where_no_sessions_are_known_are_refused(form: str) -> None:
    with pytest.raises(NaiveTimeError, match="a bare date is a session label"):
        moments(DATES[form]([dt.date(2024, 1, 2)]), "time")


def test_datetime64_is_utc_by_definition() -> None:
    assert moments(np.array(["2024-01-02"], dtype="datetime64[D]"), "time").tolist() == [19_724 * DAY]


@pytest.mark.parametrize("column", [[], (), np.array([]), np.array([], dtype=object), pa.array([]), pl.Series([])])
def test_an_empty_column_is_no_times(column: Any) -> None:
    found = moments(column, "time", labels=opens)
    assert found.dtype == np.int64
    assert found.shape == (0,)


def test_memory_is_shared_where_it_can_be() -> None:
    whole = np.arange(10, dtype=np.int64)
    assert np.shares_memory(moments(whole, "time"), whole)
    assert np.shares_memory(moments(whole.view("datetime64[us]"), "time"), whole)
    arrow = pa.array(whole, pa.timestamp("us", "Asia/Tokyo"))
    assert np.shares_memory(moments(arrow, "time"), np.frombuffer(arrow.buffers()[1], dtype=np.int64))


@given(COLUMN, st.data())
def test_a_missing_time_is_refused_with_its_row(at: list[int], data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(at) - 1))
    gap: list[int | None] = [None if i == row else each for i, each in enumerate(at)]
    mask = np.arange(len(at)) == row
    stamps = np.array(at, dtype="datetime64[us]")
    columns = [
        np.where(mask, np.datetime64("NaT", "us"), stamps),
        np.ma.array(stamps, mask=mask),
        np.ma.array(np.array(at, dtype=np.int64), mask=mask),
        gap,
        pa.array(gap, pa.timestamp("us", "UTC")),
        pa.array(gap, pa.int64()),
        pa.array([None if each is None else aware(each).isoformat() for each in gap], pa.string()),
        pl.Series(gap, dtype=pl.Datetime("us", "UTC")),
        pd.Series(pa.array(gap, pa.timestamp("us", "UTC")).to_pandas()),
    ]
    for column in columns:
        with pytest.raises(InputError) as caught:
            moments(column, "time")
        assert caught.value.parameter == f"time[{row}]"
        assert caught.value.value is None


@given(COLUMN, st.data(), st.sampled_from([FIRST - 1, LAST + 1, 2**63 - 1, -(2**63) + 1]))
def test_a_time_beyond_the_years_is_refused_with_its_row(at: list[int], data: st.DataObject, bad: int) -> None:
    row = data.draw(st.integers(0, len(at) - 1))
    at[row] = bad
    for column in (np.array(at), np.array(at, dtype="datetime64[us]"), at, pa.array(at, pa.timestamp("us", "UTC"))):
        with pytest.raises(InputError, match="is beyond the years 1 to 9999") as caught:
            moments(column, "time")
        assert caught.value.parameter == f"time[{row}]"
        assert caught.value.value == bad


def test_nanoseconds_given_as_integers_are_refused() -> None:
    with pytest.raises(InputError, match="give microseconds since 1970, UTC"):
        moments(np.array([1_704_187_800_000_000_000]), "time")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1], pa.timestamp("us")),
        pd.Series(pd.to_datetime(["2024-01-02 09:30"])),
        pd.DatetimeIndex(["2024-01-02 09:30"]),
        pl.Series([dt.datetime(2024, 1, 2, 9, 30)]),  # noqa: DTZ001
        [dt.datetime(2024, 1, 2, 9, 30)],  # noqa: DTZ001
        np.array(["2024-01-02T09:30"]),
    ],
)
def test_naive_columns_are_refused(column: Any) -> None:
    with pytest.raises(NaiveTimeError, match=r"^time.* has no timezone; give "):
        moments(column, "time", labels=opens)


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        (5, 5, "is not a column"),
        (None, None, "is not a column"),
        ("2024-01-02T09:30Z", "2024-01-02T09:30Z", "is not a column"),
        (b"x", b"x", "is not a column"),
        (np.array(5), (), "has the wrong shape"),
        (np.zeros((2, 2), dtype=np.int64), (2, 2), "has the wrong shape"),
        (np.array([1.0]), "float64", "is no type of times"),
        (np.array([1], dtype=np.int32), "int32", "is no type of times"),
        (np.array([1], dtype=np.uint64), "uint64", "is no type of times"),
        (np.array([1], dtype="m8[s]"), "timedelta64[s]", "is no type of times"),
        (np.array([True]), "bool", "is no type of times"),
        (pa.array([1], pa.int32()), "int32", "is no type of times"),
        (pa.array([1.5]), "float64", "is no type of times"),
        (pl.Series([1.5]), "float64", "is no type of times"),
        (pd.Series([1.5]), "float64", "is no type of times"),
    ],
)
def test_what_is_no_column_of_times_is_refused(column: Any, value: object, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        moments(column, "time")
    assert caught.value.parameter == "time"
    assert caught.value.value == value
    assert caught.value.problem == problem
    assert caught.value.expected.startswith("give ")


@pytest.mark.parametrize(
    "column", [[0, "x"], [0, 1.5], [0, None], pa.array([[1], [2]]), [0, True], pd.Series([0, "x"])]
)
def test_a_bad_time_in_a_sequence_is_refused_with_its_row(column: Any) -> None:
    with pytest.raises(InputError, match=r"^time\[[01]\]: .* is not a time; give ISO 8601"):
        moments(column, "time")
