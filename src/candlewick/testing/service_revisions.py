"""What a revision and a fingerprint promise, as a pytest base class; part of the service contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from candlewick.service.answer import Answer
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.store.repository import CandleRepository
from candlewick.testing.service_market import SPECS, corrected, days_of, market, same
from candlewick.timeframe import MINUTE


class RevisionContract:
    """An answer's revision and name: kept while nothing that it depends on changes, never shared by two answers."""

    @pytest.fixture
    def store(self) -> Any:
        raise NotImplementedError("give a fixture `store`: an empty repository")

    def service(self, store: CandleRepository) -> AnalyticsService:
        """The engine under test over a store."""
        raise NotImplementedError("give a method `service`")

    @pytest.fixture
    def engine(self, store: CandleRepository) -> Iterator[AnalyticsService]:
        """The engine over a store that holds four sessions of one symbol."""
        store.upsert(market())
        with self.service(store) as service:
            yield service

    def test_history_keeps_its_name_while_today_grows(self, store: CandleRepository) -> None:
        *past, today = days_of(market())
        for day in past:
            store.upsert(day)
        end = int(past[-1].microseconds[-1]) + MINUTE
        history = Request.of("SIM", "5m", SPECS, end=end)
        open_ended = Request.of("SIM", "5m", SPECS)
        with self.service(store) as service:
            before, growing = service.candles(history), service.candles(open_ended)
            for rows in (10, 11, 60):
                store.upsert(today.rows(0, rows))
                after, grown = service.candles(history), service.candles(open_ended)
                assert (after.revision, after.fingerprint) == (before.revision, before.fingerprint)
                assert same(after, before)
                assert grown.fingerprint != growing.fingerprint
                assert grown.revision == store.find("SIM", "1m").revision > growing.revision
                growing = grown

    def test_a_correction_changes_what_comes_after_it(self, store: CandleRepository) -> None:
        candles = market()
        store.upsert(candles)
        days = days_of(candles)
        first_day = Request.of("SIM", "5m", SPECS, end=int(days[0].microseconds[-1]) + MINUTE)
        second_day = Request.of("SIM", "5m", SPECS, start=int(days[1].microseconds[0]), end="2024-01-04")
        with self.service(store) as service:
            before = [service.candles(request) for request in (first_day, second_day)]
            store.upsert(corrected(days[1], 30))
            after = [service.candles(request) for request in (first_day, second_day)]
            assert same(after[0], before[0])
            assert after[0].fingerprint == before[0].fingerprint
            assert after[1].fingerprint != before[1].fingerprint
            assert after[1].revision > before[1].revision
            assert not same(after[1], before[1])
            with self.service(store) as fresh:
                assert same(after[1], fresh.candles(second_day))
            store.delete("SIM", "1m", int(days[0].microseconds[0]), int(days[0].microseconds[40]))
            deleted = service.candles(second_day)
            assert deleted.fingerprint not in (before[1].fingerprint, after[1].fingerprint)
            with self.service(store) as fresh:
                assert same(deleted, fresh.candles(second_day))

    def test_other_questions_have_other_names(self, engine: AnalyticsService) -> None:
        asked: list[dict[str, Any]] = [
            {},
            {"indicators": "sma(9)"},
            {"indicators": "sma(10)"},
            {"indicators": "sma(9),ema(9)"},
            {"indicators": "ema(9),sma(9)"},
            {"start": "2024-01-03"},
            {"end": "2024-01-05"},
            {"zero_volume": "drop"},
            {"final_only": True},
            {"complete_until": 0},
        ]
        names = [engine.candles(Request.of("SIM", "5m", **one)).fingerprint for one in asked]
        names.append(engine.candles(Request.of("SIM", "15m")).fingerprint)
        assert len(set(names)) == len(names)
        assert names == [
            *[engine.candles(Request.of("SIM", "5m", **one)).fingerprint for one in asked],
            engine.candles(Request.of("SIM", "15m")).fingerprint,
        ]

    @pytest.mark.parametrize("seed", range(2))
    def test_equal_fingerprints_are_equal_columns(self, store: CandleRepository, seed: int) -> None:
        """Whatever is appended, corrected and deleted between: a name never stands for two answers."""
        random = np.random.default_rng(seed)
        days = days_of(market())
        known = days[0].rows(0, 200)
        store.upsert(known)
        opens = [int(day.microseconds[0]) for day in days]
        requests = [
            Request.of("SIM", "5m", "ema(9),vwap"),
            Request.of("SIM", "5m", "ema(9),vwap", end=opens[1]),
            Request.of("SIM", "1h", "rsi(14)", start=opens[1], end=opens[2] + 47 * MINUTE),
            Request.of("SIM", "1d", "sma(2)", start=opens[1]),
        ]
        seen: dict[str, Answer] = {}
        every = [row for day in days for row in [day.rows(k, k + 25) for k in range(0, len(day), 25)]]
        with self.service(store) as service:
            for part in every[8:24]:
                store.upsert(part)
                if random.random() < 0.3:
                    back = store.read("SIM", "1m")
                    row = int(random.integers(0, len(back)))
                    if random.random() < 0.5:
                        store.upsert(corrected(back, row, 0.5))
                    else:
                        store.delete("SIM", "1m", int(back.microseconds[row]), int(back.microseconds[row]) + MINUTE)
                for request in requests:
                    answer = service.candles(request)
                    assert same(answer, seen.setdefault(answer.fingerprint, answer))
        assert len(seen) > 20
