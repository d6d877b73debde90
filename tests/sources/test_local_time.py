from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import UnknownNameError
from candlewick.sources.local_time import find_zone, offsets
from candlewick.sources.rows import Reason

ZONES = ["America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", "Africa/Casablanca", "Pacific/Apia"]
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001


def by_hand(local: dt.datetime, zone: ZoneInfo) -> tuple[int, Reason]:
    """What the standard library says: a local time exists when it survives the way to UTC and back."""
    seen = {
        local.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC)
        for fold in (0, 1)
        if local.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None, fold=0)
        == local
    }
    if len(seen) != 1:
        return 0, Reason.AMBIGUOUS_TIME if seen else Reason.NONEXISTENT_TIME
    return (seen.pop().replace(tzinfo=None) - EPOCH) // dt.timedelta(microseconds=1), Reason.SOUND


@given(
    st.sampled_from(ZONES),
    st.lists(st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2037, 12, 31)), min_size=1, max_size=20),  # noqa: DTZ001
)
def test_equals_the_standard_library(name: str, times: list[dt.datetime]) -> None:
    zone = ZoneInfo(name)
    local = np.array([(at - EPOCH) // dt.timedelta(microseconds=1) for at in times], dtype=np.int64)
    utc, problem = offsets(zone).to_utc(local)
    for at, micros, reason in zip(times, utc.tolist(), problem.tolist(), strict=True):
        expected, why = by_hand(at, zone)
        assert reason == why
        if why == Reason.SOUND:
            assert micros == expected


def test_the_hours_of_a_change() -> None:
    zone = ZoneInfo("America/New_York")
    texts = ["2024-03-10T01:59:59", "2024-03-10T02:00", "2024-03-10T02:59:59", "2024-03-10T03:00"]
    texts += ["2024-11-03T00:59:59", "2024-11-03T01:00", "2024-11-03T01:59:59", "2024-11-03T02:00"]
    _, problem = offsets(zone).to_utc(np.array(texts, dtype="datetime64[us]").astype(np.int64))
    gap, twice = Reason.NONEXISTENT_TIME, Reason.AMBIGUOUS_TIME
    assert problem.tolist() == [0, gap, gap, 0, 0, twice, twice, 0]


def test_beyond_the_known_clocks_nothing_exists() -> None:
    _, problem = offsets(ZoneInfo("UTC")).to_utc(np.array([-(2**60), 2**60], dtype=np.int64))
    assert problem.tolist() == [Reason.NONEXISTENT_TIME] * 2


@pytest.mark.parametrize("name", ["America/Newyork", "", "../etc/passwd", "Asia"])
def test_an_unknown_timezone_names_the_nearest(name: str) -> None:
    with pytest.raises(UnknownNameError, match="timezone") as caught:
        find_zone(name)
    if name == "America/Newyork":
        assert "America/New_York" in caught.value.nearest
