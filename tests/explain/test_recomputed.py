"""The value recomputed exactly: beside what each engine serves, on real, hostile and long series."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlewick.bars import Bars
from candlewick.candles import Candles
from candlewick.columnar import Floats
from candlewick.engine.compute import compute
from candlewick.engine.query import query
from candlewick.explain import recomputed
from candlewick.explain.explain import explain
from candlewick.explain.explanation import Explanation
from candlewick.indicators import Indicator, parse_indicators
from candlewick.indicators.exact import ExactBars
from candlewick.indicators.indicator import SOURCES
from candlewick.kernels.build import jit_disabled
from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.service.request import Request
from candlewick.sources.ingest import ingest
from candlewick.store.memory import MemoryStore
from candlewick.testing.service_market import corrected
from candlewick.timeframe import MINUTE, Timeframe

CALENDARS = {
    "SPY": "XNYS",
    "IBM": "XNYS",
    "BAC": "XNYS",
    "AAPL": "XNYS",
    "YESBANK": "XBOM",
    "NIFTY50": "XBOM",
    "BTCUSD": "24/7",
}
EVERY = parse_indicators(
    "sma(9) sma(20,volume) ema(20,high) ema(5) wma(14) rsi(14) rsi(2,low) atr(14) true_range stddev(20) vwap "
    "vwap(week) vwap(month) vwap(first) bollinger(20,2) percent_b(20,2) macd(12,26,9) stochastic(14,3,3)"
)
COLUMNS = ("open", "high", "low", "close", "volume", "n", *(column for one in EVERY for column in one.columns))
ROUNDED_BY_PANDAS = {"stddev", "bollinger", "percent_b"}
"""Kinds whose rolling deviation pandas computes with less care than parity asks for, on some series."""
PART = 500
"""Candles of each file in the default suite."""


def filled(shared_data: Path, most: int | None) -> MemoryStore:
    store = MemoryStore()
    for symbol, calendar in CALENDARS.items():
        with MemoryStore() as whole:
            ingest(whole, shared_data / "minute" / f"{symbol}.csv", calendar=calendar)
            candles = whole.read(symbol, "1m")
        inside = candles.calendar.inside(candles.microseconds)
        store.upsert(candles.rows(int(np.argmax(inside)), len(candles))[:most])
    return store


@pytest.fixture(scope="module")
def beginnings(shared_data: Path) -> Iterator[MemoryStore]:
    with filled(shared_data, PART) as store:
        yield store


@pytest.fixture(scope="module")
def whole_files(shared_data: Path) -> Iterator[MemoryStore]:
    with filled(shared_data, None) as store:
        yield store


def computed(store: MemoryStore, symbol: str, timeframe: str, zero_volume: str) -> tuple[Bars, dict[str, Floats]]:
    """All bars, and every column over them; one indicator after the other, whose kernels every test needs."""
    bars = query(store, symbol, timeframe, zero_volume=zero_volume).bars
    values = {name: getattr(bars, name) for name in (*SOURCES, "n")}
    for one in EVERY:
        values |= dict(compute(bars, one))
    return bars, values


def places(store: MemoryStore, count: int, seed: int) -> Iterator[tuple[Request, int, dict[str, float]]]:
    """Random bars of random files at random timeframes, each with the values of a fresh computation over all of it."""
    random = np.random.default_rng(seed)
    known = {}
    for _ in range(count):
        symbol, timeframe = random.choice(list(CALENDARS)), random.choice(["1m", "1m", "3m", "5m", "15m"])
        asked = (str(symbol), str(timeframe), "drop" if random.random() < 0.3 else "keep")
        if asked not in known:
            known[asked] = computed(store, *asked)
        bars, values = known[asked]
        row = int(random.integers(len(bars)))
        at_row = {name: float(column[row]) for name, column in values.items()}
        request = Request.of(asked[0], asked[1], zero_volume=asked[2])
        yield request, int(bars.microseconds[row]), at_row


def check(found: Explanation, served: float) -> None:
    """What is said of a value of the optimized engine is true: not only said."""
    again = found.recomputed
    assert again.note is None
    if np.isnan(served):
        assert (found.value, again.value, again.digits, again.difference) == (None, None, None, None)
        assert found.undefined is not None
        assert again.kept
        return
    assert found.value == served
    assert found.undefined is None
    assert again.digits is not None
    assert again.bound is not None
    assert again.difference is not None
    exact = Fraction(Decimal(again.digits))
    assert again.value == pytest.approx(
        float(exact), rel=2.3e-16, abs=0
    )  # 40 digits may stand on the other side of a tie
    assert abs(Fraction(served) - exact) <= Fraction(again.bound) + abs(exact) / 10**39
    assert again.difference == pytest.approx(
        float(abs(Fraction(served) - exact)), rel=1e-6, abs=float(abs(exact)) * 1e-38
    )
    assert again.kept


def check_classic(found: Explanation) -> bool:
    """Whether the classic engine kept the parity law; where it did not, that is said, and is its deviation's."""
    again = found.recomputed
    assert again.note is None
    assert (found.value is None) == (found.undefined is not None)
    if again.kept:
        assert found.value is None or again.difference is None or again.difference <= (again.bound or 0.0)
    else:
        assert found.definition.kind in ROUNDED_BY_PANDAS
    return bool(again.kept)


