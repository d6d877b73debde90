"""Whole series as bars: n, final, anchors, zero volume, many at once, sharing of memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from candlewick.aggregation import aggregate, aggregate_many, session_bars
from candlewick.bars import Bars
from candlewick.candles import VALUES, Candles
from candlewick.errors import HorizonError, InputError, UnknownNameError
from candlewick.testing.session_law import same_bars, trial_candles

pytestmark = pytest.mark.kernel


def candles(*rows: tuple[str, float, float], timeframe: str = "1m", calendar: str = "XNYS") -> Candles:
    """Flat candles of (time, price, volume)."""
    prices: dict[str, Any] = {name: [row[1] for row in rows] for name in ("open", "high", "low", "close")}
    stamps = np.array([row[0] for row in rows], dtype="datetime64[us]")
    volume = [row[2] for row in rows]
    return Candles(symbol="S", timeframe=timeframe, calendar=calendar, time=stamps, volume=volume, **prices)


def times(bars: Candles) -> list[str]:
    return [str(time)[:16] for time in bars.time]


DAY = candles(
    ("2024-05-17T13:00", 9.0, 7.0),
    ("2024-05-17T13:31", 1.0, 1.0),
    ("2024-05-17T13:34", 3.0, 2.0),
    ("2024-05-17T13:36", 2.0, 4.0),
    ("2024-05-17T19:59", 5.0, 8.0),
    ("2024-05-17T20:30", 99.0, 16.0),
)


def test_candles_outside_sessions_are_left_out_and_empty_buckets_make_no_bars() -> None:
    bars = aggregate(DAY, "5m")
    assert times(bars) == ["2024-05-17T13:30", "2024-05-17T13:35", "2024-05-17T19:55"]
    assert bars.volume.tolist() == [3.0, 4.0, 8.0]
    assert bars.high.tolist() == [3.0, 2.0, 5.0]
    assert bars.n.tolist() == [2, 1, 1]
    assert bars.anchor.tolist() == [7, 0, 0]
    assert (bars.n.dtype, bars.final.dtype, bars.anchor.dtype) == (np.int32, np.bool_, np.uint8)
    assert str(bars.source) == "1m"


@pytest.mark.parametrize(
    ("rows", "timeframe", "final"),
    [
        (6, "5m", [True, True, True]),  # an after-market candle also says that the session is over
        (5, "5m", [True, True, True]),  # 19:59 closes at 20:00
        (4, "5m", [True, False]),  # 13:36 closes at 13:37
        (3, "5m", [True]),  # 13:34 closes at 13:35
        (2, "5m", [False]),
        (5, "1d", [True]),
        (4, "1d", [False]),
        (6, "1w", [True]),  # 2024-05-17 is a Friday
        (6, "1mo", [False]),
    ],
)
def test_final_by_the_newest_candle(rows: int, timeframe: str, final: list[bool]) -> None:
    assert aggregate(DAY.rows(0, rows), timeframe).final.tolist() == final


@pytest.mark.parametrize(
    ("until", "final"),
    [
        ("2024-05-17T13:34:59Z", [False, False, False]),
        ("2024-05-17T13:35:00Z", [True, False, False]),
        ("2024-05-17T13:40:00Z", [True, True, False]),
        ("2024-05-17T20:00:00Z", [True, True, True]),
        ("2024-05-20", [True, True, True]),
    ],
)
def test_final_by_what_the_caller_says(until: str, final: list[bool]) -> None:
    bars = aggregate(DAY, "5m", complete_until=until)
    assert bars.final.tolist() == final
    assert len(bars.only_final()) == sum(final)


def test_anchors_stand_on_the_first_bar_present() -> None:
    dates = ("05-30", "05-31", "06-03", "06-04", "07-01")
    rows = candles(*((f"2024-{date}T15:00", 1.0, 1.0) for date in dates))
    assert aggregate(rows, "5m").anchor.tolist() == [7, 1, 7, 1, 7]
    weekly = aggregate(rows, "1w")
    assert times(weekly) == ["2024-05-28T13:30", "2024-06-03T13:30", "2024-07-01T13:30"]  # Monday the 27th is a holiday
    assert weekly.anchor.tolist() == [7, 7, 7]
    assert weekly.n.tolist() == [2, 2, 1]


def test_a_new_month_within_a_week_has_its_own_bit() -> None:
    bars = aggregate(candles(("2024-07-31T15:00", 1.0, 1.0), ("2024-08-01T15:00", 1.0, 1.0)), "1h")
    assert bars.anchor.tolist() == [7, 5]


def test_zero_volume_is_kept_or_dropped() -> None:
    rows = candles(
        ("2024-05-17T13:30", 5.0, 0.0),
        ("2024-05-17T13:31", 4.0, 2.0),
        ("2024-05-17T13:33", 9.0, 0.0),
        ("2024-05-17T13:35", 4.0, 0.0),
        ("2024-05-17T13:40", 4.0, 1.0),
    )
    kept, dropped = aggregate(rows, "5m"), aggregate(rows, "5m", zero_volume="drop")
    assert kept.n.tolist() == [3, 1, 1]
    assert (kept.open[0], kept.high[0]) == (5.0, 9.0)
    assert times(dropped) == ["2024-05-17T13:30", "2024-05-17T13:40"]
    assert dropped.n.tolist() == [1, 1]
    assert (dropped.open[0], dropped.high[0]) == (4.0, 4.0)
    assert dropped.anchor.tolist() == [7, 0]


def test_an_index_without_volume_keeps_its_minutes() -> None:
    stamp = np.array(["2024-05-17T13:30"], dtype="datetime64[us]")
    prices = {"open": [1.0], "high": [2.0], "low": [1.0], "close": [2.0]}
    moving = Candles(symbol="I", timeframe="1m", calendar="XNYS", time=stamp, volume=[0.0], **prices)  # type: ignore[arg-type]
    assert len(aggregate(moving, "5m", zero_volume="drop")) == 1


def test_daily_candles_by_label_make_weeks_and_months() -> None:
    daily = Candles(
        symbol="D",
        timeframe="1d",
        calendar="XNYS",
        time=["2024-05-30", "2024-05-31", "2024-06-03"],
        open=[1, 2, 3],
        high=[4, 5, 6],
        low=[0, 1, 2],
        close=[2, 3, 4],
        volume=[10, 20, 30],
    )
    weekly, monthly = aggregate(daily, "1w"), aggregate(daily, "1mo")
    assert weekly.volume.tolist() == [30.0, 30.0]
    assert weekly.final.tolist() == [True, False]
    assert (monthly.open.tolist(), monthly.close.tolist()) == ([1.0, 3.0], [3.0, 4.0])
    assert times(session_bars(daily)) == ["2024-05-30T13:30", "2024-05-31T13:30", "2024-06-03T13:30"]
    assert session_bars(daily).final.all()


def test_two_candles_in_one_bucket_merge() -> None:
    rows = candles(("2024-05-17T13:30:15", 1.0, 1.0), ("2024-05-17T13:30:30", 2.0, 2.0))
    for bars in (aggregate(rows, "1m"), session_bars(rows)):
        assert times(bars) == ["2024-05-17T13:30"]
        assert (bars.open[0], bars.close[0], bars.volume[0], bars.n[0]) == (1.0, 2.0, 3.0, 2)


def test_bars_that_can_still_change_make_bars_that_can_still_change() -> None:
    five = aggregate(DAY.rows(0, 4), "5m")
    assert five.final.tolist() == [True, False]
    assert aggregate(five, "10m").final.tolist() == [False]
    assert aggregate(five.only_final(), "10m").final.tolist() == [False]
    ten = aggregate(aggregate(DAY, "5m"), "10m")
    assert ten.n.tolist() == [3, 1]
    assert ten.final.tolist() == [True, True]
    assert str(ten.source) == "1m"


def test_no_candles_make_no_bars() -> None:
    for bars in (aggregate(DAY.rows(0, 0), "5m"), session_bars(DAY.rows(0, 0)), aggregate(DAY.rows(0, 1), "5m")):
        assert isinstance(bars, Bars)
        assert len(bars) == 0


def test_session_bars_share_memory_when_all_candles_are_inside() -> None:
    inside = candles(("2024-05-17T13:31", 1.0, 1.0), ("2024-05-17T13:34", 3.0, 2.0), ("2024-05-20T13:34", 3.0, 2.0))
    bars = session_bars(inside)
    assert all(np.shares_memory(getattr(bars, name), getattr(inside, name)) for name in ("microseconds", *VALUES))
    assert same_bars(bars, aggregate(inside, "1m"))
    assert bars.anchor.tolist() == [7, 0, 3]
    assert session_bars(inside) is bars
    assert session_bars(bars) is bars


def test_session_bars_leave_out_what_is_outside() -> None:
    assert times(session_bars(DAY)) == ["2024-05-17T13:31", "2024-05-17T13:34", "2024-05-17T13:36", "2024-05-17T19:59"]


def test_many_series_at_once_equal_one_after_the_other() -> None:
    series = [trial_candles("XNYS", 19_000 + 30 * k, k, symbol=f"S{k}") for k in range(12)]
    expected = [aggregate(one, "5m", zero_volume="drop") for one in series]
    for threads in (None, 1, 3):
        found = aggregate_many(series, "5m", zero_volume="drop", threads=threads)
        assert [bars.symbol for bars in found] == [one.symbol for one in series]
        assert all(map(same_bars, found, expected))
    assert aggregate_many([], "5m") == []
    with pytest.raises(InputError, match="threads"):
        aggregate_many(series, "5m", threads=0)


@pytest.mark.parametrize(("source", "target"), [("5m", "7m"), ("5m", "1m"), ("1d", "1h"), ("1w", "1mo"), ("1h", "90m")])
def test_a_timeframe_that_whole_candles_do_not_fill_is_refused(source: str, target: str) -> None:
    rows = candles(("2024-05-17T13:30", 1.0, 1.0), timeframe=source)
    with pytest.raises(InputError, match=f"timeframe: '{target}' cannot be made of {source} candles"):
        aggregate(rows, target)


def test_bad_words_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"zero_volume.*drop"):
        aggregate(DAY, "5m", zero_volume="dropp")
    with pytest.raises(InputError, match="timeframe"):
        aggregate(DAY, "5x")
    with pytest.raises(HorizonError, match="XNYS"):
        aggregate(candles(("1980-01-02T15:00", 1.0, 1.0)), "5m")
