"""Several stores on one database, as several processes have them, and a database that goes away."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.postgres_server import PostgresServer, frail_server, postgres_server

from candlewick.app import build
from candlewick.errors import InputError, StoreError, StoreUnavailableError
from candlewick.store.postgres import PostgresStore
from candlewick.store.postgres_watch import PostgresWatch
from candlewick.testing.repository_contract import START, some
from candlewick.timeframe import MINUTE


@pytest.fixture
def url() -> str:
    return postgres_server().url()


@pytest.fixture
def pair(url: str) -> Iterator[tuple[PostgresStore, PostgresStore]]:
    with PostgresStore(url) as one, PostgresStore(url) as other:
        yield one, other


def soon(true: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something holds; a machine that is busy may take long."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.005)


def test_what_one_writes_the_other_sees(pair: tuple[PostgresStore, PostgresStore]) -> None:
    one, other = pair
    told: list[list[str]] = []
    other.hear_others(lambda symbols: told.append(list(symbols)))
    one.upsert_many([some("A"), some("B")])
    soon(lambda: other.symbols() == ["A", "B"])
    soon(lambda: told == [["A", "B"]])
    one.upsert(some("A", [9]))
    soon(lambda: other.find("A", "1m").revision == 2)
    assert other.read("A", "1m") == one.read("A", "1m")
    assert other.series() == one.series()
    one.delete("B")
    soon(lambda: other.symbols() == ["A"])
    other.hear_others(None)
    other.upsert(some("A", price=50))
    soon(lambda: one.series() == other.series())
    assert one.writes("A", "1m") == other.writes("A", "1m")
    at = one.writes("A", "1m")[1].written_at
    assert one.snapshot("A", "1m", as_of=at) == other.snapshot("A", "1m", as_of=at)
    assert one.purge(at) == 0
    assert one.purge(one.writes("A", "1m")[-1].written_at, "A") == 5
    for store in pair:
        soon(lambda store=store: len(store.writes("A", "1m")) == 1)  # type: ignore[misc]


def test_a_snapshot_is_never_older_than_what_is_known_after_it(pair: tuple[PostgresStore, PostgresStore]) -> None:
    one, other = pair
    one.upsert(some())
    soon(lambda: other.symbols() == ["SPY"])
    for k in range(20):
        one.upsert(some(minutes=[10 + k]))
        taken = other.snapshot("SPY", "1m")
        assert taken.series.revision == k + 2, "a snapshot is of now"
        assert other.find("SPY", "1m").revision >= taken.series.revision
        assert other.revision_before("SPY", "1m") >= taken.series.revision


def test_polling_finds_what_no_notification_tells(url: str, tmp_path: Path) -> None:
    with PostgresStore(url) as one, PostgresStore(url) as deaf:
        deaf._watch._connection.execute("UNLISTEN *")
        assert deaf.degraded is None
        for k in range(6):
            one.upsert(some(minutes=[k]))
            soon(lambda k=k: len(deaf.series()) == 1 and deaf.find("SPY", "1m").revision == k + 1)  # type: ignore[misc]
        soon(lambda: deaf.degraded is not None)
        assert "polling" in (deaf.degraded or "")
        assert one.degraded is None
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CANDLEWICK_CONTROL", str(tmp_path / "control.sqlite"))
            with build(deaf) as application:
                checks = {check.name: check for check in application.health().checks}
        assert checks["store"].well
        assert checks["notifications"].bearable


def test_who_asks_looks_when_the_watch_does_not(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with PostgresStore(url) as one:
        monkeypatch.setattr(PostgresWatch, "_once", lambda self: time.sleep(0.01))
        with PostgresStore(url) as other:
            one.upsert(some())
            soon(lambda: other.symbols() == ["SPY"])


def test_writers_of_one_series_follow_each_other(url: str) -> None:
    """Each write of every store gets a revision and a moment of its own, and what was read as of it stays."""
    stores = [PostgresStore(url) for _ in range(3)]
    try:
        symbols = ["A", "B", "C", "D"]

        def work(k: int) -> None:
            mine = symbols[k % 4 :] + symbols[: k % 4]  # in another order each: nobody may wait in a circle
            stores[k % 3].upsert_many([some(symbol, [k, k + 1], price=k) for symbol in mine])

        with ThreadPoolExecutor(12) as pool:
            list(pool.map(work, range(48)))
        for store in stores:
            soon(lambda store=store: [one.revision for one in store.series()] == [48] * 4)  # type: ignore[misc]
            assert store.series() == stores[0].series()
        for symbol in symbols:
            writes = stores[0].writes(symbol, "1m")
            assert [one.revision for one in writes] == list(range(1, 49))
            moments = [one.written_at for one in writes]
            assert moments == sorted(set(moments))
            assert sum(one.inserted for one in writes) == stores[1].find(symbol, "1m").rows == 49
            for one in writes[::12]:
                assert stores[2].revision_at(symbol, "1m", one.written_at) == one.revision
    finally:
        for store in stores:
            store.close()


def test_a_moment_that_is_over_means_the_same_whoever_writes_just_now(url: str) -> None:
    with PostgresStore(url) as one, PostgresStore(url) as other:
        one.upsert(some())
        soon(lambda: other.symbols() == ["SPY"])
        seen = []
        ended = threading.Event()

        def write() -> None:
            for k in range(60):
                one.upsert(some(minutes=[5 + k]))
            ended.set()

        thread = threading.Thread(target=write)
        thread.start()
        while not ended.is_set():
            at = other._link.address.connect()
            with at:
                now = at.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").fetchall()[0][0]
            seen.append((now, other.snapshot("SPY", "1m", as_of=now)))
        thread.join()
        for now, taken in seen:
            assert other.snapshot("SPY", "1m", as_of=now) == taken


def test_a_calendar_that_another_process_fixed(pair: tuple[PostgresStore, PostgresStore]) -> None:
    one, other = pair
    one.upsert(some())
    with pytest.raises(InputError, match="XNYS"):
        other.upsert(some(minutes=[9], calendar="24/7"))
    assert one.count("SPY", "1m") == 5


KILLED = """
import sys
from candlewick.store.postgres import PostgresStore
from candlewick.testing.repository_contract import some
store = PostgresStore(sys.argv[1])
for k in range(10**6):
    store.upsert_many([some("A", [k]), some("B", [k])])
    print(k, flush=True)
