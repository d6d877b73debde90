"""The classic engine beyond the contract: how much history it reads, and that it is enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.aggregation import aggregate
from candlewick.aggregation.edges import Edges
from candlewick.candles import VALUES, Candles
from candlewick.errors import EngineError, InputError, UnknownNameError
from candlewick.indicators import EMA, MACD, RSI, SMA, VWAP, Bollinger, Indicator, parse_indicators
from candlewick.indicators.deviation import Deviation
from candlewick.service import classic
from candlewick.service.answer import Answer
from candlewick.service.classic import ClassicService
from candlewick.service.classic_bars import Buckets, as_bars, bars_frame, candle_close, group_keys
from candlewick.service.classic_history import bars_needed, decay, read_start
from candlewick.service.classic_indicators import FAMILIES, indicator_columns
from candlewick.service.request import Request
from candlewick.sessions.calendar import find_calendar
from candlewick.sessions.table import DAY
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import Snapshot
from candlewick.testing.failing_repository import FailingRepository
from candlewick.testing.service_market import corrected, market
from candlewick.testing.session_law import DAYS, SEEDS, TIMEFRAMES, trial_candles
from candlewick.timeframe import MINUTE, Span, Timeframe

EVERY = (
    "sma(9) sma(20,volume) ema(9) ema(50,high) wma(14) rsi(14) rsi(1) atr(14) atr(1) true_range stddev(20) vwap "
    "vwap(week) vwap(month) vwap(first) bollinger(20,2) percent_b(20,2.5) macd(12,26,9) stochastic(14,3,3) sma(1) "
    "ema(1)"
)
CALENDARS = st.sampled_from(["XNYS", "XTKS", "24/7", "XBOM", "18:00-17:00@America/New_York"])


def stored(candles: Candles) -> MemoryStore:
    store = MemoryStore()
    store.upsert(candles)
    return store


def with_values(candles: Candles, **values: Any) -> Candles:
    columns = {name: getattr(candles, name) for name in VALUES} | values
    return Candles.trusted(candles.symbol, candles.timeframe, candles.calendar, candles.microseconds, columns)


class Reads(FailingRepository):
    """Remembers how many candles each snapshot gave."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store, method="", error=RuntimeError())
        self.rows: list[int] = []

    def snapshot(self, *given: Any) -> Snapshot:
        found = super().snapshot(*given)
        self.rows.append(len(found.candles))
        return found


@given(calendar=CALENDARS, day=DAYS, seed=SEEDS, timeframe=TIMEFRAMES, drop=st.booleans())
def test_bars_are_those_of_the_other_engine(calendar: str, day: int, seed: int, timeframe: str, drop: bool) -> None:
    candles = trial_candles(calendar, day, seed)
    how = "drop" if drop else "keep"
    length = Timeframe.parse(timeframe)
    until = candle_close(candles.calendar, candles.timeframe, int(candles.microseconds[-1]))
    made = as_bars(bars_frame(candles, length, zero_volume=how, until=until), candles, length)
    assert made == aggregate(candles, length, zero_volume=how)
    assert made.anchor.tolist() == aggregate(candles, length, zero_volume=how).anchor.tolist()


@given(calendar=CALENDARS, day=DAYS, minute=st.integers(-1500, 3000), timeframe=TIMEFRAMES)
def test_when_a_candle_is_over(calendar: str, day: int, minute: int, timeframe: str) -> None:
    time = day * DAY + minute * MINUTE
    known, length = find_calendar(calendar), Timeframe.parse(timeframe)
    assert candle_close(known, length, time) == Edges.between(known, length, time, time + 1).close_of(time)


def test_no_candles_make_no_bars() -> None:
    frame = bars_frame(market().rows(0, 0), Timeframe.parse("5m"), zero_volume="keep", until=0)
    bars = as_bars(frame, market(), Timeframe.parse("5m"))
    assert len(bars) == 0
    assert (bars.n.dtype, bars.final.dtype, bars.close.dtype) == (np.int32, np.bool_, np.float64)


def test_weeks_and_months_of_labels() -> None:
    days = np.array(["2023-12-31", "2024-01-01", "2024-01-07", "2024-01-08"], "M8[D]").astype(np.int64)
    assert np.diff(group_keys(days, Span.WEEK)).tolist() == [1, 0, 1]
    assert np.diff(group_keys(days, Span.MONTH)).tolist() == [1, 0, 0]
    assert group_keys(days, Span.SESSION).tolist() == days.tolist()


