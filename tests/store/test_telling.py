"""Telling: a store behind another one that says what was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.candles import Candles
from candlewick.errors import UnknownSeriesError
from candlewick.store import newest
from candlewick.store import telling as telling_module
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository
from candlewick.store.telling import TellingRepository
from candlewick.testing.failing_repository import FailingRepository
from candlewick.testing.repository_contract import RepositoryContract
from candlewick.timeframe import Timeframe

START = 1_704_205_800_000_000


def one(symbol: str, close: float = 1.0, minute: int = 0) -> Candles:
    """A single candle."""
    at = np.array([f"2024-01-02T14:{30 + minute}"], dtype="datetime64[us]")
    prices: dict[str, Any] = {name: [close] for name in ("open", "high", "low", "close")}
    return Candles(symbol=symbol, timeframe="1m", calendar="24/7", time=at, **prices, volume=[1.0])


class TestTellingRepository(RepositoryContract):
    """It answers as the store behind it does."""

    @pytest.fixture
    def store(self) -> Iterator[CandleRepository]:
        with TellingRepository(MemoryStore()) as store:
            yield store


def test_symbols_that_changed_are_told_after_the_commit(caplog):
    store = MemoryStore()
    told: list[tuple[list[str], int]] = []
    telling = TellingRepository(store)
    telling.listen(lambda _: 1 / 0)
    stop = telling.listen(lambda symbols: told.append((list(symbols), store.find("A", "1m").revision)))
    telling.upsert_many([one("B"), one("A")])
    telling.upsert_many([one("A"), one("B", 2.0)])
    telling.upsert(one("A"))
    telling.delete("A", start=np.datetime64("2025-01-01", "us"))
    assert told == [(["B", "A"], 1), (["B"], 1)]
    telling.upsert(one("A", minute=1))
    telling.delete("B")
    assert [symbols for symbols, _ in told] == [["B", "A"], ["B"], ["A"], ["B"]]
    stop()
    telling.delete("A")
    assert len(told) == 4
    assert "a listener failed after a write to B, A" in caplog.text


def test_a_write_that_failed_is_not_told():
    told: list[Any] = []
    telling = TellingRepository(FailingRepository(MemoryStore(), method="upsert_many", error=OSError("full")))
    telling.listen(told.append)
    with pytest.raises(OSError):
        telling.upsert(one("A"))
    assert not told


WRITES = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 7)),
        st.tuples(st.just("write"), st.lists(st.integers(0, 40), min_size=1, max_size=5, unique=True)),
        st.tuples(st.just("delete"), st.integers(0, 40)),
        st.tuples(st.just("delete all"), st.just(0)),
        st.tuples(st.just("by another"), st.integers(0, 40)),
        st.tuples(st.just("nothing"), st.just(0)),
    ),
    max_size=15,
)


@given(WRITES, st.integers(0, 40), st.integers(0, 45) | st.none())
def test_what_is_at_hand_is_what_is_stored(writes, start, end):
    store = MemoryStore()
    telling = TellingRepository(store)
    newest_before, newest.KEPT = newest.KEPT, 3
    last = -1
    try:
        for place, (kind, about) in enumerate(writes):
            price = 1.0 + place
            if kind == "append":
                last += about
                telling.upsert(some(range(last - about + 1, last + 1), price))
            elif kind == "write":
                telling.upsert(some(sorted(about), price))
            elif kind == "by another":
                store.upsert(some([about], price))
            elif kind == "nothing":
                telling.upsert(some([], price))
            elif store.series_of("A"):
                telling.delete("A", "1m", *(() if kind == "delete all" else (minute(about), minute(about + 5))))
            last = max([last, *((held.last - START) // 60_000_000 for held in store.series_of("A"))])
            if store.series_of("A"):
                low, high = minute(start), None if end is None else minute(max(start, end))
                assert telling.snapshot("A", "1m", low, high) == store.snapshot("A", "1m", low, high)
            else:
                with pytest.raises(UnknownSeriesError):
                    telling.snapshot("A", "1m", minute(start))
    finally:
        newest.KEPT = newest_before


def test_what_was_just_written_is_not_read(monkeypatch):
    store = FailingRepository(MemoryStore(), method="snapshot", error=OSError("read"), at=1)
    telling = TellingRepository(store)
    telling.upsert(some(range(5), 1.0))
    telling.upsert(some([5], 1.0))
    telling.upsert(some([4, 5, 6], 2.0))
    found = telling.snapshot("A", "1m", minute(3)).candles
    assert found.close.tolist() == [1.0, 2.0, 2.0, 2.0]
    with pytest.raises(OSError):
        telling.snapshot("A", "1m")
    monkeypatch.setattr(telling_module, "MOST", 1)
    telling.upsert(one("B"))
    assert list(telling._newest) == [("B", Timeframe.parse("1m"))]


def minute(number: int) -> int:
    return START + number * 60_000_000


def some(minutes: Iterable[int], price: float) -> Candles:
    """Candles of A at minutes."""
    at = np.array([minute(number) for number in minutes], dtype=np.int64)
    columns: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close"), np.full(len(at), price))
    return Candles(symbol="A", timeframe="1m", calendar="24/7", time=at, **columns, volume=np.ones(len(at)))
