"""Ground: bars by our way and by others, against sums written out."""

from __future__ import annotations

import numpy as np
import pytest
from tests.compare.exports import at_timeframe, quiet, rebuilt

import candlewick as cw
from candlewick.candles import VALUES
from candlewick.compare.ground import ALL_HOURS, CLOCK, Ground, Way, anchors, flat, ground_of, shifts
from candlewick.errors import InputError
from candlewick.sessions.calendar import find_calendar
from candlewick.timeframe import Timeframe

HOUR = Timeframe.parse("1h")


def test_our_way_is_what_aggregate_makes(minutes):
    ground = Ground(minutes, HOUR)
    bars = cw.aggregate(minutes, HOUR)
    assert ground.bars() == bars
    assert ground.bars() is ground.bars()
    sheet = ground.sheet(bars.microseconds, {name: getattr(bars, name) for name in VALUES}, bars.n)
    assert (sheet.anchor == bars.anchor).all()
    assert (sheet.n == bars.n).all()


def test_buckets_of_the_clock(minutes):
    bars = Ground(minutes, HOUR).bars(Way(CLOCK))
    local = bars.microseconds + shifts(minutes.calendar, bars.microseconds)
    assert (local % HOUR.microseconds == 0).all()
    assert bars.volume.sum() == minutes.volume.sum()
    assert bars.n.sum() == len(minutes)
    first = minutes.time < np.datetime64("2024-01-02T15:00")
    assert bars.time[0] == np.datetime64("2024-01-02T14:00")
    assert (bars.open[0], bars.close[0]) == (minutes.open[0], minutes.close[first][-1])
    assert (bars.high[0], bars.low[0]) == (minutes.high[first].max(), minutes.low[first].min())


def test_candles_of_all_hours(minutes):
    early = minutes.microseconds - 3 * 3_600_000_000
    candles = cw.Candles.trusted(
        "S", minutes.timeframe, minutes.calendar, early, {name: getattr(minutes, name) for name in VALUES}
    )
    inside = minutes.calendar.inside(early)
    assert Ground(candles, HOUR).bars(Way(ALL_HOURS)).n.sum() == len(candles)
    assert Ground(candles, HOUR).bars(Way(CLOCK)).n.sum() == inside.sum()


def test_candles_without_a_trade(minutes):
    rows = [100, 200, 300]
    ours = quiet(minutes, rows)
    assert np.flatnonzero(flat(ours)).tolist() == rows
    left = rebuilt(ours, ~flat(ours))
    for way in (Way(drop=True), Way(CLOCK, drop=True)):
        found, expected = Ground(ours, HOUR).bars(way), Ground(left, HOUR).bars(Way(way.buckets))
        assert (found.n == expected.n).all()
        assert (found.close == expected.close).all()


def test_candles_a_minute_later(minutes):
    bars = Ground(minutes, HOUR).bars(Way(minutes=1))
    last = minutes.time < np.datetime64("2024-01-02T15:29")
    assert bars.close[0] == minutes.close[last][-1]


def test_which_ways_are_worth_trying(minutes):
    assert Ground(minutes, HOUR).ways() == [Way(minutes=1), Way(minutes=-1), Way(CLOCK), Way(ALL_HOURS)]
    assert Ground(minutes, Timeframe.parse("1m")).ways() == [Way(ALL_HOURS)]
    assert Ground(minutes, Timeframe.parse("1d")).ways() == []
    assert Ground(quiet(minutes, [5]), Timeframe.parse("1d")).ways() == [Way(drop=True)]


def test_anchors_outside_sessions_are_of_the_local_date():
    calendar = find_calendar("XNYS")
    times = np.array(["2024-01-05T12:00", "2024-01-05T15:00", "2024-01-05T23:00", "2024-01-08T12:00"], "datetime64[us]")
    assert anchors(calendar, times.view(np.int64)).tolist() == [7, 0, 0, 3]
    assert len(anchors(calendar, np.empty(0, np.int64))) == 0


def test_nothing_to_compare_with(minutes):
    night = minutes.microseconds[:5] - 12 * 3_600_000_000
    candles = cw.Candles.trusted(
        "S", minutes.timeframe, minutes.calendar, night, {name: getattr(minutes, name)[:5] for name in VALUES}
    )
    with pytest.raises(InputError, match="has no bars"):
        ground_of(candles, HOUR)
    assert len(Ground(candles, HOUR).bars(Way(CLOCK))) == 0
    assert ground_of(at_timeframe(minutes, "1h"), HOUR).calendar is minutes.calendar
