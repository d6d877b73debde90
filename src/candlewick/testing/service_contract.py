"""The service contract as a pytest base class: every engine's test inherits it, gives a ``store`` and its service.

::

    class TestMine(ServiceContract):
        @pytest.fixture
        def store(self) -> CandleRepository: ...        # empty, closed by the fixture

        def service(self, store: CandleRepository) -> AnalyticsService: ...
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np
import pytest

from candlewick.candles import VALUES, Candles
from candlewick.engine.query import query
from candlewick.errors import (
    CandlewickError,
    DeadlineError,
    InputError,
    LimitError,
    NaiveTimeError,
    StoreError,
    UnknownSeriesError,
)
from candlewick.service.answer import BAR_COLUMNS, Answer
from candlewick.service.request import Request
from candlewick.service.service import ENGINES, AnalyticsService
from candlewick.store.repository import CandleRepository
from candlewick.testing.failing_repository import FailingRepository
from candlewick.testing.held_repository import HeldRepository
from candlewick.testing.service_market import DAY, SPECS, market, same
from candlewick.testing.service_past import PastContract
from candlewick.testing.service_revisions import RevisionContract
from candlewick.timeframe import MINUTE

BAR_NUMBERS = ("open", "high", "low", "close", "n", "final")


class ServiceContract(RevisionContract, PastContract):
    """What every engine must do. A subclass gives the fixture ``store`` and the hook ``service``.

    ``interrupts``: False for an engine that answers many requests one by one on the caller's own thread, where a
    deadline is looked at between two of them and not while the store hangs.
    """

    interrupts: ClassVar[bool] = True

    # ---- what an answer holds

    @pytest.mark.parametrize("timeframe", ["1m", "5m", "1h", "1d", "1w", "1mo"])
    def test_bars_and_indicators_are_those_of_the_whole_series(
        self, store: CandleRepository, engine: AnalyticsService, timeframe: str
    ) -> None:
        first, last = store.date_range("SIM", "1m")
        third = (last - first) // 3
        for start, end in ((None, None), (first + third, last - third), (first + 2 * third, None), (None, last)):
            answer = engine.candles(Request.of("SIM", timeframe, SPECS, start=start, end=end))
            expected = query(store, "SIM", timeframe, SPECS, start=start, end=end)
            assert answer.bars.microseconds.tolist() == expected.bars.microseconds.tolist()
            for name in BAR_NUMBERS:
                assert getattr(answer.bars, name).tolist() == getattr(expected.bars, name).tolist()
            np.testing.assert_allclose(answer.bars.volume, expected.bars.volume, rtol=1e-13)
            assert expected.indicators is not None
            assert list(answer.indicators) == list(expected.indicators)
            for name, values in expected.indicators.items():
                np.testing.assert_allclose(answer.indicators[name], values, rtol=1e-8, atol=1e-8, err_msg=name)

    def test_what_an_answer_says_about_itself(self, store: CandleRepository, engine: AnalyticsService) -> None:
        answer = engine.candles(Request.of("SIM", "5m", "rsi(14),sma(9)"))
        assert answer.engine == engine.engine
        assert engine.engine in ENGINES
        assert list(answer.columns) == [*BAR_COLUMNS, "rsi_14", "sma_9"]
        assert (answer.bars.symbol, str(answer.bars.timeframe), str(answer.source)) == ("SIM", "5m", "1m")
        assert answer.revision == store.find("SIM", "1m").revision
        assert len(answer.fingerprint) == 32
        assert int(answer.fingerprint, 16) >= 0
        assert answer.seconds >= 0
        assert answer.cache in ("hit", "extension", "miss", "none")
        assert engine.candles(Request.of("SIM", "5m")).indicators == {}

    def test_every_array_is_read_only(self, engine: AnalyticsService) -> None:
        request = Request.of("SIM", "5m", SPECS)
        for answer in (engine.candles(request), engine.candles(request)):
            for values in answer.columns.values():
                with pytest.raises(ValueError, match="read-only"):
                    values[0] = values[-1]

    def test_json_form(self, engine: AnalyticsService) -> None:
        answer = engine.candles(Request.of("SIM", "1h", "sma(3)"))
        assert answer.json() is answer.json()
        told = json.loads(answer.json())
        assert list(told) == ["symbol", "timeframe", "source", "engine", "revision", "fingerprint", "columns"]
        assert (told["symbol"], told["timeframe"], told["source"]) == ("SIM", "1h", "1m")
        assert (told["engine"], told["revision"]) == (engine.engine, answer.revision)
        assert told["fingerprint"] == answer.fingerprint
        columns = told["columns"]
        assert list(columns) == [*BAR_COLUMNS, "sma_3"]
        assert columns["time"] == (answer.bars.microseconds // 1000).tolist()
        assert columns["sma_3"][:2] == [None, None]
        assert columns["sma_3"][2:] == answer.indicators["sma_3"][2:].tolist()
        assert columns["final"] == answer.bars.final.tolist()

    # ---- ranges, limits, sources

    def test_ranges_are_half_open_on_whole_bars(self, engine: AnalyticsService) -> None:
        whole = engine.candles(Request.of("SIM", "1h")).bars.microseconds
        for first, last in ((0, 3), (2, 9), (5, 5), (0, len(whole) - 1)):
            answer = engine.candles(Request.of("SIM", "1h", start=int(whole[first]), end=int(whole[last])))
            assert answer.bars.microseconds.tolist() == whole[first:last].tolist()
            inside = Request.of("SIM", "1h", start=int(whole[first]) + 1, end=int(whole[last]) + 1)
            assert engine.candles(inside).bars.microseconds.tolist() == whole[first + 1 : last + 1].tolist()

    def test_a_date_is_the_open_of_that_session(self, engine: AnalyticsService) -> None:
        answer = engine.candles(Request.of("SIM", "1d", start="2024-01-03", end="2024-01-05"))
        assert [str(time)[:16] for time in answer.bars.time] == ["2024-01-03T14:30", "2024-01-04T14:30"]

    def test_a_range_without_bars_has_empty_columns(self, store: CandleRepository, engine: AnalyticsService) -> None:
        first, last = store.date_range("SIM", "1m")
        for start, end in ((last + DAY, None), (None, first), (first - 9 * DAY, first), ("2060-01-01T00:00Z", None)):
            answer = engine.candles(Request.of("SIM", "5m", SPECS, start=start, end=end))
            assert {name: len(values) for name, values in answer.columns.items()} == dict.fromkeys(answer.columns, 0)
            assert len(answer.columns) == len(BAR_COLUMNS) + 11
            assert json.loads(answer.json())["columns"]["time"] == []
        far = engine.candles(Request.of("SIM", "5m", start="1990-01-01T00:00Z", end="2060-01-01T00:00Z"))
        assert len(far.bars) == len(engine.candles(Request.of("SIM", "5m")).bars)

    def test_more_bars_than_the_limit_is_an_error(self, engine: AnalyticsService) -> None:
        bars = len(engine.candles(Request.of("SIM", "5m")).bars)
        assert len(engine.candles(Request.of("SIM", "5m", limit=bars)).bars) == bars
        with pytest.raises(LimitError) as caught:
            engine.candles(Request.of("SIM", "5m", SPECS, limit=bars - 1))
        assert (caught.value.bars, caught.value.value) == (bars, bars - 1)
        assert len(engine.candles(Request.of("SIM", "5m", SPECS, limit=1, end="2024-01-02T14:35Z")).bars) == 1

    def test_the_source_is_named_and_may_be_chosen(self, store: CandleRepository, engine: AnalyticsService) -> None:
        five = query(store, "SIM", "5m").bars
        values = {name: getattr(five, name) + 0.0 for name in VALUES}
        store.upsert(Candles.trusted("SIM", five.timeframe, five.calendar, five.microseconds, values))
        stored = engine.candles(Request.of("SIM", "5m"))
        assert (str(stored.source), stored.bars.n.tolist()) == ("5m", [1] * len(five))
        made = engine.candles(Request.of("SIM", "5m", source="1m"))
        assert (str(made.source), made.bars.n.tolist()) == ("1m", five.n.tolist())
        assert str(engine.candles(Request.of("SIM", "15m")).source) == "1m"
        assert str(engine.candles(Request.of("SIM", "15m", source="5m")).source) == "5m"
        assert stored.fingerprint != made.fingerprint

    # ---- errors

    def test_errors_name_what_is_wrong(self, engine: AnalyticsService) -> None:
        def refused(kind: type[CandlewickError], parameter: str, request: Request) -> None:
            with pytest.raises(kind) as caught:
                engine.candles(request)
            assert getattr(caught.value, "parameter", "") == parameter

        refused(UnknownSeriesError, "symbol", Request.of("SIN", "5m"))
        refused(InputError, "source", Request.of("SIM", "5m", source="15m"))
        refused(InputError, "end", Request.of("SIM", "5m", start="2024-01-04", end="2024-01-03"))
        refused(NaiveTimeError, "start", Request.of("SIM", "5m", start="2024-01-04T15:00"))
        refused(InputError, "start", Request.of("SIM", "5m", start="2024-01-06"))

    def test_a_timeframe_that_cannot_be_made(self, store: CandleRepository) -> None:
        store.upsert(Candles.trusted("D", *self._hour()))
        with self.service(store) as service, pytest.raises(InputError) as caught:
            service.candles(Request.of("D", "90m"))
        assert caught.value.parameter == "timeframe"

    @staticmethod
    def _hour() -> tuple[Any, ...]:
        candles = market(sessions=1).rows(0, 3)
        hour = Request.of("D", "1h").timeframe
        values = {name: getattr(candles, name) for name in VALUES}
        return hour, candles.calendar, candles.microseconds[:1] + np.arange(3) * 60 * MINUTE, values

    def test_errors_of_the_store_arrive_and_are_not_kept(self, store: CandleRepository) -> None:
        store.upsert(market())
        request = Request.of("SIM", "5m", SPECS)
        healthy = FailingRepository(store, method="", error=StoreError("disk"))
        with self.service(healthy) as service:
            expected = service.candles(request)
        assert healthy.calls
        for method in healthy.calls:
            failing = FailingRepository(store, method=method, error=StoreError("disk"))
            with self.service(failing) as service:
                with pytest.raises(StoreError, match="disk"):
                    service.candles(request)
                assert same(service.candles(request), expected), method

    # ---- final bars and untraded candles

    def test_final_bars(self, store: CandleRepository) -> None:
        candles = market(sessions=1)
        opened = int(candles.microseconds[0])
        store.upsert(candles.between(opened, opened + 33 * MINUTE))
        with self.service(store) as service:
            forming = service.candles(Request.of("SIM", "15m", "sma(2)"))
            assert forming.bars.final.tolist() == [True, True, False]
            done = service.candles(Request.of("SIM", "15m", "sma(2)", final_only=True))
            assert done.bars.final.tolist() == [True, True]
            assert done.indicators["sma_2"].tolist()[1:] == forming.indicators["sma_2"].tolist()[1:2]
            assert done.fingerprint != forming.fingerprint
            limited = service.candles(Request.of("SIM", "15m", final_only=True, limit=2))
            assert len(limited.bars) == 2
            for minutes, final in ((60, [True] * 3), (45, [True] * 3), (44, [True, True, False]), (29, [True, False])):
                until = opened + minutes * MINUTE
                told = service.candles(Request.of("SIM", "15m", complete_until=until))
                assert told.bars.final.tolist()[: len(final)] == final, minutes
            store.upsert(candles.between(opened + 33 * MINUTE, opened + 46 * MINUTE))
            assert service.candles(Request.of("SIM", "15m")).bars.final.tolist() == [True, True, True, False]

    def test_untraded_candles_may_be_left_out(self, store: CandleRepository) -> None:
        candles = market(sessions=1).rows(0, 60)
        values = {name: getattr(candles, name).copy() for name in VALUES}
        flat = np.arange(60) % 7 == 3
        for name in ("open", "high", "low"):
            values[name][flat] = values["close"][flat]
        values["volume"][flat] = 0.0
        store.upsert(Candles.trusted("SIM", candles.timeframe, candles.calendar, candles.microseconds, values))
        with self.service(store) as service:
            for timeframe in ("1m", "5m"):
                kept, left = (
                    service.candles(Request.of("SIM", timeframe, "sma(3)", zero_volume=how)) for how in ("keep", "drop")
                )
                assert (int(kept.bars.n.sum()), int(left.bars.n.sum())) == (60, 60 - int(flat.sum()))
                assert kept.fingerprint != left.fingerprint
                expected = query(store, "SIM", timeframe, "sma(3)", zero_volume="drop")
                assert left.bars.microseconds.tolist() == expected.bars.microseconds.tolist()
                assert expected.indicators is not None
                np.testing.assert_allclose(left.indicators["sma_3"], expected.indicators["sma_3"], rtol=1e-12)

    # ---- several at once

    def test_many_keeps_the_order_and_errors_in_their_place(
        self, store: CandleRepository, engine: AnalyticsService
    ) -> None:
        store.upsert(market("B"))
        requests = [
            Request.of("SIM", "5m", SPECS),
            Request.of("none", "5m"),
            Request.of("B", "1h", "sma(9)"),
            Request.of("SIM", "5m", limit=1),
            Request.of("SIM", "5m", SPECS),
            Request.of("B", "5m", start="2024-01-04", end="2024-01-03"),
        ]
        answers = engine.candles_many(requests)
        kinds = [Answer, UnknownSeriesError, Answer, LimitError, Answer, InputError]
        assert [type(answer) for answer in answers] == kinds
        for request, answer in zip(requests, answers, strict=True):
            if isinstance(answer, Answer):
                assert same(answer, engine.candles(request))
        assert engine.candles_many([]) == []

    def test_many_over_a_store_that_fails_once(self, store: CandleRepository) -> None:
        symbols = [f"S{k}" for k in range(4)]
        store.upsert_many([market(symbol, 1) for symbol in symbols])
        failing = FailingRepository(store, method="snapshot", error=StoreError("disk"), at=2)
        with self.service(failing) as service:
            answers = service.candles_many([Request.of(symbol, "5m") for symbol in symbols])
        assert sum(isinstance(answer, StoreError) for answer in answers) == 1
        for symbol, answer in zip(symbols, answers, strict=True):
            assert isinstance(answer, StoreError) or (isinstance(answer, Answer) and answer.bars.symbol == symbol)

    def test_many_with_a_deadline(self, store: CandleRepository) -> None:
        store.upsert_many([market("A", 1), market("B", 1)])
        held = HeldRepository(store)
        requests = [Request.of("A", "5m"), Request.of("B", "5m")]
        with self.service(held) as service:
            held.hold()
            deadline = 0.05 if self.interrupts else 0.0
            try:
                late = service.candles_many(requests, deadline=deadline)
            finally:
                held.let_go()
            assert [type(answer) for answer in late] == [DeadlineError, DeadlineError]
            assert all(isinstance(answer, DeadlineError) and answer.seconds == deadline for answer in late)
            answers = service.candles_many(requests, deadline=60.0)
            assert [answer.bars.symbol for answer in answers if isinstance(answer, Answer)] == ["A", "B"]

    def test_many_threads(self, engine: AnalyticsService) -> None:
        requests = [Request.of("SIM", timeframe, SPECS) for timeframe in ("5m", "15m", "1h", "1d")]
        expected = [engine.candles(request) for request in requests]
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(engine.candles, requests * 6))
        assert all(same(answer, expected[k % len(requests)]) for k, answer in enumerate(answers))

    def test_symbols(self, store: CandleRepository, engine: AnalyticsService) -> None:
        store.upsert(market("A"))
        assert [one.symbol for one in engine.symbols()] == ["A", "SIM"]
        assert engine.symbols() == store.series()

    def test_closing(self, store: CandleRepository) -> None:
        store.upsert(market())
        service = self.service(store)
        service.candles(Request.of("SIM", "5m"))
        service.close()
        service.close()
        assert store.symbols() == ["SIM"]
