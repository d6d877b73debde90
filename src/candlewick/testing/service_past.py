"""What an engine answers as of a moment, as a pytest base class; part of the service contract."""

from __future__ import annotations

from typing import Any

import pytest

from candlewick.candles import VALUES, Candles
from candlewick.errors import HistoryError, LimitError, NaiveTimeError, UnknownSeriesError
from candlewick.service.answer import Answer
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.store.repository import CandleRepository
from candlewick.testing.service_market import SPECS, corrected, days_of, market, same
from candlewick.timeframe import MINUTE, Timeframe


class PastContract:
    """An answer as of a moment is the one that was given then: its columns bit for bit, its revision and its name."""

    @pytest.fixture
    def store(self) -> Any:
        raise NotImplementedError("give a fixture `store`: an empty repository")

    def service(self, store: CandleRepository) -> AnalyticsService:
        """The engine under test over a store."""
        raise NotImplementedError("give a method `service`")

    def test_what_was_answered_is_answered_again(self, store: CandleRepository) -> None:
        candles = market(sessions=3)
        days = days_of(candles)
        charts: list[dict[str, Any]] = [
            {"timeframe": "15m", "indicators": SPECS},
            {"timeframe": "5m", "indicators": "ema(9)", "start": int(days[1].microseconds[7]), "end": "2024-01-04"},
            {"timeframe": "1d", "indicators": "sma(2)", "final_only": True},
        ]
        noted: list[tuple[int, list[Answer]]] = []
        with self.service(store) as service:

            def note() -> None:
                at = store.writes("SIM", "1m")[-1].written_at
                noted.append((at, [service.candles(Request.of("SIM", **chart)) for chart in charts]))

            for written in (days[0], days[1], corrected(candles, 30), days[2]):
                store.upsert(written)
                note()
            store.delete("SIM", "1m", int(days[1].microseconds[20]), int(days[1].microseconds[50]))
            note()
            store.upsert(days[1].rows(10, 60))
            store.delete("SIM")
            store.upsert(market(calendar="24/7"))
            for at, answers in noted:
                for chart, answer in zip(charts, answers, strict=True):
                    again = service.candles(Request.of("SIM", as_of=at, **chart))
                    assert same(again, answer)
                    assert (again.revision, again.fingerprint) == (answer.revision, answer.fingerprint)
                    assert again.cache == "none"
                    assert service.cached(Request.of("SIM", as_of=at, **chart)) is None
            now = service.candles(Request.of("SIM", **charts[0]))
            later = service.candles(Request.of("SIM", as_of="2999-01-01T00:00:00Z", **charts[0]))
            assert same(now, later)
            assert now.fingerprint == later.fingerprint

    def test_the_series_that_served_then_serves(self, store: CandleRepository) -> None:
        """A stored 5m series answers 5m itself, but not as of before it came."""
        store.upsert(market())
        at = store.writes("SIM", "1m")[0].written_at
        with self.service(store) as service:
            before = service.candles(Request.of("SIM", "5m"))
            first = market().rows(0, 1)
            values = {name: getattr(first, name) for name in VALUES}
            store.upsert(Candles.trusted("SIM", Timeframe.parse("5m"), first.calendar, first.microseconds, values))
            assert str(service.candles(Request.of("SIM", "5m")).source) == "5m"
            again = service.candles(Request.of("SIM", "5m", as_of=at))
            assert str(again.source) == "1m"
            assert same(again, before)

    def test_a_moment_of_no_use_is_named(self, store: CandleRepository) -> None:
        store.upsert(market())
        store.upsert(corrected(market(), 3))
        first, second = (one.written_at for one in store.writes("SIM", "1m"))
        with self.service(store) as service:
            with pytest.raises(UnknownSeriesError, match=r"'SIM' had no 1m candles as of .*: they came at"):
                service.candles(Request.of("SIM", "5m", as_of=first - 1))
            with pytest.raises(UnknownSeriesError, match="'OTHER' is not in the store"):
                service.candles(Request.of("OTHER", "5m", as_of=first))
            with pytest.raises(NaiveTimeError, match="as_of"):
                Request.of("SIM", "5m", as_of="2024-01-02")
            with pytest.raises(LimitError):
                service.candles(Request.of("SIM", "1m", as_of=first, limit=10))
            store.purge(second)
            with pytest.raises(HistoryError, match="as_of"):
                service.candles(Request.of("SIM", "5m", as_of=first))
            assert len(service.candles(Request.of("SIM", "5m", as_of=second)).bars)
            store.delete_older_than(int(market().microseconds[0]) + MINUTE)
            many = service.candles_many([Request.of("SIM", "5m", as_of=second), Request.of("SIM", "5m")])
            assert isinstance(many[0], HistoryError)
            assert isinstance(many[1], Answer)
