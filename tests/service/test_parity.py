"""Parity: each way in which two answers may differ, and who is blamed for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from candlewick.aggregation import aggregate
from candlewick.bars import Bars
from candlewick.candles import VALUES, Candles
from candlewick.engine.query import query
from candlewick.engine.trial_bars import TRIALS, bars_from_closes
from candlewick.errors import InputError, StoreError, UnknownNameError
from candlewick.indicators import (
    ATR,
    EMA,
    MACD,
    REGISTRY,
    RSI,
    SMA,
    VWAP,
    Bollinger,
    Indicator,
    PercentB,
    Stochastic,
    parse_indicators,
)
from candlewick.indicators.exact import ExactBars
from candlewick.indicators.indicator import SOURCES
from candlewick.service.answer import Answer
from candlewick.service.classic import ClassicService
from candlewick.service.comparison import JUDGED, TOLERANCE, compare_answers
from candlewick.service.judge import Judge, begin_of, bucket_at, reach
from candlewick.service.parity import Difference, Parity, compare
from candlewick.service.request import Request
from candlewick.service.scale import Unit, definition_of, definitions_of, scale, unit_of
from candlewick.sessions.calendar import find_calendar
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository
from candlewick.testing.failing_repository import FailingRepository
from candlewick.testing.service_market import corrected, market
from candlewick.timeframe import MINUTE, Timeframe

SPECS = "sma(9),rsi(14),bollinger(20,2),vwap"
M5 = Timeframe.parse("5m")


def stored(candles: Candles | None = None) -> MemoryStore:
    store = MemoryStore()
    store.upsert(market() if candles is None else candles)
    return store


def optimized(store: CandleRepository, request: Request, like: Answer) -> Answer:
    """The other engine's answer, without its cache."""
    found = query(
        store,
        request.symbol,
        request.timeframe,
        request.indicators or None,
        start=request.start,
        end=request.end,
        zero_volume=request.zero_volume,
        final_only=request.final_only,
        complete_until=request.complete_until,
    )
    return Answer(found.bars, dict(found.indicators or {}), found.source, "optimized", like.revision, "0" * 32, 0.0)


class Pair:
    """A store, a request and both answers to it; ``wrong`` makes one of them lie."""

    def __init__(self, request: Request, candles: Candles | None = None) -> None:
        self.request, self.store = request, stored(candles)
        self.v1 = ClassicService(self.store).candles(request)
        self.v2 = optimized(self.store, request, self.v1)

    def verdict(self, v1: Answer | None = None, v2: Answer | None = None) -> Parity:
        with_request = compare(v1 or self.v1, v2 or self.v2, self.store, self.request)
        without = compare(v1 or self.v1, v2 or self.v2, self.store)
        if self.request.zero_volume == "keep" and self.request.complete_until is None:
            assert without == with_request
        return with_request


def pair(specs: str | None = SPECS, **given: Any) -> Pair:
    return Pair(Request.of("SIM", "5m", specs, **given))


def with_column(answer: Answer, column: str, change: Any, rows: Any = slice(None)) -> Answer:
    values = answer.indicators[column].copy()
    values[rows] = change(values[rows])
    return replace(answer, indicators={**answer.indicators, column: values})


def with_bars(answer: Answer, *, rows: Any = slice(None), **columns: Any) -> Answer:
    bars = answer.bars
    part = {name: columns.get(name, getattr(bars, name))[rows] for name in VALUES}
    rest = {name: columns.get(name, getattr(bars, name))[rows] for name in ("n", "final")}
    made = Bars.made(
        bars.symbol, bars.timeframe, bars.calendar, columns.get("time", bars.microseconds)[rows], part,
        anchor=bars.anchor[rows], source=bars.source, **rest,
    )  # fmt: skip
    return replace(answer, bars=made, indicators={name: v[rows] for name, v in answer.indicators.items()})


def changed(values: Any, row: int, value: Any) -> Any:
    copy = values.copy()
    copy[row] = value
    return copy


