"""One line for each symbol before the open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from tests.completeness.conftest import at, kept, rows, stored

from candlewick.candles import PRICES, Candles
from candlewick.completeness.readiness import Readiness, readiness
from candlewick.errors import UnknownSeriesError
from candlewick.sources.simulated import simulate
from candlewick.store.memory import MemoryStore
from candlewick.timeframe import MINUTE, Timeframe

ONE = Timeframe.parse("1m")
MONDAY = at("2024-01-08T13:00:00Z")
"""Before the open; the last session is that of Friday, the 5th."""


def market(sessions: int = 10, start: str = "2023-12-20", many: int = 2) -> list[Candles]:
    return [
        kept(one, one.microseconds < MONDAY)
        for one in simulate([f"S{number}" for number in range(many)], "XNYS", sessions, 8, start)
    ]


def ready(series: Sequence[Candles], now: int = MONDAY, timeframe: Timeframe = ONE, *names: str) -> list[Readiness]:
    return readiness(stored(series), timeframe, now, names)


def test_a_symbol_with_everything_is_ready_in_one_line() -> None:
    one, two = ready(market(12))
    assert one.ready
    assert two.ready
    assert (one.session, one.slots, one.needed) == ("2024-01-05", 390, 49)
    assert 370 <= one.there <= 390
    assert one.bars >= 49
    assert one.opens == at("2024-01-08T14:30:00Z")
    line = one.line()
    assert line.startswith(
        f"S0 1m: ready: session 2024-01-05 complete ({one.there} of 390 candles), newest 2024-01-05T"
    )
    assert line.endswith("opens 2024-01-08T14:30:00Z")
    assert "\n" not in line
    about = one.as_dict()
    assert about["ready"] is True
    assert about["opens"] == "2024-01-08T14:30:00Z"
    assert about["reasons"] == []


@pytest.mark.parametrize(
    ("low", "high", "reason"),
    [
        ("2024-01-05T00:00:00Z", "2024-01-06T00:00:00Z", "late: 390 candles from 2024-01-05T14:30:00Z"),
        ("2024-01-05T18:00:00Z", "2024-01-06T00:00:00Z", "late: 180 candles from 2024-01-05T18:00:00Z"),
        ("2024-01-04T00:00:00Z", "2024-01-05T00:00:00Z", "missing sessions: 1 session from 2024-01-04T14:30:00Z"),
        ("2024-01-05T15:00:00Z", "2024-01-05T16:00:00Z", "missing minutes: 60 candles from 2024-01-05T15:00:00Z"),
    ],
)
def test_what_is_missing_says_why_not(low: str, high: str, reason: str) -> None:
    first, second = market(12)
    lost = rows(first, at(low), at(high))
    (one,) = ready([kept(first, ~lost), second], MONDAY, ONE, "S0")
    assert not one.ready
    assert len(one.reasons) == 1
    assert one.reasons[0].split(":")[0] == reason.split(":")[0]
    assert one.line().startswith(f"S0 1m: not ready because {reason.split(':')[0]}: ")


def test_what_is_suspicious_says_why_not_and_an_older_gap_does_not_matter() -> None:
    first, second = market(12)
    mine = rows(first, at("2024-01-04T15:00:00Z"), at("2024-01-04T18:00:00Z"))
    same = {name: np.where(mine, 50.0, getattr(first, name)) for name in PRICES}
    old = rows(second, at("2023-12-21T15:00:00Z"), at("2023-12-21T18:00:00Z"))
    one, two = ready([kept(first, slice(None), **same), kept(second, ~old)])
    assert one.reasons[0].startswith("stale price: ")
    assert " at 2024-01-04T15:00:00Z" in one.reasons[0]
    assert two.ready


def test_one_that_is_not_stored_or_old_is_not_ready() -> None:
    old, _ = market(3, "2023-12-11")
    found = {one.symbol: one for one in ready([old], MONDAY, ONE, "S0", "zzz")}
    assert found["zzz"].line() == "zzz 1m: not ready because no 1m candle of it is stored"
    assert found["zzz"].as_dict()["newest"] is None
    assert "more than 5 sessions ago" in found["S0"].reasons[0]


def test_too_few_bars_for_the_indicators() -> None:
    days = np.array([at(f"2024-01-0{day}T14:30:00Z") for day in (2, 3, 4, 5)])
    close = np.array([10.0, 11.0, 12.0, 11.0])
    values = dict.fromkeys((*PRICES, "volume"), close)
    series = Candles(symbol="D", timeframe="1d", calendar="XNYS", time=days, **values)
    (one,) = ready([series], MONDAY, Timeframe.parse("1d"))
    assert one.reasons == ("4 bars are stored of 49 that the indicators need",)
    (few,) = readiness(stored([series]), Timeframe.parse("1d"), MONDAY, indicators="sma(3)")
    assert few.ready
    assert (few.bars, few.needed) == (4, 2)


def test_bars_of_the_whole_series_count_where_the_last_sessions_hold_too_few() -> None:
    days = np.arange(np.datetime64("2022-01-03"), np.datetime64("2023-12-30"))
    from candlewick.sessions.calendar import find_calendar

    periods = find_calendar("XNYS").periods(int(days[0].astype("M8[us]").astype(int)), MONDAY)
    opens = periods.open[::13]
    last = periods.open[-5:]
    time = np.unique(np.concatenate([opens, last]))
    close = 10.0 + np.arange(len(time)) % 7
    values = dict.fromkeys((*PRICES, "volume"), close)
    series = Candles(symbol="D", timeframe="1d", calendar="XNYS", time=time, **values)
    (one,) = readiness(stored([series]), Timeframe.parse("1d"), MONDAY, indicators="sma(40)")
    assert one.bars == len(time) >= 39
    assert "bars" not in " ".join(one.reasons)


def test_a_calendar_must_know_today_and_tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    from candlewick.sessions.calendar import Calendar

    series = market(12, many=1)
    store = stored(series)
    known = (at("1990-01-01T00:00:00Z"), MONDAY + 1440 * MINUTE)
    monkeypatch.setattr(Calendar, "known", property(lambda _: known))
    (one,) = readiness(store, ONE, MONDAY)
    assert one.reasons == ("XNYS knows sessions until 2024-01-09 only",)
    known = (at("1990-01-01T00:00:00Z"), MONDAY - 90 * 1440 * MINUTE)
    (two,) = readiness(store, ONE, MONDAY)
    assert two.session is None
    assert "no session in the 60 days before" in two.reasons[-1]


def test_steps_are_told_and_a_series_deleted_meanwhile_is_not_ready() -> None:
    class Vanishing(MemoryStore):
        def read(self, symbol: str, *about: object, **more: object) -> Candles:
            raise UnknownSeriesError("symbol", symbol, [])

    store = Vanishing()
    store.upsert_many(market(12))
    steps: list[str] = []
    found = readiness(store, ONE, MONDAY, step=steps.append)
    assert steps == ["S0", "S1"]
    assert all("it is gone" in one.reasons for one in found)
