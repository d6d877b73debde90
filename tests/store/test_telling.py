"""Telling: a store behind another one that says what was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from candlewick.candles import Candles
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository
from candlewick.store.telling import TellingRepository
from candlewick.testing.failing_repository import FailingRepository
from candlewick.testing.repository_contract import RepositoryContract


def one(symbol: str, close: float = 1.0, minute: int = 0) -> Candles:
    """A single candle."""
    at = np.array([f"2024-01-02T14:{30 + minute}"], dtype="datetime64[us]")
    prices: dict[str, Any] = {name: [close] for name in ("open", "high", "low", "close")}
    return Candles(symbol=symbol, timeframe="1m", calendar="24/7", time=at, **prices, volume=[1.0])


class TestTellingRepository(RepositoryContract):
    """It answers as the store behind it does."""

    @pytest.fixture
    def store(self) -> Iterator[CandleRepository]:
        with TellingRepository(MemoryStore(), lambda _: None) as store:
            yield store


def test_symbols_that_changed_are_told_after_the_commit():
    store = MemoryStore()
    told: list[tuple[list[str], int]] = []
    telling = TellingRepository(store, lambda symbols: told.append((list(symbols), store.find("A", "1m").revision)))
    telling.upsert_many([one("B"), one("A")])
    telling.upsert_many([one("A"), one("B", 2.0)])
    telling.upsert(one("A"))
    telling.delete("A", start=np.datetime64("2025-01-01", "us"))
    assert told == [(["B", "A"], 1), (["B"], 1)]
    telling.upsert(one("A", minute=1))
    telling.delete("B")
    assert [symbols for symbols, _ in told] == [["B", "A"], ["B"], ["A"], ["B"]]


def test_a_write_that_failed_is_not_told():
    told: list[Any] = []
    failing = FailingRepository(MemoryStore(), method="upsert_many", error=OSError("full"))
    telling = TellingRepository(failing, told.append)
    with pytest.raises(OSError):
        telling.upsert(one("A"))
    assert not told
