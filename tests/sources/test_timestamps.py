from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import NaiveTimeError
from candlewick.sessions.calendar import find_calendar
from candlewick.sources.rows import Reason
from candlewick.sources.timestamps import UNITS, Form, Kind, TimeForm, TimeReader, one, recognise, to_micros, unit_of
from candlewick.timeframe import Timeframe

OPEN = 1_704_205_800_000_000  # 2024-01-02T14:30:00Z
NEW_YORK = ZoneInfo("America/New_York")


def reader(form: TimeForm, timeframe: str = "1m", zone: ZoneInfo | None = None) -> TimeReader:
    return TimeReader(form, find_calendar("XNYS"), Timeframe.parse(timeframe), zone)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2024-01-02T09:30:00-05:00", TimeForm(Form.OFFSET)),
        ("2024-01-02 14:30Z", TimeForm(Form.OFFSET)),
        ("2024-01-02 09:30:00", TimeForm(Form.LOCAL)),
        ("2024.01.02 09:30", TimeForm(Form.LOCAL, separator=".")),
        ("1704205800", TimeForm(Form.EPOCH, "s")),
        ("1704205800.5", TimeForm(Form.EPOCH, "s")),
        ("1704205800000", TimeForm(Form.EPOCH, "ms")),
        ("1704205800000000", TimeForm(Form.EPOCH, "us")),
        ("1704205800000000000", TimeForm(Form.EPOCH, "ns")),
        ("2024-01-02", TimeForm(Form.DATE)),
        ("20240102", TimeForm(Form.DATE, compact=True)),
        ("2024/01/02", TimeForm(Form.DATE, separator="/")),
    ],
)
def test_forms(text: str, form: TimeForm) -> None:
    assert recognise(["", "rubbish", text, "2024-01-02"]) == (form, text)


def test_no_form_at_all() -> None:
    assert recognise(["01/02/2024", "x"]) == (TimeForm(Form.UNKNOWN), "01/02/2024")
    assert recognise([]) == (TimeForm(Form.UNKNOWN), "")


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2024-01-02T09:30:00-05:00", OPEN),
        ("2024-01-02T09:30:00-0500", OPEN),
        ("2024-01-02 09:30-05", OPEN),
        ("2024/01/02 14:30:00 Z", OPEN),
        ("2024-01-02t14:30:00z", OPEN),
        (" 2024-01-02T14:30:00.25+00:00 ", OPEN + 250_000),
        ("2024-01-02T14:30:00,123456789Z", OPEN + 123_456),
        ("2024-01-02T20:00+05:30", OPEN),
    ],
)
def test_texts_with_an_offset(text: str, micros: int) -> None:
    assert one(text, TimeForm(Form.OFFSET)) == (Kind.UTC, micros)


@pytest.mark.parametrize(
    "text",
    ["", "x", "2024-13-01T00:00Z", "2024-02-30", "20240230", "2024-01-02T24:00Z", "2024-01-02T09:30:60Z", "2024-W01-1",
     "01/02/2024", "2024-01/02", "1704205800", "2024-01-02T09:30:00+99:99", "0000-01-01T00:00Z", "٢٠٢٤-٠١-٠٢"],
)  # fmt: skip
def test_unreadable_texts(text: str) -> None:
    assert one(text, TimeForm(Form.OFFSET)) == (Kind.UNREADABLE, 0)


@given(st.integers(1_000_000_000, 4_000_000_000), st.sampled_from(list(UNITS)))
def test_epoch_units_agree(seconds: int, unit: str) -> None:
    number = seconds * 1_000_000 * -UNITS[unit] if UNITS[unit] < 0 else seconds * 1_000_000 // UNITS[unit]
    assert unit_of(number) == unit
    assert one(str(number), TimeForm(Form.EPOCH, unit)) == (Kind.UTC, seconds * 1_000_000)
    assert to_micros(np.array([number]), unit).tolist() == [seconds * 1_000_000]


def test_epoch_fractions_and_other_units() -> None:
    seconds, nanos = TimeForm(Form.EPOCH, "s"), TimeForm(Form.EPOCH, "ns")
    assert one("1704205800.25", seconds) == (Kind.UTC, OPEN + 250_000)
    assert one("-1.5", seconds) == (Kind.UTC, -1_500_000)
    assert one("1704205800000", seconds) == (Kind.ANOTHER_UNIT, 0)
    assert one("1704205800000000999", nanos) == (Kind.UTC, OPEN)
    assert one("9999999999999999999", nanos) == (Kind.ANOTHER_UNIT, 0)
    assert one("2024-01-02T14:30Z", seconds) == (Kind.UTC, OPEN)


def test_local_times_need_a_timezone() -> None:
    texts = ["2024-01-02 09:30", "2024-01-02T14:30Z", "2024-03-10 02:30", "2024-11-03 01:30", "2024-01-02"]
    time, problem = reader(TimeForm(Form.LOCAL), zone=NEW_YORK).texts(texts)
    assert time[:2].tolist() == [OPEN, OPEN]
    bad = [Reason.NONEXISTENT_TIME, Reason.AMBIGUOUS_TIME, Reason.NO_TIME_OF_DAY]
    assert problem.tolist() == [0, 0, *bad]
    _, problem = reader(TimeForm(Form.OFFSET)).texts(texts[:2])
    assert problem.tolist() == [Reason.NO_TIMEZONE, 0]
    with pytest.raises(NaiveTimeError, match="--timezone"):
        reader(TimeForm(Form.LOCAL)).check("a.csv", texts[0])
    reader(TimeForm(Form.LOCAL), zone=NEW_YORK).check("a.csv", texts[0])


def test_dates_are_session_labels() -> None:
    form = TimeForm(Form.DATE)
    time, problem = reader(form, "1d").texts(["2024-01-02", "2024-01-01", "2024-01-06", "20240103", "9999-01-01"])
    assert time[[0, 3]].tolist() == [OPEN, OPEN + 86_400_000_000]
    assert problem.tolist() == [0, Reason.NO_SESSION, Reason.NO_SESSION, 0, Reason.BEYOND_CALENDAR]
    with pytest.raises(NaiveTimeError, match="session label"):
        reader(form).check("a.csv", "2024-01-02")


def test_times_beyond_the_calendar_are_marked() -> None:
    texts = ["2024-01-02T14:30Z", "1901-01-02T14:30Z", "9998-01-02T14:30Z"]
    _, problem = reader(TimeForm(Form.OFFSET)).texts(texts)
    assert problem.tolist() == [0, Reason.BEYOND_CALENDAR, Reason.BEYOND_CALENDAR]


def test_nothing_to_read() -> None:
    time, problem = reader(TimeForm(Form.OFFSET)).texts([])
    assert len(time) == len(problem) == 0