class TestVerdicts:
    def test_equal(self) -> None:
        assert pair().verdict() == Parity("equal")
        assert pair(None).verdict() == Parity("equal")

    def test_a_wrong_sigma_is_a_mismatch(self) -> None:
        both = pair()
        wrong = with_column(both.v2, "bollinger_20_2_upper", lambda x: x * (1 + 1e-6))
        found = both.verdict(v2=wrong)
        assert found.verdict == "mismatch"
        assert len(found.differences) == JUDGED
        first = min(found.differences, key=lambda one: one.time)
        assert (first.column, first.blames) == ("bollinger_20_2_upper", "optimized")
        assert first.time == int(both.v2.bars.microseconds[19])
        assert first.v2 == wrong.indicators[first.column][19]
        assert first.exact is not None
        assert first.v1 is not None
        assert abs(first.exact - first.v1) < 1e-9
        assert 0 < first.bound < 1e-9
        assert "bollinger_20_2_upper at 2024-01-02T16:05:00Z: classic" in str(first)

    def test_a_classic_value_outside_is_inexact_and_blames_nobody(self) -> None:
        both = pair()
        found = both.verdict(v1=with_column(both.v1, "rsi_14", lambda x: x + 1e-3, 50))
        assert found.verdict == "v1 inexact"
        (only,) = found.differences
        assert (only.column, only.time, only.blames) == ("rsi_14", int(both.v1.bars.microseconds[50]), "classic")

    def test_both_wrong_is_a_mismatch(self) -> None:
        both = pair()
        found = both.verdict(
            with_column(both.v1, "rsi_14", lambda x: x + 1e-3, 50), with_column(both.v2, "rsi_14", lambda x: x - 1, 50)
        )
        assert found.verdict == "mismatch"
        assert [one.blames for one in found.differences] == ["optimized"]

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_what_is_no_number(self, value: float) -> None:
        both = pair()
        found = both.verdict(v2=with_column(both.v2, "sma_9", lambda x: value, [30, 31]))
        assert found.verdict == "mismatch"
        assert len(found.differences) == 2
        assert found.differences[0].v2 == (None if np.isnan(value) else value)
        assert both.verdict(v1=with_column(both.v1, "sma_9", lambda x: value, 30)).verdict == "v1 inexact"

    def test_both_infinite(self) -> None:
        both = pair()
        v1, v2 = (with_column(one, "sma_9", lambda x: np.inf, 30) for one in (both.v1, both.v2))
        assert both.verdict(v1, v2).verdict == "mismatch"

    def test_a_value_where_there_is_none(self) -> None:
        both = pair()
        found = both.verdict(v2=with_column(both.v2, "sma_9", lambda x: 100.0, 3))
        assert found.verdict == "mismatch"
        assert (found.differences[0].exact, found.differences[0].v1) == (None, None)
        assert "exactly undefined" in str(found.differences[0])

    def test_within_the_tolerance(self) -> None:
        both = pair()
        nearly = with_column(both.v2, "sma_9", lambda x: x * (1 + 0.5 * TOLERANCE))
        assert both.verdict(v2=nearly).verdict == "equal"
        assert both.verdict(v2=with_column(both.v2, "rsi_14", lambda x: x + 90 * TOLERANCE)).verdict == "equal"
        apart = with_column(both.v2, "bollinger_20_2_width", lambda x: x + 2 * TOLERANCE)
        assert both.verdict(v2=apart).verdict == "mismatch"

    def test_apart_though_both_within_the_bound(self) -> None:
        """Where prices differ by single roundings, percent b has no digits: nobody is to blame inside its bound."""
        candles = market()
        close = 1e5 + np.arange(len(candles)) % 2 * 2.0**-36
        still = dict.fromkeys(("open", "high", "low", "close"), close) | {"volume": candles.volume}
        both = Pair(
            Request.of("SIM", "1m", "percent_b(20,2)"),
            Candles.trusted("SIM", candles.timeframe, candles.calendar, candles.microseconds, still),
        )
        near = both.v2.indicators["percent_b_20_2"]
        assert np.isfinite(near[100])
        column = near + 1e-3
        assert both.verdict(v1=replace(both.v1, indicators={"percent_b_20_2": column})) == Parity("equal")
        assert both.verdict(v1=replace(both.v1, indicators={"percent_b_20_2": near + 1e9})).verdict == "v1 inexact"

    def test_the_last_of_many_differences_is_seen(self) -> None:
        """V1 is off a little at the start, V2 by much at the end."""
        both = pair()
        v1 = with_column(both.v1, "sma_9", lambda x: x * (1 + 1e-8), slice(10, 60))
        found = both.verdict(v1, with_column(both.v2, "sma_9", lambda x: x * 1.001, -1))
        assert found.verdict == "mismatch"
        assert {one.blames for one in found.differences} == {"classic", "optimized"}
        assert len(found.differences) == JUDGED

    def test_a_column_that_is_not_there(self) -> None:
        both = pair()
        lacking = {name: values for name, values in both.v2.indicators.items() if name != "vwap"}
        found = both.verdict(v2=replace(both.v2, indicators=lacking))
        assert (found.verdict, found.differences[0].column) == ("mismatch", "vwap")

    def test_answers_about_other_bars_are_refused(self) -> None:
        both = pair()
        other = ClassicService(both.store).candles(Request.of("SIM", "15m"))
        with pytest.raises(InputError, match=r"SIM 15m.*other bars"):
            compare(both.v1, other, both.store)


