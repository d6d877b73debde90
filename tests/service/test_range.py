"""Range: what a request is about, and up to where candles can matter to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick import Candles
from candlewick.engine.query import query
from candlewick.errors import InputError, UnknownSeriesError
from candlewick.service.range import Resolved, resolve_range
from candlewick.service.request import Request
from candlewick.sessions.calendar import find_calendar
from candlewick.store.memory import MemoryStore
from candlewick.testing.service_market import market
from candlewick.timeframe import MINUTE, Timeframe

START = 1_704_153_600_000_000
"""2024-01-02T00:00:00Z."""


@pytest.fixture
def store() -> MemoryStore:
    opened = MemoryStore()
    opened.upsert(market())
    return opened


def test_series_and_bounds(store: MemoryStore) -> None:
    found = resolve_range(store, Request.of("SIM", "5m", start="2024-01-03", end=START + 9 * MINUTE * 1440))
    assert found.series == store.find("SIM", "1m")
    assert found.low == 1_704_292_200_000_000
    assert found.high == START + 9 * MINUTE * 1440
    assert resolve_range(store, Request.of("SIM", "1m")) == Resolved(found.series, None, None, find_calendar("XNYS"))


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"symbol": "SIN", "timeframe": "5m"}, UnknownSeriesError),
        ({"symbol": "SIM", "timeframe": "5m", "source": "3m"}, InputError),
        ({"symbol": "SIM", "timeframe": "5m", "start": "2024-01-06"}, InputError),
        ({"symbol": "SIM", "timeframe": "5m", "start": "2024-01-05", "end": "2024-01-03"}, InputError),
    ],
)
def test_errors_are_those_of_a_query(store: MemoryStore, asked: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind) as mine:
        resolve_range(store, Request.of(**asked))
    with pytest.raises(kind) as theirs:
        query(store, **asked)
    assert str(mine.value) == str(theirs.value)


def test_a_source_that_does_not_divide(store: MemoryStore) -> None:
    bars = query(store, "SIM", "3m").bars
    values = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    store.upsert(Candles.trusted("SIM", bars.timeframe, bars.calendar, bars.microseconds, values))
    with pytest.raises(InputError, match="cannot be made of 3m candles"):
        resolve_range(store, Request.of("SIM", "5m", source="3m"))


@given(
    calendar=st.sampled_from(["XNYS", "XTKS", "24/7"]),
    timeframe=st.sampled_from(["1m", "7m", "1h", "1d", "1w", "1mo"]).map(Timeframe.parse),
    minutes=st.lists(st.integers(0, 40 * 1440), min_size=1, max_size=30, unique=True),
    end=st.integers(0, 40 * 1440),
)
def test_no_candle_at_or_behind_it_is_in_a_bar_of_the_range(
    calendar: str, timeframe: Timeframe, minutes: list[int], end: int
) -> None:
    time = START + np.sort(np.array(minutes)) * MINUTE
    one = np.ones(len(time))
    store = MemoryStore()
    store.upsert(
        Candles(
            symbol="S", timeframe="1m", calendar=calendar, time=time, open=one, high=one, low=one, close=one, volume=one
        )
    )
    high = START + end * MINUTE
    settles = resolve_range(store, Request.of("S", timeframe, end=high)).settles(timeframe)
    assert settles is not None
    counted = int(query(store, "S", timeframe, end=high).bars.n.sum())
    inside = time[find_calendar(calendar).inside(time)]
    assert counted <= np.count_nonzero(inside < settles)
    store.delete("S", "1m", settles, None)
    if store.series_of("S"):
        assert int(query(store, "S", timeframe, end=high).bars.n.sum()) == counted
    else:
        assert counted == 0


@pytest.mark.parametrize(
    ("timeframe", "end", "settles"),
    [
        ("5m", "2024-01-05T14:30Z", "2024-01-04T21:00Z"),
        ("5m", "2024-01-05T14:31Z", "2024-01-05T14:35Z"),
        ("7m", "2024-01-05T20:59Z", "2024-01-05T21:00Z"),
        ("5m", "2024-01-05T14:35Z", "2024-01-05T14:35Z"),
        ("1h", "2024-01-07T12:00Z", "2024-01-05T21:00Z"),
        ("1d", "2024-01-05T14:30Z", "2024-01-04T21:00Z"),
        ("1d", "2024-01-05T14:31Z", "2024-01-05T21:00Z"),
        ("1w", "2024-01-03T00:00Z", "2024-01-05T21:00Z"),
    ],
)
def test_it_is_the_end_of_the_last_bucket_that_begins_before(
    store: MemoryStore, timeframe: str, end: str, settles: str
) -> None:
    """So yesterday is settled when today opens."""
    request = Request.of("SIM", timeframe, end=end)
    expected = int(np.datetime64(settles.removesuffix("Z"), "us").astype(np.int64))
    assert resolve_range(store, request).settles(request.timeframe) == expected


def test_beyond_what_the_calendar_knows_there_are_no_bars(store: MemoryStore) -> None:
    far = 4_000_000_000_000_000
    assert resolve_range(store, Request.of("SIM", "1w", end=far)).settles(Timeframe.parse("1w")) == far
    assert resolve_range(store, Request.of("SIM", "1w")).settles(Timeframe.parse("1w")) is None
