"""Own hours: text, overnight periods, days, and the clock's changes."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import InputError, UnknownNameError
from candlewick.sessions.hours import WEEK, Hours, instant, local_periods, parse_clock
from candlewick.sessions.table import DAY
from candlewick.timeframe import MINUTE

ZONES = ["America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Europe/London", "Africa/Casablanca", "UTC"]
EPOCH = dt.date(1970, 1, 1)


def day(text: str) -> int:
    return (dt.date.fromisoformat(text) - EPOCH).days


@given(
    cuts=st.lists(st.integers(0, 1439), min_size=2, max_size=6, unique=True).filter(lambda cuts: len(cuts) % 2 == 0),
    days=st.sets(st.integers(0, 6), min_size=1),
    zone=st.sampled_from(ZONES),
    turn=st.integers(0, 5),
)
def test_canonical_text_reads_back_as_itself(cuts: list[int], days: set[int], zone: str, turn: int) -> None:
    cuts = sorted(cuts)
    cuts = cuts[turn % len(cuts) :] + cuts[: turn % len(cuts)]  # begins anywhere: overnight where it wraps
    clock = ",".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in zip(cuts[::2], cuts[1::2]))
    hours = Hours.parse(f"{clock}@{zone};{','.join(WEEK[k] for k in days)}")
    assert Hours.parse(str(hours)) == hours
    assert str(Hours.parse(str(hours))) == str(hours)
    assert hours.clock[-1][1] > 0 or cuts[-1] == 0
    assert [edge % 1440 for period in hours.clock for edge in period] == cuts
    assert all(a < b for a, b in hours.clock)
    assert all(left[1] < right[0] for left, right in zip(hours.clock, hours.clock[1:]))


@pytest.mark.parametrize(
    ("text", "canonical", "clock"),
    [
        ("9:15-15:30@Asia/Kolkata", "09:15-15:30@Asia/Kolkata", ((555, 930),)),
        ("09:00-11:30, 12:30-15:00@Asia/Tokyo Mon-Fri", "09:00-11:30,12:30-15:00@Asia/Tokyo", ((540, 690), (750, 900))),
        ("18:00-17:00@America/New_York", "18:00-17:00@America/New_York", ((-360, 1020),)),
        ("00:00-24:00@UTC;Mon-Sun", "00:00-24:00@UTC;Mon-Sun", ((0, 1440),)),
        ("10:00-14:00@Asia/Dubai;Sun-Thu", "10:00-14:00@Asia/Dubai;Mon-Thu,Sun", ((600, 840),)),
        ("20:00-24:00,01:00-03:00@UTC;fri", "20:00-00:00,01:00-03:00@UTC;Fri", ((-240, 0), (60, 180))),
        ("17:00-17:00@UTC", "17:00-17:00@UTC", ((-420, 1020),)),
    ],
)
def test_text(text: str, canonical: str, clock: tuple[tuple[int, int], ...]) -> None:
    hours = Hours.parse(text)
    assert str(hours) == canonical
    assert hours.clock == clock


@pytest.mark.parametrize(
    "text",
    [
        "09:15-15:30@",
        "@Asia/Kolkata",
        "9-15@UTC",
        "09:61-10:00@UTC",
        "25:00-26:00@UTC",
        "09:00-10:00,09:30-11:00,08:00-12:00@UTC",
        "09:00-18:00,10:00-12:00,11:00-13:00@UTC",
        "09:00-10:00@UTC;Mon-Foo",
        "09:00-10:00@UTC;Mon-Tue-Wed",
        "09:00-10:00@UTC;",
    ],
)
def test_unclear_hours_are_refused(text: str) -> None:
    if text.endswith(";"):
        text += " "
    with pytest.raises(InputError) as caught:
        Hours.parse(text, "calendar")
    assert caught.value.parameter == "calendar"
    assert caught.value.expected


def test_an_unknown_zone_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        Hours.parse("09:15-15:30@Asia/Kolkatta")
    assert "Asia/Kolkata" in caught.value.nearest


@given(
    zone=st.sampled_from(ZONES), at=st.integers(day("1975-01-01"), day("2037-12-31")), minute=st.integers(-1440, 1440)
)
def test_an_instant_is_the_first_at_which_the_clock_shows_it(zone: str, at: int, minute: int) -> None:
    place = ZoneInfo(zone)
    found = instant(at, minute, place)
    wanted = dt.datetime.combine(EPOCH, dt.time()) + dt.timedelta(days=at, minutes=minute)

    def shown(moment: int) -> dt.datetime:
        there = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=moment)
        return there.astimezone(place).replace(tzinfo=None)

    assert shown(found) >= wanted
    assert all(shown(found - back * MINUTE) < wanted for back in (1, 30, 59, 60, 61, 119))


@pytest.mark.parametrize(
    ("zone", "date", "minute", "utc"),
    [
        ("America/New_York", "2024-03-10", 150, "2024-03-10T07:00"),  # 02:30 is skipped
        ("America/New_York", "2024-03-10", 180, "2024-03-10T07:00"),
        ("America/New_York", "2024-11-03", 90, "2024-11-03T05:30"),  # 01:30 comes twice
        ("America/New_York", "2024-11-03", 120, "2024-11-03T07:00"),
        ("Asia/Kolkata", "2024-11-03", 555, "2024-11-03T03:45"),
    ],
)
def test_readings_around_a_change(zone: str, date: str, minute: int, utc: str) -> None:
    assert instant(day(date), minute, ZoneInfo(zone)) == int(np.datetime64(utc, "us").astype(np.int64))


def test_a_period_that_the_clock_skips_is_left_out() -> None:
    periods = local_periods([(day("2024-03-10"), parse_clock("02:10-02:40 05:00-06:00", "p"))], "America/New_York")
    assert len(periods) == 1
    assert periods.close[0] - periods.open[0] == 60 * MINUTE


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Australia/Sydney"])
def test_a_clock_change_moves_sessions_in_utc_and_nothing_else(zone: str) -> None:
    periods = Hours.parse(f"09:30-16:00@{zone}").periods(day("2024-01-01"), day("2024-12-31"))
    assert set((periods.close - periods.open).tolist()) == {390 * MINUTE}
    since_midnight = set(((periods.open - periods.label * DAY) // MINUTE).tolist())
    assert len(since_midnight) == 2
    assert max(since_midnight) - min(since_midnight) == 60