class TestVoid:
    def test_other_revisions(self) -> None:
        both = pair()
        assert both.verdict(v2=replace(both.v2, revision=2)) == Parity("void")
        assert both.verdict(v2=replace(both.v2, source=M5)) == Parity("void")

    def test_written_to_since(self) -> None:
        both = pair()
        wrong = with_column(both.v2, "sma_9", lambda x: x + 1)
        assert both.verdict(v2=wrong).verdict == "mismatch"
        both.store.upsert(corrected(market(), 700))
        assert both.verdict(v2=wrong) == Parity("void")

    def test_an_append_on_a_later_day_voids_nothing(self) -> None:
        candles = market()
        request = Request.of("SIM", "5m", "sma(9)", end="2024-01-04")
        both = Pair(request, candles.between(None, "2024-01-04"))
        both.store.upsert(candles)
        wrong = with_column(both.v2, "sma_9", lambda x: x + 1)
        assert both.verdict(v2=wrong).verdict == "mismatch"

    def test_deleted_since(self) -> None:
        both = pair()
        both.store.delete("SIM")
        assert both.verdict() == Parity("equal")
        assert both.verdict(v2=with_column(both.v2, "sma_9", lambda x: x + 1)) == Parity("void")

    def test_a_store_that_fails_is_an_error(self) -> None:
        both = pair()
        failing = FailingRepository(both.store, method="read", error=StoreError("disk"))
        with pytest.raises(StoreError, match="disk"):
            compare(both.v1, with_column(both.v2, "sma_9", lambda x: x + 1), failing)