"""


def test_an_acknowledged_write_survives_its_process(url: str) -> None:
    with PostgresStore(url) as store:
        process = subprocess.Popen([sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(10):
            last = int(process.stdout.readline())
        process.kill()
        rest = process.stdout.read().split()
        process.wait()
        process.stdout.close()
        last = int(rest[-1]) if rest else last
        soon(lambda: len(store.series()) == 2 and store.find("A", "1m").rows > last)
        soon(lambda: store.upsert(some("A", [0])).unchanged == 1)
        assert store.read("A", "1m").microseconds.tolist() == store.read("B", "1m").microseconds.tolist()
        rows = store.find("A", "1m").rows
        assert store.read("A", "1m").microseconds.tolist() == [START + k * MINUTE for k in range(rows)]


def test_a_connection_that_breaks_heals(url: str) -> None:
    with PostgresStore(url) as store:
        store.upsert(some())
        postgres_server().execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'candlewick' "
            "AND query NOT LIKE 'LISTEN%'"
        )
        soon(lambda: _read(store) == 5)


def _read(store: PostgresStore) -> int:
    try:
        return len(store.read("SPY", "1m"))
    except StoreUnavailableError:
        return -1


@pytest.fixture
def own() -> PostgresServer:
    """A server that may be stopped."""
    return frail_server()


def test_a_database_that_goes_away_and_comes_back(own: PostgresServer) -> None:
    with PostgresStore(own.url()) as store:
        store.upsert(some())
        own.stop()
        soon(lambda: store.problem is not None)
        calls: list[Callable[[], object]] = [
            store.series,
            lambda: store.find("SPY", "1m"),
            lambda: store.series_of("SPY"),
            lambda: store.revision_before("SPY", "1m"),
            lambda: store.read("SPY", "1m"),
            lambda: store.snapshot("SPY", "1m"),
            lambda: store.upsert(some(minutes=[9])),
            lambda: store.quarantine([]),
            store.quarantined,
            store.compact,
        ]
        for call in calls:
            with pytest.raises(StoreUnavailableError, match="does not answer now") as caught:
                call()
            assert caught.value.retry_after > 0
        soon(lambda: "running" in (store.problem or ""))  # that it still is not there, when it tried again
        own.start()
        soon(lambda: store.problem is None)
        assert store.read("SPY", "1m") == some()
        assert store.upsert(some(minutes=[9])).inserted == 1
        assert store.find("SPY", "1m").revision == 2


def test_candles_are_refused_unread_while_the_database_is_away(
    own: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANDLEWICK_CONTROL", str(tmp_path / "control.sqlite"))
    with PostgresStore(own.url()) as store, build(store) as application:
        own.stop()
        try:
            soon(lambda: store.problem is not None)
            with pytest.raises(StoreUnavailableError):
                application.ingest(tmp_path / "not there.csv", calendar="24/7", timeframe="1m")
        finally:
            own.start()
        soon(lambda: store.problem is None)


def test_a_database_that_hangs_is_told_from_one_that_is_slow(own: PostgresServer) -> None:
    """No connection ends: the first who ask find out, those under way are let go, and all recovers by itself."""
    with PostgresStore(own.url()) as store, ThreadPoolExecutor(12) as pool:
        store.upsert(some())
        own.hang()
        try:
            under_way = [pool.submit(store.snapshot, "SPY", "1m") for _ in range(8)]
            under_way += [pool.submit(store.upsert, some(minutes=[9])) for _ in range(4)]
            soon(lambda: _read(store) < 0 and store.problem is not None)
            assert store.problem == "it has not said anything for 1 s"
            for one in under_way:
                assert isinstance(one.exception(20), StoreUnavailableError)
            for _ in range(100):
                with pytest.raises(StoreUnavailableError, match="not said anything"):
                    store.find("SPY", "1m")
        finally:
            own.go_on()
        soon(lambda: store.problem is None)
        assert store.upsert(some(minutes=[10])).inserted == 1
        assert store.find("SPY", "1m").rows == len(store.read("SPY", "1m"))


def test_nothing_that_is_acknowledged_is_lost_while_the_database_restarts(own: PostgresServer) -> None:
    with PostgresStore(own.url()) as store:
        ended = threading.Event()
        acknowledged: list[int] = []
        errors: list[BaseException] = []

        def write(first: int) -> None:
            k = first
            while not ended.is_set():
                try:
                    store.upsert(some("A", [k]))
                except StoreUnavailableError:
                    time.sleep(0.01)
                    continue
                except BaseException as error:
                    errors.append(error)
                    raise
                acknowledged.append(k)
                k += 4

        threads = [threading.Thread(target=write, args=[k]) for k in range(4)]
        for thread in threads:
            thread.start()
        soon(lambda: len(acknowledged) > 20)
        own.stop()
        soon(lambda: store.problem is not None)
        own.start()
        count = len(acknowledged)
        soon(lambda: len(acknowledged) > count + 20)
        ended.set()
        for thread in threads:
            thread.join()
        assert errors == []
        stored = {(at - START) // MINUTE for at in store.read("A", "1m").microseconds.tolist()}
        assert set(acknowledged) <= stored


def test_a_database_that_was_put_back_to_an_earlier_state(url: str) -> None:
    with PostgresStore(url) as store:
        store.upsert_many([some("A"), some("B")])
        schema = url.rpartition("=")[2]
        server = postgres_server()
        for table in ("candles", "series", "history", "writes"):
            server.execute(f"DELETE FROM {schema}.{table}")
        server.execute(f"UPDATE {schema}.candlewick SET changes = 0")
        soon(lambda: store.symbols() == [])
        store.upsert(some("A"))
        assert [one.symbol for one in store.series()] == ["A"]


def test_tables_that_vanish_are_told_as_long_as_they_are_gone(url: str) -> None:
    with PostgresStore(url) as store:
        store.upsert(some())
        schema = url.rpartition("=")[2]
        postgres_server().execute(f"ALTER TABLE {schema}.candlewick RENAME TO moved")
        soon(lambda: store.problem is not None)
        with pytest.raises(StoreError, match="candlewick"):
            store.read("SPY", "1m")
        postgres_server().execute(f"ALTER TABLE {schema}.moved RENAME TO candlewick")
        soon(lambda: store.problem is None)
        assert store.read("SPY", "1m") == some()


def test_an_address_with_a_password_is_shown_without(url: str) -> None:
    with PostgresStore(url.replace("postgres:@", "postgres:geheim@")) as store:
        assert "geheim" not in store.url
        assert store.url.startswith("postgresql://postgres@/")
        store.close()
        with pytest.raises(StoreError, match="closed") as caught:
            store.symbols()
        assert "geheim" not in str(caught.value)


def test_refused_rows_may_hold_anything(url: str) -> None:
    from dataclasses import replace

    from candlewick.testing.repository_contract import refused

    odd = replace(refused(), symbol="a\x00b", row="\x00\ud800")
    with PostgresStore(url) as store:
        assert store.quarantine([odd]) == 1
        assert store.quarantined("a\x00b") == [odd]


def test_without_its_driver_it_says_how_to_get_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install candlewick\[postgres\]"):
        PostgresStore(url)


def test_importing_the_store_loads_no_driver() -> None:
    code = "import sys, candlewick.store.open, candlewick.store.postgres; sys.exit('psycopg' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path.cwd())
