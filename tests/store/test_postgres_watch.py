"""The verdict that a database is gone: only what the database does counts, not how slow this process is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from tests.postgres_server import frail_server, postgres_server

from candlewick.errors import StoreUnavailableError
from candlewick.store import postgres_series, postgres_watch
from candlewick.store.catalogue import Entry
from candlewick.store.postgres import PostgresStore
from candlewick.store.postgres_watch import PostgresWatch, at_once
from candlewick.testing.repository_contract import some

MANY = """
WITH counted AS (UPDATE {schema}.candlewick SET changes = changes + 1 RETURNING changes),
made AS (
    INSERT INTO {schema}.series (symbol, timeframe, calendar, rows, first, last, revision, written_at, changed)
    SELECT 'M' || k, '1m', 'XNYS', 1, 0, 0, 1, 1, changes FROM counted, generate_series(1, {count}) k
    RETURNING id, changed
)
INSERT INTO {schema}.history SELECT id, 0, 1, changed FROM made
"""


@pytest.fixture
def store() -> Iterator[PostgresStore]:
    with PostgresStore(postgres_server().url(), connections=2) as store:
        yield store


def write_many(store: PostgresStore, count: int) -> None:
    """As another process would, in one commit."""
    schema = store.url.rpartition("=")[2]
    postgres_server().execute(MANY.format(schema=schema, count=count))


def soon(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.005)


def read_while(store: PostgresStore, work: Callable[[], None], ended: Callable[[], bool]) -> None:
    """Ask again and again, as many at a time as a server does, from before ``work`` until ``ended``; every call must be
    answered."""
    begun = threading.Barrier(5)

    def ask() -> None:
        store.find("SPY", "1m")
        begun.wait(30)
        while not ended():
            store.find("SPY", "1m")
            time.sleep(0.001)

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        begun.wait(30)
        work()
        for one in asking:
            one.result()


def test_a_process_that_decodes_for_long_does_not_lose_its_database(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.upsert(some())
    decode = postgres_series._entry
    slow = threading.Event()

    def crawl(row: Any, known: Mapping[int, Entry[Any]]) -> Entry[Any]:
        slow.set()
        time.sleep(0.2)
        return decode(row, known)

    monkeypatch.setattr(postgres_series, "_entry", crawl)
    monkeypatch.setattr(postgres_watch, "PATIENCE", 0.3)
    read_while(store, lambda: write_many(store, 6), lambda: len(store.series()) == 7)
    assert slow.is_set()
    assert store.problem is None


@pytest.mark.parametrize("count", [3_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_many_series_of_another_process(count: int, store: PostgresStore) -> None:
    store.upsert(some())
    read_while(store, lambda: write_many(store, count), lambda: len(store.series()) == count + 1)
    assert store.problem is None
    last = f"M{count}"
    found = store.series_of(last)[0]
    assert (found.rows, found.revision, store.revision_before(last, "1m")) == (1, 1, 1)
    assert store.upsert(some(last)).changed


def test_pieces_are_of_one_state(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is committed between two pieces is seen whole by the next look, and no half of it by this one."""
    monkeypatch.setattr(postgres_series, "PIECE", 1)
    store.upsert_many([some("A"), some("B"), some("C")])
    with PostgresStore(store.url) as other, other._link.borrow() as cursor:
        decode = postgres_series._entry
        left = [some("A", [9]), some("C", [9])]

        def meddling(row: Any, known: Mapping[int, Entry[Any]]) -> Entry[Any]:
            if left:
                batch = [left.pop(), left.pop()]
                with monkeypatch.context() as patch:
                    patch.setattr(postgres_series, "_entry", decode)
                    store.upsert_many(batch)
            return decode(row, known)

        monkeypatch.setattr(postgres_series, "_entry", meddling)
        found = postgres_series.changed_since(cursor, 0, {})
        assert sorted((one.series.symbol, one.series.revision) for one in found) == [("A", 1), ("B", 1), ("C", 1)]
        monkeypatch.setattr(postgres_series, "_entry", decode)
        soon(lambda: other.find("C", "1m").revision == 2)


def test_connections_that_are_all_in_use_are_not_a_database_that_is_gone(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.upsert(some())
    monkeypatch.setattr(postgres_watch, "PATIENCE", 0.3)
    with ExitStack() as lent:
        for _ in range(2):
            lent.enter_context(store._link.borrow())
        end = time.monotonic() + 0.8
        with store._watch._looking:  # so that what is known gets old
            soon(lambda: time.monotonic() > end)
        assert store.find("SPY", "1m").rows == 5
        assert store._watch._look_too() is False
    assert store.problem is None


def test_who_looks_in_the_place_of_the_watch_finds_a_database_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    server = frail_server()
    with PostgresStore(server.url()) as store:
        store.upsert(some())
        with monkeypatch.context() as patch:
            patch.setattr(postgres_watch, "PATIENCE", 0.2)
            patch.setattr(PostgresWatch, "_once", lambda self: time.sleep(0.01))
            soon(lambda: time.monotonic() - store._watch._looked > 2 * postgres_watch.BOUND)
            server.hang()
            try:
                with pytest.raises(StoreUnavailableError, match="not said anything"):
                    store.find("SPY", "1m")
                assert store.problem == "it has not said anything for 0.2 s"
            finally:
                server.go_on()
        soon(lambda: store.problem is None)
        assert store.read("SPY", "1m") == some()


def test_an_event_loop_never_waits(store: PostgresStore) -> None:
    store.upsert(some())
    soon(lambda: len(store.series()) == 1)
    with store._watch._looking:
        soon(lambda: time.monotonic() - store._watch._looked > postgres_watch.BOUND)
        with at_once(), pytest.raises(StoreUnavailableError, match="looked up"):
            store.find("SPY", "1m")
        with at_once(), at_once(), pytest.raises(StoreUnavailableError):
            store.find("SPY", "1m")
    assert store.find("SPY", "1m").rows == 5
    assert store.problem is None