class TestBars:
    @pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
    @pytest.mark.parametrize("timeframe", ["5m", "1d"])
    def test_values(self, column: str, timeframe: str) -> None:
        both = Pair(Request.of("SIM", timeframe))
        wrong = {column: changed(getattr(both.v2.bars, column), 1, getattr(both.v2.bars, column)[1] * 1.0001)}
        found = both.verdict(v2=with_bars(both.v2, **wrong))
        assert found.verdict == "mismatch"
        (only,) = found.differences
        assert (only.column, only.v1, only.exact) == (column, only.exact, only.exact)
        assert both.verdict(v1=with_bars(both.v1, **wrong)).verdict == "v1 inexact"

    def test_volume_within_the_rounding_of_its_sum(self) -> None:
        both = pair(None)
        nearly = both.v2.bars.volume * (1 + 2.0**-52)
        assert both.verdict(v2=with_bars(both.v2, volume=nearly)).verdict == "equal"
        assert both.verdict(v2=with_bars(both.v2, volume=both.v2.bars.volume * (1 + 1e-13))).verdict == "mismatch"

    def test_counts(self) -> None:
        both = pair(None)
        found = both.verdict(v2=with_bars(both.v2, n=changed(both.v2.bars.n, 4, 9)))
        assert (found.verdict, found.differences[0].column, found.differences[0].exact) == ("mismatch", "n", 5.0)

    def test_final(self) -> None:
        both = pair(None)
        final = both.v2.bars.final
        assert final.all()
        for row in (3, -1):
            wrong = changed(final, row, False)
            assert both.verdict(v2=with_bars(both.v2, final=wrong)).verdict == "mismatch"
            assert both.verdict(v1=with_bars(both.v1, final=wrong)).verdict == "v1 inexact"

    def test_a_forming_bar_shown_as_final(self) -> None:
        both = Pair(Request.of("SIM", "5m"), market().rows(0, 33))
        assert not both.v2.bars.final[-1]
        shown = with_bars(both.v2, final=changed(both.v2.bars.final, -1, True))
        assert both.verdict(v2=shown).verdict == "mismatch"

    def test_whether_it_was_final_cannot_be_told_after_a_later_day_came(self) -> None:
        candles = market()
        both = Pair(Request.of("SIM", "5m", end="2024-01-03"), candles.rows(0, 33))
        shown = with_bars(both.v2, final=changed(both.v2.bars.final, -1, True))
        assert both.verdict(v2=shown).verdict == "mismatch"
        both.store.upsert(candles.between("2024-01-03"))
        assert both.verdict(v2=shown).verdict == "void"

    def test_final_by_what_the_caller_said(self) -> None:
        opened = int(market().microseconds[0])
        both = pair(None, complete_until=opened + 12 * MINUTE)
        assert both.v1.bars.final.tolist()[:3] == [True, True, False]
        shown = with_bars(both.v2, final=changed(both.v2.bars.final, -1, True))
        assert compare(both.v1, shown, both.store, both.request).verdict == "mismatch"

    def test_a_bar_that_one_lacks(self) -> None:
        both = pair("sma(9)")
        rows = np.delete(np.arange(len(both.v2.bars)), 40)
        found = both.verdict(v2=with_bars(both.v2, rows=rows))
        assert found.verdict == "mismatch"
        at = int(both.v1.bars.microseconds[40])
        assert found.differences[0] == Difference("time", at, float(at), None, float(at), 0.0, "optimized")
        assert both.verdict(v1=with_bars(both.v1, rows=rows)).verdict == "v1 inexact"
        none = with_bars(both.v2, rows=slice(0, 0))
        assert both.verdict(v2=none).verdict == "mismatch"
        assert both.verdict(v1=none).verdict == "v1 inexact"

    def test_a_bar_that_is_none(self) -> None:
        both = pair(None)
        moved = changed(both.v2.bars.microseconds, 0, both.v2.bars.microseconds[0] - 5 * MINUTE)
        found = both.verdict(v2=with_bars(both.v2, time=moved))
        assert found.verdict == "mismatch"
        assert [(one.v1 is None, one.exact is None, one.blames) for one in found.differences] == [
            (True, True, "optimized"),
            (False, False, "optimized"),
        ]

    def test_both_show_a_bar_that_is_none(self) -> None:
        both = pair(None)
        moved = changed(both.v2.bars.microseconds, 0, both.v2.bars.microseconds[0] - 5 * MINUTE)
        v1 = with_bars(both.v1, time=moved)
        v2 = with_bars(both.v2, time=moved, close=changed(both.v2.bars.close, 0, 1.0))
        assert both.verdict(v1, v2).verdict == "mismatch"

    def test_bars_beyond_the_range(self) -> None:
        both = pair(None, end="2024-01-04")
        longer = optimized(both.store, Request.of("SIM", "5m"), both.v1)
        found = compare(both.v1, longer, both.store, both.request)
        assert (found.verdict, len(found.differences)) == ("mismatch", JUDGED)

    def test_a_forming_bar_where_only_final_ones_were_asked_for(self) -> None:
        both = Pair(Request.of("SIM", "5m", final_only=True), market().rows(0, 33))
        shown = optimized(both.store, Request.of("SIM", "5m"), both.v1)
        assert compare(both.v1, shown, both.store, both.request).verdict == "mismatch"
        assert compare(both.v1, shown, both.store).verdict == "void", "without the request it may have been asked for"
        short = with_bars(both.v2, rows=slice(0, -1))
        assert both.verdict(v2=short).verdict == "mismatch"

    def test_untraded_candles(self) -> None:
        candles = market(sessions=1)
        values = {name: getattr(candles, name).copy() for name in VALUES}
        flat = np.arange(len(candles)) % 5 < 4
        for name in ("open", "high", "low"):
            values[name][flat] = values["close"][flat]
        values["volume"][flat] = 0
        both = Pair(
            Request.of("SIM", "5m", "sma(3)", zero_volume="drop"),
            Candles.trusted("SIM", candles.timeframe, candles.calendar, candles.microseconds, values),
        )
        assert both.verdict() == Parity("equal")
        found = both.verdict(v2=with_bars(both.v2, close=both.v2.bars.close + 1))
        assert {one.v1 == one.exact for one in found.differences} == {True}
        assert both.verdict(v1=with_column(both.v1, "sma_3", lambda x: x + 1)).verdict == "v1 inexact"