def compare_everywhere(store: MemoryStore, count: int, seed: int, columns_each: int | None) -> None:
    """``columns_each`` columns at each place, all of them by turns; None: every column at every place."""
    turn = 0
    kept = []
    with OptimizedService(store) as optimized, ClassicService(store) as classic:
        for request, at, values in places(store, count, seed):
            for _ in range(columns_each or len(COLUMNS)):
                column = COLUMNS[turn % len(COLUMNS)]
                turn += 1
                check(explain(optimized, store, request, at, column), values[column])
                if columns_each is not None or turn % 7 == 0:
                    kept.append(check_classic(explain(classic, store, request, at, column)))
    assert turn >= len(COLUMNS)
    assert np.mean(kept) > 0.9


@pytest.mark.skipif(jit_disabled(), reason="compiled only: the same kernels are tried plainly elsewhere")
@pytest.mark.parametrize("places", [60, pytest.param(200, marks=pytest.mark.slow)])
def test_places_of_real_minutes(beginnings: MemoryStore, places: int) -> None:
    compare_everywhere(beginnings, places, seed=4, columns_each=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_every_column_at_200_places_of_the_whole_files(whole_files: MemoryStore, seed: int) -> None:
    compare_everywhere(whole_files, 50, seed=100 + seed, columns_each=None)


def stored(candles: Candles) -> MemoryStore:
    store = MemoryStore()
    store.upsert(candles)
    return store


def at(store: MemoryStore, row: int) -> int:
    return int(store.read("ACME", "1m").microseconds[row])


def one(store: MemoryStore, row: int, column: str, timeframe: str = "1m", **about: str) -> Explanation:
    """What the optimized engine serves at a row, explained."""
    with OptimizedService(store, workers=1) as service:
        return explain(service, store, Request.of("ACME", timeframe, **about), at(store, row), column)


@st.composite
def hostile(draw: st.DrawFn) -> list[float]:
    """Walks, flats, jumps and bad ticks at scales from 1e-8 to 1e8."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    level = 10.0 ** draw(st.integers(-8, 6))
    pieces = [np.full(3, level)]
    for kind in draw(st.lists(st.sampled_from(["walk", "flat", "jump", "tick", "spread"]), max_size=6)):
        n = draw(st.integers(1, 40))
        if kind == "jump":
            level *= 10.0 ** draw(st.integers(-2, 2))
        elif kind == "tick":
            pieces.append(np.array([1e8]))
        elif kind == "flat":
            pieces.append(np.full(n, level))
        else:
            steps = np.round(np.cumsum(random.normal(0, 2, n))) * level * 1e-4
            pieces.append(steps * 1e4 if kind == "spread" else level + steps)
    return list(np.concatenate(pieces))


@pytest.mark.kernel
@settings(max_examples=40)
@given(closes=hostile(), column=st.sampled_from(COLUMNS), data=st.data())
def test_hostile_series_keep_their_bounds(minutes, closes: list[float], column: str, data: st.DataObject) -> None:
    traded = data.draw(st.sampled_from([None, np.zeros(len(closes)), np.arange(len(closes)) % 3.0]))
    with stored(minutes(closes, traded, tick=data.draw(st.sampled_from([0.0, abs(closes[0]) * 1e-4])))) as store:
        found = one(store, data.draw(st.integers(0, len(closes) - 1)), column)
        bars, values = computed(store, "ACME", "1m", "keep")
        check(found, float(values[column][np.searchsorted(bars.microseconds, found.at)]))


FLAT = [100.0] * 60


@pytest.mark.parametrize(
    ("column", "row", "why"),
    [
        ("sma_9", 7, "warm-up: 9 bars are needed, 8 are there"),
        ("true_range", 0, "warm-up: 2 bars are needed, 1 is there"),
        ("macd_12_26_9_line", 24, "warm-up: 26 bars are needed, 25 are there"),
        ("rsi_14", 40, "unchanged: close has not moved"),
        ("vwap", 30, "zero volume"),
        ("percent_b_20_2", 30, "zero width: the last 20 values of close are equal"),
        ("stochastic_5_3_3_k", 30, "zero range"),
        ("stochastic_5_3_3_d", 30, "zero range"),
    ],
)
def test_why_a_value_is_undefined(minutes, column: str, row: int, why: str) -> None:
    with stored(minutes(FLAT, np.zeros(60), tick=0.0)) as store:
        found = one(store, row, column)
    assert found.value is None
    assert found.undefined is not None
    assert found.undefined.startswith(why)
    assert found.recomputed.kept
    assert found.recomputed.value is None


@pytest.mark.parametrize(("closes", "why"), [([0.0] * 30, "are all 0"), ([3.0, -3.0] * 15, "are 0 on average")])
def test_a_band_width_without_a_middle(minutes, closes: list[float], why: str) -> None:
    with stored(minutes(closes)) as store:
        found = one(store, 25, "bollinger_20_2_width")
    assert found.undefined is not None
    assert found.undefined.startswith("zero middle")
    assert why in found.undefined


def test_a_defined_value_of_a_flat_window(minutes) -> None:
    with stored(minutes(FLAT, tick=0.0)) as store:
        found = one(store, 30, "stddev_20")
    assert (found.value, found.recomputed.value, found.recomputed.difference, found.undefined) == (0.0, 0.0, 0.0, None)


@pytest.mark.parametrize("column", ["ema_5", "atr_5", "rsi_5", "macd_3_6_4_signal", "macd_3_6_4_histogram"])
def test_a_recursion_that_is_begun_late_says_from_where(minutes, walk, column: str) -> None:
    with stored(minutes(walk, calendar="24/7")) as store:
        found = one(store, len(walk) - 1, column).recomputed
        (indicator,) = parse_indicators(
            {"ema_5": "ema(5)", "atr_5": "atr(5)", "rsi_5": "rsi(5)"}.get(column, "macd(3,6,4)")
        )
        truth = whole_truth(store, indicator, column)
    assert found.exact_from is not None
    assert found.exact_from > 1_704_205_800_000_000
    assert not found.whole_history
    assert 0 < found.truncation < 1e-30
    assert found.digits is not None
    assert found.bars < len(walk)
    assert abs(Fraction(Decimal(found.digits)) - truth) <= Fraction(found.truncation) + abs(truth) / 10**39
    assert found.kept


@pytest.mark.parametrize("column", ["ema_5", "atr_5", "rsi_5", "macd_3_6_4_signal", "macd_3_6_4_line"])
def test_a_recursion_over_more_bars_than_are_taken_says_what_that_moves(
    minutes, walk, monkeypatch, column: str
) -> None:
    monkeypatch.setattr(recomputed, "MOST", 200)
    with stored(minutes(walk, calendar="24/7")) as store:
        found = one(store, len(walk) - 1, column).recomputed
        (indicator,) = parse_indicators(
            {"ema_5": "ema(5)", "atr_5": "atr(5)", "rsi_5": "rsi(5)"}.get(column, "macd(3,6,4)")
        )
        truth = whole_truth(store, indicator, column)
    assert found.bars <= 200
    assert found.digits is not None
    assert found.bound is not None
    assert 0 < found.truncation < min(1e-10, found.bound)
    assert abs(Fraction(Decimal(found.digits)) - truth) <= Fraction(found.truncation)
    assert found.kept


def whole_truth(store: MemoryStore, indicator: Indicator, column: str) -> Fraction:
    """The last value by the exact form over the whole series."""
    bars = query(store, "ACME", "1m").bars
    exact = indicator.exact(ExactBars.of({name: getattr(bars, name) for name in SOURCES}, bars.anchor.tolist()))
    truth = exact[indicator.columns.index(column)][-1]
    assert truth is not None
    return truth.value


@pytest.mark.parametrize(
    ("column", "limit", "why"),
    [
        ("ema_300", "MOST", "what is 100 bars ago still counts"),
        ("vwap_first", "MOST_SUMMED", "it is made of 700 bars, more than 100"),
        ("stochastic_50_20_20_k", "MOST_VALUES", "looks at 3,600 values"),
        ("sma_200", "MOST_VALUES", "looks at 200 values"),
    ],
)
def test_what_would_take_too_long_is_not_recomputed_and_says_so(minutes, walk, monkeypatch, column, limit, why) -> None:
    monkeypatch.setattr(recomputed, limit, 100)
    with stored(minutes(walk, calendar="24/7")) as store:
        found = one(store, len(walk) - 1, column)
    assert found.value is not None
    again = found.recomputed
    assert (again.value, again.bound, again.kept, again.difference, again.exact_from) == (None,) * 5
    assert again.note is not None
    assert again.note.startswith("not recomputed: ")
    assert why in again.note


def test_what_is_neither_served_nor_recomputed_is_not_guessed_at(minutes, walk, monkeypatch) -> None:
    monkeypatch.setattr(recomputed, "MOST_SUMMED", 10)
    with stored(minutes(walk[:50], np.zeros(50))) as store:
        found = one(store, 40, "vwap_first")
    assert (found.value, found.recomputed.kept) == (None, None)
    assert found.undefined is not None
    assert found.undefined.startswith("not known, since the exact value is not recomputed: it is made of 41 bars")


def test_what_leaves_the_range_of_float64_is_not_recomputed(minutes) -> None:
    with stored(minutes([1.7e308, -1.7e308] * 10)) as store:
        found = one(store, 19, "bollinger_5_2_upper")
    assert found.recomputed.note == "not recomputed: its exact form leaves the range of float64"
    assert found.value is None
    assert found.undefined is not None
    assert found.undefined.startswith("not known")
    assert found.recomputed.kept is None


class Liar(OptimizedService):
    """An engine whose SMA is a little off, or is missing."""

    def __init__(self, store: MemoryStore, by: float) -> None:
        super().__init__(store, workers=1)
        self.by = by

    def candles(self, request: Request):  # type: ignore[no-untyped-def]
        import dataclasses

        answer = super().candles(request)
        values = {name: column + self.by for name, column in answer.indicators.items()}
        return dataclasses.replace(answer, indicators=values)


@pytest.mark.parametrize("by", [1e-8, -3.0, float("nan"), float("inf")])
def test_an_engine_that_is_wrong_is_found_out(minutes, walk, by: float) -> None:
    with stored(minutes(walk[:50])) as store, Liar(store, by) as service:
        found = explain(service, store, Request.of("ACME", "1m"), at(store, 40), "sma_9")
    assert found.recomputed.kept is False
    assert found.recomputed.value == pytest.approx(walk[32:41].mean(), rel=1e-12)
    if np.isfinite(by):
        assert found.recomputed.difference == pytest.approx(abs(by), rel=1e-5)
        assert found.undefined is None
    else:
        reason = "infinite: it leaves the range of float64" if np.isinf(by) else "not by its definition: "
        assert found.value is None
        assert found.undefined is not None
        assert found.undefined.startswith(reason)


def test_a_value_where_there_should_be_none_is_found_out(minutes) -> None:
    class Eager(Liar):
        def candles(self, request: Request):  # type: ignore[no-untyped-def]
            import dataclasses

            answer = OptimizedService.candles(self, request)
            return dataclasses.replace(answer, indicators={name: np.array([5.0]) for name in answer.indicators})

    with stored(minutes(FLAT)) as store, Eager(store, 0.0) as service:
        found = explain(service, store, Request.of("ACME", "1m"), at(store, 3), "sma_9")
    assert (found.value, found.recomputed.value, found.recomputed.kept) == (5.0, None, False)


def test_the_classic_engine_is_held_to_parity(minutes, walk) -> None:
    with stored(minutes(walk[:60])) as store, ClassicService(store) as service:
        request = Request.of("ACME", "1m")
        indicator = explain(service, store, request, at(store, 50), "ema_9").recomputed
        bar = explain(service, store, request, at(store, 50), "volume").recomputed
        warm_up = explain(service, store, request, at(store, 3), "ema_9")
        ratio = explain(service, store, request, at(store, 50), "rsi_9").recomputed
    assert (indicator.bound_of, indicator.kept) == ("parity", True)
    assert indicator.bound == pytest.approx(1e-9 * 100, rel=0.02)
    assert ratio.bound == pytest.approx(1e-7)
    assert (bar.bound_of, bar.kept) == ("definition", True)
    assert (warm_up.value, warm_up.recomputed.kept) == (None, True)
    assert warm_up.kernel.startswith("pandas ")


def test_volumes_of_many_candles_keep_the_bound_of_their_sum(minutes) -> None:
    traded = np.array([1e15, *([0.1] * 59)])
    with stored(minutes(np.full(60, 10.0), traded)) as store:
        found = one(store, 0, "volume", "1h")
    exact = sum(map(Fraction, traded.tolist()))
    assert Fraction(Decimal(found.recomputed.digits or 0)) == pytest.approx(exact, rel=1e-38)
    assert found.recomputed.kept
    assert found.recomputed.difference == pytest.approx(float(abs(Fraction(found.value or 0) - exact)), rel=1e-9)


def test_a_correction_is_explained_by_the_new_candle(minutes, walk) -> None:
    candles = minutes(walk[:50])
    with stored(candles) as store, OptimizedService(store, workers=1) as service:
        before = explain(service, store, Request.of("ACME", "1m"), at(store, 40), "sma_9")
        store.upsert(corrected(candles, 36, by=9.0))
        after = explain(service, store, Request.of("ACME", "1m"), at(store, 40), "sma_9")
    assert (before.series.revision, before.series.generation) == (1, 0)
    assert (after.series.revision, after.series.generation, after.revision) == (2, 1, 2)
    assert (after.value or 0) - (before.value or 0) == pytest.approx(1.0)
    assert after.recomputed.kept
    assert after.fingerprint != before.fingerprint


def test_digits() -> None:
    assert recomputed.digits(Fraction(1, 3)) == "0." + "3" * 40
    assert recomputed.digits(Fraction(0)) == "0"


def test_nothing_before_counts_for_a_window(minutes, walk) -> None:
    with stored(minutes(walk[:300])) as store:
        bars = query(store, "ACME", "1m").bars
    assert recomputed.beginning(parse_indicators("sma(9)")[0], bars, 250) == (242, 0.0)
    assert recomputed.beginning(parse_indicators("ema(9)")[0], bars, 250) == (0, 0.0)
    assert Timeframe.parse("1m").microseconds == MINUTE
