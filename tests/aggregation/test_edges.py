"""Buckets of a time, closes of candles, and the edges of a range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.aggregation import inside
from candlewick.aggregation.edges import Edges
from candlewick.errors import HorizonError
from candlewick.sessions import find_calendar
from candlewick.sessions.table import DAY
from candlewick.testing.session_law import DAYS, TIMEFRAMES
from candlewick.timeframe import MINUTE, Timeframe


def at(text: str) -> int:
    return int(np.datetime64(text, "us").astype(np.int64))


def text(moment: int) -> str:
    return str(np.datetime64(moment, "us").astype("datetime64[m]"))


def edges_at(calendar: str, timeframe: str, moment: int) -> Edges:
    return Edges.between(find_calendar(calendar), Timeframe.parse(timeframe), moment, moment + 1)


@pytest.mark.parametrize(
    ("calendar", "timeframe", "moment", "expected"),
    [
        ("XBOM", "30m", "2024-05-17T03:45", "2024-05-17T03:45/2024-05-17T04:15"),  # 09:15 there, not 09:00
        ("XBOM", "1h", "2024-05-17T09:59", "2024-05-17T09:45/2024-05-17T10:00"),  # the last one is short
        ("XBOM", "4h", "2024-05-17T07:45", "2024-05-17T07:45/2024-05-17T10:00"),
        ("XBOM", "1h", "2024-05-17T10:00", None),  # the close is not inside
        ("XBOM", "1h", "2024-05-17T03:44", None),
        ("XTKS", "1h", "2024-05-17T02:29", "2024-05-17T02:00/2024-05-17T02:30"),  # cut at the break
        ("XTKS", "1h", "2024-05-17T02:30", None),
        ("XTKS", "1h", "2024-05-17T03:30", "2024-05-17T03:30/2024-05-17T04:30"),  # begins anew behind it
        ("XTKS", "1d", "2024-05-17T04:00", "2024-05-17T00:00/2024-05-17T06:00"),
        ("XNYS", "1w", "2024-05-15T15:00", "2024-05-13T13:30/2024-05-17T20:00"),
        ("XNYS", "1mo", "2024-05-15T15:00", "2024-05-01T13:30/2024-05-31T20:00"),
        ("XNYS", "1h", "2023-11-24T17:45", "2023-11-24T17:30/2023-11-24T18:00"),  # a half day
        ("CMES", "1d", "2024-05-19T22:30", "2024-05-19T22:00/2024-05-20T22:00"),
        ("24/7", "1w", "2024-05-19T23:00", "2024-05-13T00:00/2024-05-20T00:00"),
        ("24/7", "7m", "2024-05-19T23:59", "2024-05-19T23:55/2024-05-20T00:00"),
        ("XNYS", "1m", "2024-05-15T15:00:30", "2024-05-15T15:00/2024-05-15T15:01"),
    ],
)
def test_bucket_of_a_time(calendar: str, timeframe: str, moment: str, expected: str | None) -> None:
    found = edges_at(calendar, timeframe, at(moment)).bucket(at(moment))
    assert (found and f"{text(found[0])}/{text(found[1])}") == expected


@pytest.mark.parametrize(
    ("calendar", "timeframe", "moment", "expected"),
    [
        ("XNYS", "1m", "2024-05-17T13:30", "2024-05-17T13:31"),
        ("XNYS", "7m", "2024-05-17T19:58", "2024-05-17T20:00"),  # cut at the close
        ("XNYS", "1m", "2024-05-17T20:00", "2024-05-17T20:01"),  # after-market
        ("XNYS", "5m", "2024-05-17T13:28", "2024-05-17T13:30"),  # pre-market, up to the open
        ("XTKS", "1d", "2024-05-17T00:00", "2024-05-17T06:00"),
        ("XTKS", "1d", "2024-05-17T03:00", "2024-05-17T06:00"),  # in the break of its session
        ("XNYS", "1d", "2024-05-18T00:00", "2024-05-18T00:00"),  # in no session: it may be over at once
        ("XNYS", "1w", "2024-05-13T13:30", "2024-05-17T20:00"),
        ("XNYS", "1mo", "2024-05-01T13:30", "2024-05-31T20:00"),
    ],
)
def test_close_of_a_candle(calendar: str, timeframe: str, moment: str, expected: str) -> None:
    assert text(edges_at(calendar, timeframe, at(moment)).close_of(at(moment))) == expected


@given(calendar=st.sampled_from(["XNYS", "XTKS", "CMES"]), day=DAYS, timeframe=TIMEFRAMES)
def test_closes_never_go_back(calendar: str, day: int, timeframe: str) -> None:
    """A later candle never says that less is complete, wherever the two stand."""
    edges = Edges.between(find_calendar(calendar), Timeframe.parse(timeframe), day * DAY, (day + 8) * DAY)
    closes = [edges.close_of(day * DAY + minute * MINUTE) for minute in range(0, 7 * 1440, 11)]
    assert closes == sorted(closes)


def test_behind_the_last_period_known() -> None:
    calendar = find_calendar("XBOM")
    until = calendar.known[1]
    edges = edges_at("XBOM", "1m", until - MINUTE)
    assert edges.bucket(until - MINUTE) is None
    assert edges.close_of(until - MINUTE) == until
    assert edges.most(until - MINUTE, until) == 0
    assert len(edges_at("XBOM", "1w", until - MINUTE).starts(until - MINUTE, until)[0]) == 0
    with pytest.raises(HorizonError):
        edges_at("XBOM", "1m", until)


@given(
    calendar=st.sampled_from(["XNYS", "XTKS", "CMES", "24/7"]),
    day=DAYS,
    timeframe=TIMEFRAMES,
    hours=st.integers(1, 300),
    late=st.integers(0, 24 * 60),
)
def test_edges_of_a_range_are_those_that_touch_it(
    calendar: str, day: int, timeframe: str, hours: int, late: int
) -> None:
    start = day * DAY + late * MINUTE
    end = start + hours * 60 * MINUTE
    edges = Edges.between(find_calendar(calendar), Timeframe.parse(timeframe), start, end)
    opened, closed = edges.starts(start, end)
    assert np.all((closed > start) & (opened < end))
    assert len(opened) <= edges.most(start, end)
    for begin, finish in zip(opened[:50].tolist(), closed[:50].tolist()):
        assert edges.bucket(begin) == (begin, finish)
    for moment in range(start, end, 97 * MINUTE):
        found = edges.bucket(moment)
        assert found is None or found in zip(opened.tolist(), closed.tolist())


@given(
    calendar=st.sampled_from(["XNYS", "XTKS", "CMES", "24/7", "09:15-15:30@Asia/Kolkata"]),
    day=DAYS,
    timeframe=TIMEFRAMES,
    minute=st.integers(0, 24 * 60),
)
def test_the_last_bucket_that_begins_before_a_time(calendar: str, day: int, timeframe: str, minute: int) -> None:
    moment = day * DAY + minute * MINUTE
    edges = Edges.between(find_calendar(calendar), Timeframe.parse(timeframe), moment - 70 * DAY, moment)
    opened, closed = edges.starts(moment - 70 * DAY, moment)
    assert np.all(opened < moment)
    assert edges.end_before(moment) == closed[-1]


def test_before_every_bucket_there_is_none() -> None:
    edges = edges_at("XNYS", "1w", at("2024-05-17T14:00"))
    assert edges.end_before(int(edges.table.open[0])) is None
    assert edges.end_before(int(edges.table.open[0]) + 1) is not None


def test_inside() -> None:
    times = np.array([at(f"2024-05-17T{clock}") for clock in ("13:29", "13:30", "19:59", "20:00")])
    assert inside(find_calendar("XNYS"), times).tolist() == [False, True, True, False]