class TestJudge:
    """What is judged on a part of the series is what the whole series says."""

    SPECS = parse_indicators("desk macd(5,9,4) stochastic(5,3,3) wma(4) stddev(5) percent_b(9,2) vwap(week) true_range")

    @pytest.mark.parametrize("spec", [*SPECS, VWAP("first"), RSI(1), ATR(3), EMA(1)], ids=str)
    def test_values(self, spec: Indicator) -> None:
        store = stored()
        whole = aggregate(store.read("SIM", "1m"), "5m")
        judge = Judge(store, whole, Timeframe.parse("1m"), "keep", None)
        exact = spec.exact(ExactBars.of({name: getattr(whole, name) for name in SOURCES}, list(whole.anchor)))
        times = whole.microseconds[[0, 5, 60, 61, 290]]
        found = judge.values(spec, times)
        assert list(found) == times.tolist()
        for at, row in zip(times.tolist(), (0, 5, 60, 61, 290), strict=True):
            assert found[at] == [column[row] for column in exact]

    def test_a_recursion_is_begun_where_nothing_before_counts(self) -> None:
        closes = np.concatenate([1e6 + np.sin(np.arange(200.0)), 100 + np.sin(np.arange(500.0)), np.full(150, 99.0)])
        bars = bars_from_closes(closes)
        store = MemoryStore()
        columns = {name: getattr(bars, name) for name in VALUES}
        store.upsert(Candles.trusted(bars.symbol, bars.timeframe, bars.calendar, bars.microseconds, columns))
        judge = Judge(store, bars, bars.timeframe, "keep", None)
        for spec in (EMA(5), RSI(3), ATR(3), MACD(2, 4, 3)):
            assert 0 < begin_of(spec, bars, len(bars) - 1) < 700
            exact = spec.exact(ExactBars.of({name: getattr(bars, name) for name in SOURCES}, list(bars.anchor)))
            (found,) = judge.values(spec, bars.microseconds[-1:]).values()
            for truth, column in zip(found, exact, strict=True):
                expected = column[-1]
                assert truth is not None
                assert expected is not None
                assert abs(truth.value - expected.value) <= truth.bound < 1.1 * expected.bound + 1e-33

    def test_rsi_without_a_move(self) -> None:
        bars = bars_from_closes(np.full(60, 5.0))
        store = MemoryStore()
        columns = {name: getattr(bars, name) for name in VALUES}
        store.upsert(Candles.trusted(bars.symbol, bars.timeframe, bars.calendar, bars.microseconds, columns))
        judge = Judge(store, bars, bars.timeframe, "keep", None)
        assert judge.values(RSI(3), bars.microseconds[-1:]) == {int(bars.microseconds[-1]): [None]}

    def test_points_far_apart_are_judged_in_pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("candlewick.service.judge.SPAN", 10)
        store = stored()
        bars = aggregate(store.read("SIM", "1m"), "5m")
        judge = Judge(store, bars, Timeframe.parse("1m"), "keep", None)
        rows = [200, 5, 201, 40, 80, 120, 160]
        found = judge.values(EMA(2), bars.microseconds[rows])
        assert set(found) == set(bars.microseconds[[200, 5, 201, 40, 80]].tolist())

    def test_an_indicator_of_the_users_own_takes_the_whole_series(self) -> None:
        seen = []

        class Mine(Indicator):
            kind = "mine"

            def exact(self, bars: ExactBars) -> Any:
                seen.append(len(bars))
                return [[None] * len(bars)]

        store = stored()
        bars = aggregate(store.read("SIM", "1m"), "5m")
        judge = Judge(store, bars, Timeframe.parse("1m"), "keep", None)
        last = int(bars.microseconds[-1])
        assert judge.values(Mine(), bars.microseconds[-1:]) == {last: [None]}
        assert seen == [len(bars)]

    def test_what_is_not_there(self) -> None:
        store = stored()
        bars = aggregate(store.read("SIM", "1m"), "5m")
        judge = Judge(store, bars, Timeframe.parse("1m"), "keep", None)
        assert judge.values(SMA(3), bars.microseconds[:1] - 1) == {}
        assert judge.bar(int(bars.microseconds[0]) + 1) is None
        assert judge.bar(int(bars.microseconds[-1]) + 20 * 60 * 60 * MINUTE) is None
        assert judge.end(int(bars.microseconds[0]) + 1) == int(bars.microseconds[0]) + 2

    def test_buckets(self) -> None:
        calendar = find_calendar("XTKS")
        opened = int(calendar.label_opens(np.array(["2024-01-04"], "M8[D]").astype(np.int64))[0])
        hour, day = Timeframe.parse("1h"), Timeframe.parse("1d")
        found = bucket_at(calendar, hour, opened + 120 * MINUTE)
        assert found is not None
        assert found[0] == opened + 150 * MINUTE
        assert bucket_at(calendar, hour, opened + 30 * MINUTE) is None
        assert bucket_at(calendar, hour, opened + 160 * MINUTE) is None, "a break"
        found = bucket_at(calendar, day, opened)
        assert found is not None
        assert found[0] == opened + 360 * MINUTE
        assert bucket_at(calendar, day, opened + 1) is None
        assert reach(1.0) == 0


