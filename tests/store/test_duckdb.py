from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from candlewick.errors import (
    FileFormatError,
    InputError,
    StoreBusyError,
    StoreError,
    StoreVersionError,
    UnknownSeriesError,
)
from candlewick.store import candle_table, series_table
from candlewick.store.database import Database
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.history import DAY
from candlewick.store.owner import Owner, beside
from candlewick.store.repository import Series
from candlewick.testing.repository_contract import FIRST_DAY, START, RepositoryContract, refused, some
from candlewick.timeframe import MINUTE

HOLD = """
import sys
from candlewick.store.duckdb import DuckDBStore
with DuckDBStore(sys.argv[1]) as store:
    print("open", flush=True)
    sys.stdin.readline()
"""


class TestDuckDBStore(RepositoryContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[DuckDBStore]:
        with DuckDBStore(tmp_path / "store.duckdb") as store:
            yield store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "store.duckdb"


def test_everything_is_there_after_opening_again(path: Path) -> None:
    with DuckDBStore(path) as store:
        store.upsert_many([some(), some("B/C", timeframe="1d", calendar="24/7")])
        store.upsert(some(minutes=[2], price=7))
        store.quarantine([refused()])
        before = store.series(), store.quarantined(), store.read("SPY", "1m")
    with DuckDBStore(path) as store:
        assert (store.series(), store.quarantined(), store.read("SPY", "1m")) == before
        assert store.find("SPY", "1m").generation == 1
        store.upsert(some("new"))
        assert store.read("new", "1m") == some("new")
        assert store.read("SPY", "1m") == before[2]


def touched(store: DuckDBStore) -> list[Any]:
    """What a store says of the touched days of every series, for each day and revision that may matter."""
    said: list[Any] = []
    for one in store.series():
        ends = range((FIRST_DAY - 3) * DAY + 1, (FIRST_DAY + 9) * DAY, DAY)
        said.append([store.revision_before(one.symbol, one.timeframe, end) for end in (*ends, None)])
        said.append([store.first_changed(one.symbol, one.timeframe, since) for since in range(one.revision + 1)])
    return said


def test_touched_days_are_there_after_opening_again(path: Path) -> None:
    with DuckDBStore(path) as store:
        store.upsert_many([some(minutes=[0, 1440]), some("gone"), some("B", [-4000, 4000])])
        store.upsert(some(minutes=[2880]))
        store.upsert_many([some(minutes=[2881]), some("B", [1440])])
        store.upsert_many([some(minutes=[k * 1440 for k in range(3, 8)]), some("gone", [9000])])
        store.delete("gone")
        store.delete("SPY", "1m", START + 5 * 1440 * MINUTE, START + 6 * 1440 * MINUTE)
        store.upsert(some(minutes=[8 * 1440]))
        before = touched(store)
        assert len({str(one) for one in before}) == 4
    with DuckDBStore(path) as store:
        assert touched(store) == before
        store.upsert(some("gone", [1440]))
        assert store.find("gone", "1m").revision == 4
        assert [store.first_changed("gone", "1m", since) for since in (0, 3)] == [
            FIRST_DAY * DAY,
            (FIRST_DAY + 1) * DAY,
        ]
        before = touched(store)
    with DuckDBStore(path) as store:
        assert touched(store) == before


def test_look_ups_touch_no_database(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with DuckDBStore(path) as store:
        store.upsert_many([some(), some(timeframe="1d")])
        with monkeypatch.context() as patch:
            patch.setattr(Database, "cursor", None)
            assert store.find("SPY", "1m") == store.series_of("SPY")[0] == store.series()[0]
            assert store.revision_before("SPY", "1m", START + 1) == 1
            assert store.first_changed("SPY", "1m", 0) == FIRST_DAY * DAY
            with pytest.raises(TypeError):
                store.read("SPY", "1m")


def test_a_snapshot_of_a_series_that_goes_meanwhile(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with DuckDBStore(path) as store:
        store.upsert_many([some(), some("B")])
        real = Database.reading

        @contextmanager
        def late(self: Database) -> Iterator[Any]:
            store.delete("SPY")
            with real(self) as cursor:
                yield cursor

        monkeypatch.setattr(Database, "reading", late)
        with pytest.raises(UnknownSeriesError, match="SPY"):
            store.snapshot("SPY", "1m")
        monkeypatch.undo()
        assert store.snapshot("B", "1m").candles == some("B")


def test_a_snapshot_is_of_one_moment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with DuckDBStore(path) as store:
        store.upsert(some())
        real = series_table.record

        def late(cursor: Any, number: int) -> Series:
            found = real(cursor, number)
            store.upsert(some(minutes=[2, 99], price=7))
            return found

        monkeypatch.setattr(series_table, "record", late)
        snapshot = store.snapshot("SPY", "1m")
        monkeypatch.undo()
        assert (snapshot.series.revision, snapshot.candles) == (1, some())
        assert store.snapshot("SPY", "1m").series.revision == 2


def test_compacting_while_somebody_reads(path: Path) -> None:
    with DuckDBStore(path) as store:
        for k in (3, 1, 2):
            store.upsert(some(minutes=[k]))
        with store._database.reading() as cursor:
            assert cursor.execute("SELECT count(*) FROM candles").fetchall() == [(3,)]
            store.compact()
            assert cursor.execute("SELECT list(time) FROM candles").fetchall()[0][0][0] == START + 3 * MINUTE
        assert store.read("SPY", "1m") == some(minutes=[1, 2, 3])
    with DuckDBStore(path) as store:
        assert store.read("SPY", "1m") == some(minutes=[1, 2, 3])


def test_numbers_of_a_deleted_series_survive(path: Path) -> None:
    with DuckDBStore(path) as store:
        store.upsert(some())
        store.delete("SPY")
    with DuckDBStore(path) as store:
        assert store.series() == []
        store.upsert(some())
        assert store.find("SPY", "1m").revision == 3


def test_candles_that_came_out_of_order_are_read_sorted(path: Path) -> None:
    with DuckDBStore(path) as store:
        for k in (8, 2, 5, 0):
            store.upsert(some(minutes=[k, k + 1]))
        read = store.read("SPY", "1m")
        assert (np.diff(read.microseconds) > 0).all()
        assert read == some(minutes=[0, 1, 2, 3, 5, 6, 8, 9])
        store.compact()
        assert store.read("SPY", "1m") == read


def test_compacting_orders_rows_by_series_and_time(path: Path) -> None:
    with DuckDBStore(path) as store:
        for k in (3, 1, 2):
            store.upsert_many([some("A", [k]), some("B", [k])])
        store.compact()
    with duckdb.connect(str(path)) as raw:
        rows = raw.execute("SELECT series, time FROM candles").fetchall()
        assert rows == sorted(rows)
        assert raw.execute("SELECT count(*) FROM duckdb_indexes()").fetchall() == [(0,)]


def test_compacting_that_would_lose_a_row_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with DuckDBStore(path) as store:
        store.upsert(some())
        real = candle_table._digest
        monkeypatch.setattr(candle_table, "_digest", lambda cursor, table: (real(cursor, table), table))
        with pytest.raises(StoreError, match="nothing was changed"):
            store.compact()
        assert store.read("SPY", "1m") == some()


def test_a_write_that_fails_midway_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: DuckDBStore, cursor: Any, records: Any) -> None:
        raise KeyboardInterrupt

    with DuckDBStore(path) as store:
        store.upsert(some())
        before = store.series()
        monkeypatch.setattr(DuckDBStore, "_record", broken)
        with pytest.raises(KeyboardInterrupt):
            store.upsert_many([some(minutes=[1, 9], price=5), some("B")])
        with pytest.raises(KeyboardInterrupt):
            store.delete("SPY")
        monkeypatch.undo()
        assert store.series() == before
        assert store.read("SPY", "1m") == some()
        store.upsert(some("B"))
        assert store.find("B", "1m").rows == 5


class FullDisk:
    """A cursor that cannot commit."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cursor, name)

    def commit(self) -> None:
        raise duckdb.IOException("no space left on device")


def test_a_commit_that_fails_is_not_in_the_catalogue(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Database.cursor

    @contextmanager
    def full(self: Database) -> Iterator[Any]:
        with real(self) as cursor:
            yield FullDisk(cursor)

    with DuckDBStore(path) as store:
        store.upsert(some())
        before = store.series(), touched(store)
        monkeypatch.setattr(Database, "cursor", full)
        for call in (lambda: store.upsert(some(minutes=[9])), lambda: store.delete("SPY")):
            with pytest.raises(StoreError, match="no space"):
                call()
        monkeypatch.undo()
        assert (store.series(), touched(store)) == before
        assert store.snapshot("SPY", "1m").candles == some()
        store.quarantine([refused()])
        assert (store.series(), touched(store)) == before, "nor at the next commit"
        store.upsert(some(minutes=[9]))
        assert store.find("SPY", "1m").revision == 2


def test_an_error_of_the_database_is_a_store_error(path: Path) -> None:
    with DuckDBStore(path) as store:
        store.upsert(some())
        with store._database.cursor() as cursor:
            cursor.execute("DROP TABLE quarantine")
        with pytest.raises(StoreError, match="quarantine"):
            store.quarantined()


def test_two_opens_in_one_process_share_the_store(path: Path) -> None:
    first = DuckDBStore(path)
    second = DuckDBStore(path.parent / "." / path.name)
    first.upsert(some())
    assert second.read("SPY", "1m") == some()
    first.close()
    second.upsert(some("B"))
    assert second.symbols() == ["B", "SPY"]
    assert beside(path).exists()
    second.close()
    assert sorted(child.name for child in path.parent.iterdir()) == [path.name]


def test_another_setting_in_the_same_process_is_refused(path: Path) -> None:
    with DuckDBStore(path), pytest.raises(InputError, match="memory_limit='512MB'"):
        DuckDBStore(path, memory_limit="1GB")
    with DuckDBStore(path, memory_limit="100MB", threads=1) as store, store._database.cursor() as cursor:
        assert cursor.execute("SELECT current_setting('threads')").fetchall() == [(1,)]
        assert "MiB" in cursor.execute("SELECT current_setting('memory_limit')").fetchall()[0][0]


def test_another_process_is_told_who_owns_the_store(path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(StoreBusyError) as caught:
            DuckDBStore(path)
        assert f"process {process.pid} on " in caught.value.owner
        assert "another --store" in str(caught.value)
        beside(path).unlink()
        with pytest.raises(StoreBusyError, match="another process"):
            DuckDBStore(path)
    finally:
        process.communicate("\n", timeout=30)
    with DuckDBStore(path) as store:
        assert store.series() == []


def test_the_note_of_a_killed_owner_does_not_matter(path: Path) -> None:
    with DuckDBStore(path) as store:
        store.upsert(some())
    gone = Owner(2**22 + 1, "elsewhere", "candlewick serve", "2024-01-02T00:00:00Z")
    gone.write(path)
    with DuckDBStore(path) as store:
        assert store.symbols() == ["SPY"]
        assert json.loads(beside(path).read_text())["pid"] != gone.pid


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"\x89PNG\r\n\x1a\n" * 900, "not a DuckDB file"), (b"", "empty file"), (b"time,open\n", "not a DuckDB file")],
)
def test_a_file_that_is_no_store(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "x.duckdb"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=problem):
        DuckDBStore(path)
    assert path.read_bytes() == content


def test_a_duckdb_file_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as raw:
        raw.execute("CREATE TABLE mine (a INTEGER)")
    for _ in range(2):
        with pytest.raises(FileFormatError, match="something else"):
            DuckDBStore(path)


def test_a_newer_store_is_refused(path: Path) -> None:
    DuckDBStore(path).close()
    with duckdb.connect(str(path)) as raw:
        raw.execute("UPDATE candlewick SET schema = 99")
    with pytest.raises(StoreVersionError, match="99"):
        DuckDBStore(path)


def test_a_damaged_store_is_told_as_such(path: Path) -> None:
    with DuckDBStore(path) as store:
        store.upsert(some(minutes=range(50_000)))
        store.compact()
    whole = path.read_bytes()
    for share in (0.02, 0.3, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(FileFormatError, match=r"cannot be opened|is damaged"):
            DuckDBStore(path)
    path.write_bytes(whole)
    with DuckDBStore(path) as store:
        assert store.count("SPY", "1m") == 50_000


def test_places_where_no_store_can_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder"):
        DuckDBStore(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be created"):
        DuckDBStore(tmp_path / "file" / "store.duckdb")
    with pytest.raises(InputError, match="cannot be created"):
        DuckDBStore(tmp_path / "y.duckdb", memory_limit="lots")
    assert not (tmp_path / "y.duckdb").exists()


def test_a_half_made_store_is_cleared_away(path: Path) -> None:
    path.parent.mkdir(parents=True)
    left = path.with_name(f"{path.name}.new-12345")
    left.write_bytes(b"half")
    with DuckDBStore(path) as store:
        assert store.series() == []
        assert not left.exists()


def test_a_store_that_somebody_else_made_meanwhile_stands(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with DuckDBStore(path) as store:
        store.upsert(some())
    real = Path.exists
    monkeypatch.setattr(Path, "exists", lambda self, **more: self != path and real(self, **more))
    with DuckDBStore(path) as store:
        assert store.symbols() == ["SPY"]


def test_without_hard_links(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: Any) -> None:
        raise OSError("no hard links here")

    monkeypatch.setattr("os.link", refuse)
    with DuckDBStore(path) as store:
        store.upsert(some())
    assert [child.name for child in path.parent.iterdir()] == [path.name]


def test_an_update_of_many_series_reads_them_at_once(path: Path) -> None:
    symbols = [f"S{k}" for k in range(30)]
    with DuckDBStore(path) as store:
        store.upsert_many([some(symbol, range(0, 20, 2)) for symbol in symbols])
        done = store.upsert_many([some(symbol, range(5, 15)) for symbol in symbols])
        assert {(one.inserted, one.updated, one.unchanged) for one in done} == {(5, 0, 5)}
        done = store.upsert_many([some(symbol, range(5, 15), price=1) for symbol in symbols])
        assert {(one.inserted, one.updated, one.unchanged) for one in done} == {(0, 10, 0)}
        assert store.read("S7", "1m", some().microseconds[4]).close[1:3].tolist() == [2.25, 2.5]
        assert {one.rows for one in store.series()} == {15}


def test_readers_do_not_wait_for_a_writer(path: Path) -> None:
    with DuckDBStore(path) as store:
        store.upsert(some())
        with store._database.transaction() as cursor, ThreadPoolExecutor(1) as pool:
            cursor.execute("DELETE FROM candles")
            assert pool.submit(store.read, "SPY", "1m").result(timeout=30) == some()
            assert pool.submit(store.series).result(timeout=30)[0].rows == 5
