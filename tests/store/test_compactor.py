from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from candlewick.errors import StoreError
from candlewick.store import compactor as module
from candlewick.store.compactor import LATE, Compactor, closed_day, worth_it
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.memory import MemoryStore
from candlewick.store.stats import Stats
from candlewick.testing.failing_repository import FailingRepository
from candlewick.testing.repository_contract import some


class SetClock:
    def __init__(self, text: str) -> None:
        self.set(text)

    def set(self, text: str) -> None:
        self.now = int(np.datetime64(text, "us").astype(np.int64)) + LATE

    def wall(self) -> int:
        return self.now

    def monotonic(self) -> float:
        return 0.0


@pytest.mark.parametrize(
    ("calendars", "now", "day"),
    [
        (["XNYS"], "2024-01-03T20:59", "2024-01-02"),
        (["XNYS"], "2024-01-03T21:00", "2024-01-03"),
        (["XNYS"], "2024-01-07T12:00", "2024-01-05"),
        (["XNYS", "XTKS"], "2024-01-05T06:30", "2024-01-04"),  # Tokyo's day is over, New York's is still to come
        (["XNYS", "XTKS"], "2024-01-05T21:00", "2024-01-05"),
        (["XNYS", "XTKS"], "2024-01-09T06:30", "2024-01-08"),  # a holiday in Tokyo waits for nobody
        (["XNYS", "24/7"], "2024-01-04T23:59", "2024-01-03"),
        (["24/7"], "2024-01-05T00:00", "2024-01-04"),
        ([], "2024-01-05T00:00", None),
    ],
)
def test_a_day_is_over_when_every_calendar_has_closed(calendars: list[str], now: str, day: str | None) -> None:
    expected = None if day is None else int(np.datetime64(day).astype(np.int64))
    assert closed_day(calendars, SetClock(now).wall()) == expected


@pytest.mark.parametrize(("rows", "worth"), [(None, False), (0, False), (9_999, False), (10_000, True)])
def test_it_is_worth_it_from_so_many_on(rows: int | None, worth: bool) -> None:
    assert worth_it(Stats("x", 1, 20_000, out_of_order=rows)) is worth


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DuckDBStore]:
    """A store with candles that came minute by minute."""
    monkeypatch.setattr(module, "ENOUGH", 3)
    with DuckDBStore(tmp_path / "a.duckdb") as store:
        disorder(store, 0)
        yield store


def disorder(store: DuckDBStore, first: int) -> None:
    for minute in range(first, first + 4):
        store.upsert_many([some(name, [minute]) for name in ("A", "B")])


def test_it_compacts_once_a_day_and_not_where_it_begins(store: DuckDBStore) -> None:
    clock = SetClock("2024-01-03T18:00")
    compactor = Compactor(store, clock=clock)
    looked = []
    for text in ("2024-01-03T18:00", "2024-01-03T20:59", "2024-01-03T21:00", "2024-01-03T21:01"):
        clock.set(text)
        looked.append(compactor.look())
    assert looked == [False, False, True, False]
    assert store.stats().out_of_order == 0
    clock.set("2024-01-04T21:00")
    assert not compactor.look(), "nothing is out of order"
    disorder(store, 10)
    assert not compactor.look(), "the day was looked at"
    clock.set("2024-01-05T21:00")
    assert compactor.look()


def test_a_store_that_is_empty_at_first_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENOUGH", 3)
    clock = SetClock("2024-01-03T18:00")
    with DuckDBStore(tmp_path / "a.duckdb") as store:
        compactor = Compactor(store, clock=clock)
        assert not compactor.look()
        disorder(store, 0)
        clock.set("2024-01-03T21:00")
        assert compactor.look()
    with MemoryStore() as memory:
        memory.upsert(some())
        assert not Compactor(memory, clock=clock).look()


def test_the_thread_tells_what_failed_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.001)
    seen: list[str] = []
    twice = threading.Event()

    class Seen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    class Counting(FailingRepository):
        def series(self, **named: object) -> list[object]:  # type: ignore[override]
            if self.calls["series"]:
                twice.set()
            return super().series()  # type: ignore[return-value]

    handler = Seen()
    module.log.addHandler(handler)
    try:
        compactor = Compactor(Counting(MemoryStore(), method="series", error=StoreError("store: gone")))
        compactor.start()
        assert twice.wait(30)
        compactor.close()
        compactor._thread.join(30)
        assert not compactor._thread.is_alive()
    finally:
        module.log.removeHandler(handler)
    assert seen == ["not compacted after the close: store: gone"]