def test_where_buckets_end() -> None:
    calendar = find_calendar("XTKS")
    opened = int(calendar.label_opens(np.array(["2024-01-04"], "M8[D]").astype(np.int64))[0])
    hours = Buckets.of(calendar, Timeframe.parse("1h"), opened, opened + 6 * 60 * MINUTE)
    assert hours.end_of(opened + 130 * MINUTE) == opened + 150 * MINUTE, "cut at the break"
    assert hours.end_of(opened + 160 * MINUTE) is None, "in the break"
    day = Buckets.of(calendar, Timeframe.parse("1d"), opened, opened + 1)
    assert day.end_of(opened) == opened + 360 * MINUTE


class TestHistory:
    @pytest.mark.parametrize("timeframe", ["1m", "15m", "1d", "1w"])
    @pytest.mark.parametrize("spec", parse_indicators(EVERY), ids=str)
    def test_it_is_enough(self, spec: Indicator, timeframe: str) -> None:
        """What is left out moves no value by 1e-12 of the scale: against this engine's own values of all candles.

        A deviation has a window alone; pandas' own rounding in all candles is larger than that.
        """
        service = ClassicService(self.long)
        whole = service.candles(Request.of("SIM", timeframe, spec))
        tolerance = 1e-7 if isinstance(spec, Deviation) else 1e-12
        for share in (0.5, 0.9, 0.97):
            row = int(len(whole.bars) * share)
            start = int(whole.bars.microseconds[row])
            part = service.candles(Request.of("SIM", timeframe, spec, start=start))
            for name, values in whole.indicators.items():
                size = getattr(whole.bars, getattr(spec, "source", "close")).max()
                scale = 100 if spec.kind in ("rsi", "stochastic") else size
                np.testing.assert_allclose(part.indicators[name], values[row:], rtol=0, atol=tolerance * scale)

    @pytest.fixture(autouse=True)
    def _long(self) -> None:
        if not hasattr(TestHistory, "made"):
            TestHistory.made = stored(market(sessions=90))
        self.long = TestHistory.made

    made: ClassVar[MemoryStore]

    def test_it_is_not_the_whole_series(self) -> None:
        reads = Reads(self.long)
        _, last = self.long.date_range("SIM", "1m")
        request = Request.of("SIM", "5m", "desk", start=last - DAY // 8, end=last - DAY // 12)
        ClassicService(reads).candles(request)
        assert len(reads.rows) == 1
        assert 4_000 < reads.rows[0] < 8_000 < self.long.count("SIM", "1m") // 4

    def test_no_indicators_need_none(self) -> None:
        reads = Reads(self.long)
        _, last = self.long.date_range("SIM", "1m")
        ClassicService(reads).candles(Request.of("SIM", "5m", start=last - 59 * MINUTE))
        assert reads.rows[0] <= 60

    def test_bars_that_are_missing_make_it_read_again(self) -> None:
        """Half a year without a candle: the walk over the calendar's buckets finds none of the history there."""
        candles = market(sessions=150)
        gap = (candles.microseconds > candles.microseconds[9_000]) & (
            candles.microseconds < candles.microseconds[-3_000]
        )
        thinned = Candles.trusted(
            "SIM",
            candles.timeframe,
            candles.calendar,
            candles.microseconds[~gap],
            {name: getattr(candles, name)[~gap] for name in VALUES},
        )
        store = stored(thinned)
        reads = Reads(store)
        service = ClassicService(reads)
        start = int(thinned.microseconds[9_030])
        whole = service.candles(Request.of("SIM", "1m", "ema(50)"))
        reads.rows.clear()
        part = service.candles(Request.of("SIM", "1m", "ema(50)", start=start))
        assert 1 < len(reads.rows) < 9
        expected = whole.indicators["ema_50"][-len(part.bars) :]
        np.testing.assert_allclose(part.indicators["ema_50"], expected, rtol=1e-12)

    def test_rsi_after_a_long_stretch_without_change(self) -> None:
        """Gains and losses decay as the seed does: only what moved before the stretch says what RSI is in it."""
        candles = market(sessions=12)
        close = candles.close.copy()
        close[1_500:-40] = close[1_500]
        store = stored(with_values(candles, open=close, high=close, low=close, close=close))
        service = ClassicService(store)
        whole = service.candles(Request.of("SIM", "1m", "rsi(14)"))
        for row in (2_000, 2_600, len(close) - 30):
            start = int(candles.microseconds[row])
            part = service.candles(Request.of("SIM", "1m", "rsi(14)", start=start))
            np.testing.assert_allclose(part.indicators["rsi_14"], whole.indicators["rsi_14"][row:], atol=1e-10)

    def test_the_bars_that_each_needs(self) -> None:
        assert bars_needed(SMA(9)) == 8
        assert bars_needed(Bollinger(20, 2)) == 19
        assert bars_needed(VWAP("first")) == 0
        assert bars_needed(EMA(1)) == 1
        assert (1 - 2 / 51) ** (bars_needed(EMA(50)) - 50) < 1e-15
        assert (1 - 1 / 14) ** (bars_needed(RSI(14)) - 15) < 1e-20
        assert bars_needed(MACD(12, 26, 9)) > bars_needed(EMA(26)) + 9
        assert decay(1.0) == 0

    def test_where_reading_begins(self) -> None:
        calendar = find_calendar("XNYS")
        opens = calendar.periods(DAY * 19_723, DAY * 19_775).open  # from 2024-01-01 on
        first, low = int(opens[0]), int(opens[10])

        def begins(timeframe: str, specs: str, low: int = low) -> int:
            return read_start(parse_indicators(specs), calendar, Timeframe.parse(timeframe), first, low)

        assert begins("1m", "sma(10)") == int(opens[9]) + 381 * MINUTE
        assert begins("1h", "sma(9)") == int(opens[8]) + 6 * 60 * MINUTE
        assert begins("1d", "sma(4)") == int(opens[7])
        assert begins("1d", "sma(90)") == first
        assert begins("5m", "vwap") == low, "the session begins there"
        assert begins("5m", "vwap", low + 1) == low
        assert begins("5m", "vwap(week)", low + 1) == int(opens[9]), "Tuesday after a holiday on Monday"
        assert begins("5m", "vwap(month)") == first
        assert begins("5m", "vwap(first)") == first
        assert begins("1w", "vwap(month)", int(opens[25])) == int(opens[18]), "the week in which February begins"
        assert begins("5m", "sma(9),vwap(first)", first - 1) == first

    def test_a_session_after_the_series_needs_no_anchor(self) -> None:
        calendar = find_calendar("XNYS")
        saturday = 19_727 * DAY
        assert read_start((VWAP(),), calendar, Timeframe.parse("5m"), saturday, saturday + 1) == saturday + 1


def test_an_indicator_of_the_users_own_is_refused() -> None:
    class Mine(SMA):
        kind = "mine"

    with pytest.raises(InputError, match=r"mine\(9\).*classic engine") as caught:
        ClassicService(stored(market())).candles(Request("SIM", Timeframe.parse("5m"), (Mine(9),)))
    assert caught.value.parameter == "indicators"
    assert "stochastic" in caught.value.expected


def test_every_indicator_has_its_form_in_pandas() -> None:
    from candlewick.indicators import REGISTRY

    assert {one.kind for one in FAMILIES} == set(REGISTRY)


def frame_of(closes: Sequence[float], **columns: Any) -> pd.DataFrame:
    close = pd.Series(np.asarray(closes, dtype=np.float64))
    given = {"open": close, "high": close, "low": close, "close": close, "volume": close * 0 + 1, "label": 0}
    return pd.DataFrame(given | columns)


class TestUndefined:
    """The null rules of docs/guide/indicators.md, by hand."""

    @pytest.mark.parametrize("spec", parse_indicators(EVERY), ids=str)
    def test_warm_up(self, spec: Indicator) -> None:
        for count in (0, 1, spec.warm_up, spec.warm_up + 5):
            frame = frame_of(100 + np.sin(np.arange(count)))
            frame["high"], frame["low"] = frame["high"] + 1, frame["low"] - 1
            last = np.array([values.to_numpy() for values in indicator_columns(spec, frame).values()])
            defined = np.isfinite(last).all(axis=0)
            assert defined.tolist() == [row >= spec.warm_up for row in range(count)]

    def test_flat_windows(self) -> None:
        frame = frame_of([3.0] * 40)
        columns = {n: v for one in parse_indicators(EVERY) for n, v in indicator_columns(one, frame).items()}
        for name in ("rsi_14", "percent_b_20_2p5", "stochastic_14_3_3_k", "stochastic_14_3_3_d"):
            assert columns[name].isna().all(), name
        assert columns["stddev_20"].iloc[-1] == 0
        assert columns["bollinger_20_2_width"].iloc[-1] == 0
        assert columns["bollinger_20_2_upper"].iloc[-1] == 3

    def test_rsi_of_what_has_decayed(self) -> None:
        frame = frame_of([2.0, *[1.0] * 12_000])
        values = indicator_columns(RSI(14), frame)["rsi_14"].to_numpy()
        assert values[100] == 0
        assert np.isnan(values[-1])

    def test_no_volume_yet(self) -> None:
        frame = frame_of([1.0, 2.0, 3.0, 4.0], volume=[0.0, 1.0, 0.0, 2.0], label=[0, 0, 1, 1])
        assert indicator_columns(VWAP(), frame)["vwap"].fillna(-1).tolist() == [-1, 2, -1, 4]
        assert indicator_columns(VWAP("first"), frame)["vwap_first"].fillna(-1).tolist() == [-1, 2, 2, 10 / 3]

    def test_width_about_zero(self) -> None:
        frame = frame_of([1.0, -1.0] * 10)
        columns = indicator_columns(Bollinger(2, 2), frame)
        assert columns["bollinger_2_2_width"].isna().all()
        assert columns["bollinger_2_2_upper"].iloc[-1] == 2


class TestWrites:
    def test_candles_written_to_after_they_were_read_are_read_again(self) -> None:
        store = stored(market())
        other = corrected(market(), 100)

        class Written(Reads):
            def revision_before(self, *given: Any) -> int:
                if len(self.rows) == 1:
                    self.store.upsert(other)
                return super().revision_before(*given)

        reads = Written(store)
        answer = ClassicService(reads).candles(Request.of("SIM", "1m", "sma(9)"))
        assert len(reads.rows) == 2
        assert answer.bars.close[100] == other.close[0]
        assert answer.revision == 2

    def test_an_append_while_reading_changes_no_history(self) -> None:
        candles = market()
        store = stored(candles.rows(0, 900))

        class Written(Reads):
            def revision_before(self, *given: Any) -> int:
                self.store.upsert(candles.rows(0, 1_300))
                return super().revision_before(*given)

        reads = Written(store)
        answer = ClassicService(reads).candles(Request.of("SIM", "1m", end="2024-01-03"))
        assert (len(reads.rows), answer.revision) == (1, 1)


def test_what_breaks_on_the_way_stands_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("by hand")

    service = ClassicService(stored(market()))
    monkeypatch.setattr(classic, "as_bars", broken)
    (answer,) = service.candles_many([Request.of("SIM", "5m")])
    assert isinstance(answer, EngineError)
    assert (answer.engine, answer.kind) == ("classic", "ZeroDivisionError")
    assert isinstance(answer.__cause__, ZeroDivisionError)


def test_many_answers_are_those_of_one_at_a_time() -> None:
    service = ClassicService(stored(market()))
    requests = [Request.of("SIM", "5m", "desk", end=end) for end in ("2024-01-03", "2024-01-04", None)]
    for request, answer in zip(requests, service.candles_many(requests), strict=True):
        assert isinstance(answer, Answer)
        assert answer.fingerprint == service.candles(request).fingerprint


def test_an_answer_keeps_its_fingerprint_while_time_passes_and_no_bar_ends() -> None:
    service = ClassicService(stored(market()))
    last = int(service.candles(Request.of("SIM", "5m")).bars.microseconds[-1])
    ended = last + 5 * 60 * 1_000_000
    marks = [
        service.candles(Request.of("SIM", "5m", complete_until=until)).fingerprint
        for until in (ended, ended + 1, ended + 10**12, ended - 1, last)
    ]
    assert marks[0] == marks[1] == marks[2] != marks[3] == marks[4]


def test_requests_are_checked_when_made() -> None:
    with pytest.raises(UnknownNameError):
        Request.of("SIM", "5m", "smaa(9)")