class TestScale:
    def test_units(self) -> None:
        units: Mapping[str, Unit] = {
            name: unit_of(one, name) for cls in REGISTRY.values() for one in [made(cls)] for name in one.columns
        }
        ratios = {name for name, unit in units.items() if unit is Unit.RATIO}
        percents = {name for name, unit in units.items() if unit is Unit.PERCENT}
        assert ratios == {"percent_b_20_2", "bollinger_20_2_width"}
        assert percents == {"rsi_14", "stochastic_14_3_3_k", "stochastic_14_3_3_d"}

    def test_the_largest_price_in_the_window(self) -> None:
        bars = bars_from_closes(np.array([50.0, 9.0, 2.0, 3.0, 4.0, 5.0]))
        sma = SMA(3)
        values = np.array([np.nan, np.nan, 20.0, 4.0, 3.0, 4.0])
        assert scale(sma, "sma_3", bars, values).tolist() == [50, 50, 50, 9, 4, 5]
        assert scale(SMA(1), "sma_1", bars, values).tolist() == [50, 9, 20, 4, 4, 5]
        assert scale(SMA(99), "sma_99", bars, values).tolist() == [50] * 6
        assert scale(RSI(3), "rsi_3", bars, values).tolist() == [100] * 6
        vwap = scale(VWAP(), "vwap", bars, values)
        assert vwap.tolist() == [*np.fmax(bars.high, np.fmax(values, 0)).tolist()]
        volumes = scale(SMA(1, "volume"), "sma_1_volume", bars, np.zeros(6))
        assert volumes.tolist() == bars.volume.tolist()

    @pytest.mark.parametrize(
        "spec",
        [
            *(f"{name}" for name in ("desk", "true_range", "vwap(month)", "vwap(first)", "stddev(7,high)")),
            *("bollinger(20,2.5,open)", "percent_b(3,0.25)", "macd(3,7,2,low)", "stochastic(5,1,2)", "wma(3,volume)"),
            "bollinger(20,1e-05)",
        ],
    )
    def test_a_column_says_whose_it_is(self, spec: str) -> None:
        for one in parse_indicators(spec):
            for column in one.columns:
                assert definition_of(column) == one
        assert set(definitions_of(parse_indicators(spec)).values()) == set(parse_indicators(spec))

    @pytest.mark.parametrize("column", ["smaa_9", "sma", "sma_x", "bollinger_20_2", "close", "sma_9_10"])
    def test_a_column_of_nobody(self, column: str) -> None:
        with pytest.raises(UnknownNameError):
            definition_of(column)


def made(cls: type[Indicator]) -> Indicator:
    return cls(9) if cls.kind in ("sma", "ema", "wma") else cls()


@pytest.mark.parametrize("trial", TRIALS)
def test_hostile_series_are_never_a_mismatch(trial: str) -> None:
    """Bad ticks, flat windows, tiny prices: pandas may lose digits there, the exact value clears the other engine."""
    bars = TRIALS[trial](400)
    store = MemoryStore()
    values = {name: getattr(bars, name) for name in VALUES}
    store.upsert(Candles.trusted("TRIAL", bars.timeframe, bars.calendar, bars.microseconds, values))
    request = Request.of("TRIAL", "1m", "desk")
    v1 = ClassicService(store).candles(request)
    found = compare(v1, optimized(store, request, v1), store, request)
    assert found.verdict in ("equal", "v1 inexact"), found.differences[:3]


def test_comparing_looks_at_the_common_bars() -> None:
    both = pair("sma(9)")
    shorter = with_bars(both.v2, rows=slice(10, None))
    found = compare_answers(both.v1, shorter, {})
    assert found.one_sided.tolist() == both.v1.bars.microseconds[:10].tolist()
    assert found.times.tolist() == shorter.bars.microseconds.tolist()
    assert found.apart == ()
    assert not found.equal
    assert compare_answers(both.v1, both.v2, {}).equal
    assert (PercentB(20, 2).columns, Stochastic().columns, Bollinger().columns[:1]) == (
        ("percent_b_20_2",),
        ("stochastic_14_3_3_k", "stochastic_14_3_3_d"),
        ("bollinger_20_2_upper",),
    )
