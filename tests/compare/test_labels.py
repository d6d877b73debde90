"""Labels: which bar a time stands for."""

from __future__ import annotations

import numpy as np
import pytest

from candlewick.compare.ground import CLOCK, OURS, Ground, Way
from candlewick.compare.labels import NOWHERE, OPEN, Labels, candidates
from candlewick.sources.simulated import simulate
from candlewick.timeframe import Timeframe


@pytest.fixture(scope="module")
def hours(minutes):
    return Ground(minutes, Timeframe.parse("1h"))


def opened(labels, ground, *texts, way=OURS):
    times = np.array(texts, dtype="datetime64[us]").view(np.int64)
    found = labels.opened(times, ground, way)
    return [None if one == NOWHERE else str(np.datetime64(int(one), "us"))[:16] for one in found.tolist()]


def test_a_close_is_the_end_of_its_bucket(hours):
    shown = ("2024-01-02T15:30", "2024-01-02T21:00", "2024-01-03T15:30", "2024-01-03T15:31")
    assert opened(Labels("close"), hours, *shown) == ["2024-01-02T14:30", "2024-01-02T20:30", "2024-01-03T14:30", None]
    assert opened(Labels("close"), hours, "2024-01-02T15:29:59.999") == ["2024-01-02T14:30"]
    assert opened(Labels("close"), hours, "2024-01-02T15:00", way=Way(CLOCK)) == ["2024-01-02T14:00"]
    assert opened(Labels("close"), hours, "1850-01-02T15:00") == [None]


def test_rows_shifted_by_a_bar(hours):
    shown = ("2024-01-02T15:30", "2024-01-02T16:30")
    assert opened(Labels("bars", 1), hours, *shown) == ["2024-01-02T14:30", "2024-01-02T15:30"]
    assert opened(Labels("bars", -1), hours, *shown) == ["2024-01-02T16:30", "2024-01-02T17:30"]
    assert opened(Labels("bars", 1), hours, "2024-01-02T14:30") == [None]
    assert opened(Labels("bars", -1), hours, "2024-01-04T20:30") == [None]


def test_shifted_and_local_clocks(hours):
    assert opened(OPEN, hours, "2024-01-02T14:30") == ["2024-01-02T14:30"]
    assert opened(Labels("offset", 60_000_000), hours, "2024-01-02T14:31") == ["2024-01-02T14:30"]
    assert opened(Labels("clock"), hours, "2024-01-02T09:30") == ["2024-01-02T14:30"]


def test_dates():
    (candles,) = simulate(["S"], "XNYS", 8, 1)
    days = Ground(candles, Timeframe.parse("1d"))
    assert opened(Labels("date"), days, "2024-01-02", "2024-01-06") == ["2024-01-02T14:30", None]
    assert opened(Labels("close"), days, "2024-01-02T21:00") == ["2024-01-02T14:30"]
    assert Labels("date") in candidates(days)
    assert Labels("clock") not in candidates(days)


def test_every_reading_has_its_words(hours):
    words = [str(one) for one in (OPEN, Labels("date"), *candidates(hours))]
    assert len(set(words)) == len(words)
    assert words[:3] == [
        "stamped with the bar's open",
        "stamped with midnight UTC of the session's date",
        "stamped with the bar's close",
    ]
    assert str(Labels("offset", -90_000_000)) == "stamped 90 seconds early"
    always = Ground(next(simulate(["S"], "24/7", 1, 1)), Timeframe.parse("1h"))
    assert Labels("clock") not in candidates(always)
