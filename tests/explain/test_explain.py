"""explain: the bar, its candles, the window and the series behind a value; times and series that do not fit."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlewick.app import build
from candlewick.candles import Candles
from candlewick.errors import (
    HorizonError,
    InputError,
    KilledError,
    NaiveTimeError,
    ServiceError,
    UnknownNameError,
    UnknownSeriesError,
)
from candlewick.explain.explain import TRIES, explain
from candlewick.explain.explanation import Bar, Explanation
from candlewick.service.optimized import OptimizedService
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.sources.simulated import simulate
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository, Snapshot
from candlewick.testing.service_market import corrected

OPEN = 1_704_205_800_000_000
MINUTE = 60_000_000
pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def store() -> Iterator[MemoryStore]:
    """SIM: four sessions of New York; TOKYO: three with a break; both with holes. DAYS: six sessions by the day."""
    with MemoryStore() as made:
        for symbol, calendar in (("SIM", "XNYS"), ("TOKYO", "XTKS")):
            candles = next(simulate([symbol], calendar, 4, seed=3))
            kept = np.random.default_rng(1).random(len(candles)) > 0.2
            values = {name: getattr(candles, name)[kept] for name in ("open", "high", "low", "close", "volume")}
            values["volume"][::9] = 0.0
            for name in ("open", "high", "low"):
                values[name][::18] = values["close"][::18]
            made.upsert(
                Candles.trusted(symbol, candles.timeframe, candles.calendar, candles.microseconds[kept], values)
            )
        days = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"]
        ones = np.arange(1.0, 7.0)
        made.upsert(
            Candles(
                symbol="DAYS", timeframe="1d", calendar="XNYS", time=days, open=ones, high=ones + 1, low=ones - 1,
                close=ones, volume=ones,
            )
        )  # fmt: skip
        yield made


@pytest.fixture(scope="module")
def service(store: MemoryStore) -> Iterator[OptimizedService]:
    with OptimizedService(store, workers=1) as made:
        yield made


def of(
    service: AnalyticsService, store: CandleRepository, at: Any, column: str, *asked: str, **about: Any
) -> Explanation:
    symbol, timeframe = asked or ("SIM", "5m")
    return explain(service, store, Request.of(symbol, timeframe, **about), at, column)


@settings(max_examples=40)
@given(
    series=st.sampled_from(
        [("SIM", t) for t in ("1m", "5m", "7m", "1h", "1d", "1w")] + [("TOKYO", "1h"), ("TOKYO", "1d")]
    ),
    drop=st.booleans(),
    place=st.floats(0, 1, exclude_max=True),
    column=st.sampled_from(["open", "high", "low", "close", "volume", "n"]),
)
def test_a_bar_is_what_its_candles_make(store, service, series, drop: bool, place: float, column: str) -> None:
    request = Request.of(*series, zero_volume="drop" if drop else "keep")
    bars = service.candles(request).bars
    row = int(place * len(bars))
    found = explain(service, store, request, int(bars.microseconds[row]), column)
    bar = found.bar
    candles = store.read(series[0], "1m", bar.time, bar.end)
    flat = (candles.high == candles.low) & (candles.volume == 0)
    keep = candles.calendar.inside(candles.microseconds) & ~(flat & drop)
    assert (bar.n, bar.n) == (keep.sum(), bars.n[row])
    assert bar.n <= bar.possible
    times = candles.microseconds[keep]
    assert [one.time for one in bar.candles[:5]] == times[:5].tolist()
    assert [one.time for one in bar.candles[-5:]] == times[-5:].tolist()
    assert len(bar.candles) + bar.left_out == bar.n
    assert found.value == float(getattr(bars, column)[row])
    assert found.recomputed.kept
    assert found.recomputed.whole_history
    assert bar.period_open <= bar.time < bar.end <= bar.period_close
    assert found.window.shown == (bar,)
    assert bar.final == bars.final[row]


def test_an_indicators_window_reaches_back_over_sessions(store, service) -> None:
    bars = service.candles(Request.of("SIM", "15m")).bars
    second = int(np.flatnonzero(bars.anchor & 1)[1])
    found = of(service, store, int(bars.microseconds[second + 2]), "sma_9", "SIM", "15m")
    assert (found.window.bars, found.window.left_out) == (9, 0)
    assert [one.time for one in found.window.shown] == bars.microseconds[second - 6 : second + 3].tolist()
    assert len({one.session for one in found.window.shown}) == 2
    mean = np.mean([one.close for one in found.window.shown])
    assert found.value == pytest.approx(mean, rel=1e-12)
    assert found.recomputed.exact_from == found.window.first
    assert (found.warm_up.needed, found.warm_up.present, found.warm_up.over) == (9, second + 3, True)


@pytest.mark.parametrize(("column", "whole"), [("ema_9", True), ("rsi_9", True), ("vwap", False), ("vwap_first", True)])
def test_the_bars_of_a_window_without_an_end_are_bounded(store, service, column: str, whole: bool) -> None:
    bars = service.candles(Request.of("SIM", "1m")).bars
    first = 0 if whole else int(np.flatnonzero(bars.anchor & 1)[-1])
    found = of(service, store, int(bars.microseconds[-1]), column, "SIM", "1m")
    assert found.window.first == bars.microseconds[first]
    assert found.window.bars == len(bars) - first
    assert (len(found.window.shown), found.window.left_out) == (40, found.window.bars - 40)
    assert [one.time for one in found.window.shown[:20]] == bars.microseconds[first : first + 20].tolist()
    assert [one.time for one in found.window.shown[20:]] == bars.microseconds[-20:].tolist()


def test_where_the_series_comes_from(store, service) -> None:
    found = of(service, store, "2024-01-03", "sma_3", "SIM", "1d")
    series = store.find("SIM", "1m")
    origin = found.series
    assert (origin.source, origin.calendar, origin.first) == ("1m", "XNYS", series.first)
    assert (origin.revision, origin.generation) == (series.revision, series.generation)
    assert origin.calendar_version == store.read("SIM", "1m").calendar.version
    assert origin.candles == store.count("SIM", "1m", None, found.bar.end)
    assert origin.bars == found.warm_up.present == 2
    assert (found.undefined, found.value) == ("warm-up: 3 bars are needed, 2 are there", None)


def test_answer_and_explanation_are_of_one_kind(store, service) -> None:
    request = Request.of("SIM", "5m", "ema(9)", start="2024-01-03T15:00Z", end="2024-01-03T15:01Z")
    answer = service.candles(request)
    found = of(service, store, "2024-01-03T15:00:00Z", "ema_9")
    assert found.value == answer.indicators["ema_9"][0]
    assert (found.revision, found.engine, found.arm, found.fallback) == (
        answer.revision,
        "optimized",
        "explicit",
        False,
    )
    assert len(found.fingerprint) == 32
    assert found.kernel
    assert found.kernel != of(service, store, "2024-01-03T15:00:00Z", "wma_9").kernel


def test_bars_of_the_day_and_of_longer_spans(store, service) -> None:
    week = of(service, store, "2024-01-08", "close", "DAYS", "1w")
    assert (week.value, week.bar.n, week.bar.possible, week.bar.final) == (6.0, 2, 5, False)
    assert (week.bar.session, week.series.source) == ("2024-01-08", "1d")
    day = of(service, store, dt.date(2024, 1, 3), "high", "DAYS", "1d")
    assert (day.value, day.bar.n, day.bar.possible, day.bar.left_out) == (3.0, 1, 1, 0)
    month = of(service, store, "2024-01-02", "volume", "DAYS", "1mo")
    assert (month.value, month.bar.possible, month.bar.period_open) == (21.0, 21, month.bar.time)


def test_a_break_is_in_no_bar(store, service) -> None:
    found = of(service, store, "2024-01-04", "volume", "TOKYO", "1d")
    bar = found.bar
    hours = (bar.period_close - bar.period_open) // (60 * MINUTE)
    assert (hours, bar.possible) == (6, 300)
    morning = of(service, store, "2024-01-04T02:00:00Z", "close", "TOKYO", "1h").bar
    assert (morning.end - morning.time, morning.possible) == (30 * MINUTE, 30)
    assert morning.period_close == morning.end


def test_forming_and_final(store, service) -> None:
    last = store.find("SIM", "1m").last
    at = last // (5 * MINUTE) * 5 * MINUTE
    until = at + 3 * MINUTE
    forming = of(service, store, at, "sma_3", complete_until=until)
    assert (forming.bar.final, forming.window.shown[-1].final, forming.window.shown[-2].final) == (False, False, True)
    assert of(service, store, at, "sma_3", complete_until=at + 5 * MINUTE).bar.final


def test_it_is_plain_values_for_json(store, service) -> None:
    found = of(service, store, "2024-01-03", "bollinger_20_2p5_upper")
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert list(told) == [field.name for field in dataclasses.fields(Explanation)]
    assert told["at"] == told["bar"]["time"] == told["window"]["last"] == "2024-01-03T14:30:00Z"
    assert told["bar"]["candles"][0]["time"] >= told["at"]
    assert list(told["bar"]) == [field.name for field in dataclasses.fields(Bar)]
    assert told["definition"]["parameters"] == {"period": 20, "deviations": 2.5, "source": "close"}
    assert told["recomputed"]["exact_from"] == told["window"]["first"]
    assert told["value"] == found.value
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.value = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("at", "kind", "message"),
    [
        (
            "2024-01-03T15:01:00Z",
            InputError,
            "not the open of a 5m bar; the nearest bars open at 2024-01-03T15:00:00Z and",
        ),
        ("2024-01-03T03:00:00Z", InputError, "the nearest bars open at 2024-01-02T20:55:00Z and 2024-01-03T14:30:00Z"),
        ("2023-12-05T15:00:00Z", InputError, "the nearest bar opens at 2024-01-02T14:30:00Z"),
        ("2024-02-05T15:00:00Z", InputError, "the nearest bar opens at 2024-01-05T20:55:00Z"),
        ("2024-01-06", InputError, "is not a session of XNYS"),
        ("2024-01-03T15:00", NaiveTimeError, "has no timezone"),
        ("noon", InputError, "at: 'noon' is not a time"),
        ("1900-01-03T15:00Z", HorizonError, "at: '1900-01-03T15:00Z' is beyond the sessions"),
        (OPEN + 1, InputError, "at: '2024-01-02T14:30:00.000001Z' is not the open"),
    ],
)
def test_a_time_that_is_no_bars_open(store, service, at: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        of(service, store, at, "close")
    assert message in str(caught.value)


def test_a_bar_that_would_be_there_if_it_had_a_candle(service, minutes) -> None:
    with MemoryStore() as store:
        candles = minutes([5.0] * 30)
        keep = np.r_[0:10, 15:30]
        values = {name: getattr(candles, name)[keep] for name in ("open", "high", "low", "close", "volume")}
        gap = candles.microseconds[keep]
        store.upsert(Candles.trusted("ACME", candles.timeframe, candles.calendar, gap, values))
        with OptimizedService(store, workers=1) as own, pytest.raises(InputError) as caught:
            of(own, store, OPEN + 10 * MINUTE, "close", "ACME", "5m")
        assert "the nearest bars open at 2024-01-02T14:35:00Z and 2024-01-02T14:45:00Z" in str(caught.value)


def test_a_series_without_any_bar(minutes) -> None:
    with MemoryStore() as store, OptimizedService(store, workers=1) as service:
        store.upsert(minutes([5.0] * 3, start=OPEN - 3600 * 1_000_000))
        with pytest.raises(InputError, match="ACME has no bars of 5m"):
            of(service, store, OPEN, "close", "ACME", "5m")


@pytest.mark.parametrize(
    ("asked", "about", "kind"),
    [
        (("NOBODY", "5m"), {}, UnknownSeriesError),
        (("DAYS", "5m"), {}, InputError),
        (("SIM", "5m"), {"source": "3m"}, InputError),
    ],
)
def test_a_series_that_is_not_there(store, service, asked, about, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        of(service, store, OPEN, "close", *asked, **about)


def test_a_column_that_is_unknown_is_told_before_anything_is_read(store, service) -> None:
    with pytest.raises(UnknownNameError, match="nearest: sma_9"):
        of(service, store, "noon", "sma9", "NOBODY", "5m")


class Moving:
    """A store that is written to each time before a series is read."""

    def __init__(self, inner: MemoryStore, candles: Candles, times: int) -> None:
        self.inner, self.candles, self.left = inner, candles, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def snapshot(self, *asked: Any) -> Snapshot:
        if self.left:
            self.left -= 1
            self.inner.upsert(corrected(self.candles, 20, by=float(self.left + 1)))
        return self.inner.snapshot(*asked)


@pytest.mark.parametrize("times", [0, 1, TRIES - 1])
def test_a_series_that_is_written_to_meanwhile_is_read_again(minutes, walk, times: int) -> None:
    candles = minutes(walk[:40])
    with MemoryStore() as store:
        store.upsert(candles)
        with OptimizedService(store, workers=1) as service:
            found = of(service, Moving(store, candles, times), OPEN + 22 * MINUTE, "sma_3", "ACME", "1m")
    assert found.series.revision == found.revision == 1 + times
    assert found.recomputed.kept


def test_a_series_that_never_rests_cannot_be_explained(minutes, walk) -> None:
    candles = minutes(walk[:40])
    with MemoryStore() as store:
        store.upsert(candles)
        with OptimizedService(store, workers=1) as service, pytest.raises(ServiceError, match="without a pause"):
            of(service, Moving(store, candles, TRIES), OPEN + 22 * MINUTE, "sma_3", "ACME", "1m")


class Empty(OptimizedService):
    """An engine that finds no bar."""

    def candles(self, request: Request) -> Any:
        return super().candles(dataclasses.replace(request, end=request.start))


def test_an_engine_without_the_bar_is_told(store) -> None:
    with Empty(store, workers=1) as service, pytest.raises(ServiceError, match=r"optimized: has no bar at 2024-01-03"):
        of(service, store, "2024-01-03", "close")


def test_the_application_explains_what_it_serves(store) -> None:
    with build(store) as application:
        request = Request.of("SIM", "5m")
        found = application.explain(request, "2024-01-03", "sma_9")
        assert (found.engine, found.arm, found.recomputed.kept) == ("classic", "classic", True)
        chosen = application.explain(request, "2024-01-03", "sma_9", "optimized")
        assert (chosen.engine, chosen.arm, chosen.bar.final) == ("optimized", "explicit", True)
        assert chosen.recomputed.digits == found.recomputed.digits
        application.control.kill(who="test", why="on purpose")
        with pytest.raises(KilledError):
            application.explain(request, "2024-01-03", "sma_9", "optimized")
        assert application.explain(request, "2024-01-03", "sma_9", "auto").engine == "classic"
