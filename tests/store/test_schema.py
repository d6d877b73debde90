from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from candlewick.errors import FileFormatError, HistoryError, UnknownSeriesError
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.history import DAY
from candlewick.store.schema import SCHEMA
from candlewick.testing.repository_contract import FIRST_DAY, START, some

SCHEMA_1 = """
CREATE TABLE candles (series INTEGER, time BIGINT, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE);
CREATE TABLE series (id INTEGER, symbol VARCHAR, timeframe VARCHAR, calendar VARCHAR, rows BIGINT, first BIGINT,
    last BIGINT, revision BIGINT, generation BIGINT);
CREATE TABLE quarantine (content VARCHAR, line BIGINT, file VARCHAR, symbol VARCHAR, reason VARCHAR, row VARCHAR,
    refused_at BIGINT);
CREATE TABLE candlewick (schema INTEGER);
INSERT INTO candlewick VALUES (1);
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "store.duckdb"


def of_schema_1(path: Path, records: list[tuple[Any, ...]]) -> None:
    """A file as an older candlewick left it: each record with the candle of its first time, were there any."""
    path.parent.mkdir(parents=True)
    with duckdb.connect(str(path)) as raw:
        raw.execute(SCHEMA_1)
        for record in records:
            raw.execute("INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", record)
            if record[4]:
                raw.execute("INSERT INTO candles VALUES (?, ?, 1, 1, 1, 1, 1)", [record[0], record[5]])


def test_an_older_store_is_upgraded(path: Path) -> None:
    of_schema_1(
        path,
        [
            (0, "A", "1m", "24/7", 1, START, START, 7, 2),
            (1, "old", "1m", "24/7", 1, -1, -1, 3, 0),
            (2, "gone", "1m", "24/7", 0, 0, 0, 2, 1),
        ],
    )
    for _ in range(2):
        with DuckDBStore(path) as store:
            assert store.find("A", "1m").revision == 7
            ends = [FIRST_DAY * DAY, FIRST_DAY * DAY + 1]
            assert [store.revision_before("A", "1m", end) for end in ends] == [0, 7]
            assert [store.first_changed("A", "1m", since) for since in (6, 7)] == [FIRST_DAY * DAY, None]
            assert [store.revision_before("old", "1m", end) for end in (-DAY, -DAY + 1, 0)] == [0, 3, 3]
            assert store.series_of("gone") == []
    with duckdb.connect(str(path)) as raw:
        assert raw.execute("SELECT schema FROM candlewick").fetchall() == [(SCHEMA,)]
        assert raw.execute("SELECT count(*) FROM history").fetchall() == [(3,)]
    with DuckDBStore(path) as store:
        store.upsert_many([some("gone"), some("A", [1440], calendar="24/7")])
        assert store.revision_before("gone", "1m") == 3
        assert [store.revision_before("A", "1m", FIRST_DAY * DAY + at) for at in (1, DAY + 1)] == [7, 8]


@pytest.mark.parametrize("schema", [1, 2])
def test_the_history_of_an_older_store_begins_with_its_upgrade(path: Path, schema: int) -> None:
    of_schema_1(path, [(0, "A", "1m", "24/7", 1, START, START, 7, 2), (1, "gone", "1m", "24/7", 0, 0, 0, 2, 1)])
    if schema == 2:
        with duckdb.connect(str(path)) as raw:
            raw.execute("CREATE TABLE history (series INTEGER, day BIGINT, revision BIGINT)")
            stairs = [(0, FIRST_DAY - 9, 5), (0, FIRST_DAY, 7), (1, FIRST_DAY, 2)]
            raw.executemany("INSERT INTO history VALUES (?, ?, ?)", stairs)
            raw.execute("UPDATE candlewick SET schema = 2")
    before = time.time_ns() // 1000
    with DuckDBStore(path) as store:
        held = store.snapshot("A", "1m")
        (write,) = store.writes("A", "1m")
        assert (write.revision, *write[2:]) == (7, "upgrade", 0, 0, 0)
        assert before <= write.written_at <= time.time_ns() // 1000
        assert store.snapshot("A", "1m", as_of=write.written_at) == held
        for call in (store.find, store.read, store.snapshot):
            with pytest.raises(HistoryError, match="what was stored of A 1m is known from"):
                call("A", "1m", as_of=write.written_at - 1)
        with pytest.raises(HistoryError):
            store.series(as_of=before - 1)
        with pytest.raises(UnknownSeriesError, match="had been deleted"):
            store.find("gone", "1m", as_of=write.written_at)
        ends = [FIRST_DAY * DAY - 8 * DAY, FIRST_DAY * DAY + 1]
        known = [store.revision_before("A", "1m", end) for end in ends]
        assert known == ([5, 7] if schema == 2 else [0, 7])
        store.upsert(some("A", [0, 1], price=50, calendar="24/7"))
        assert store.snapshot("A", "1m", as_of=write.written_at) == held, "a candle of before the upgrade is kept too"
        assert [store.revision_before("A", "1m", end, as_of=write.written_at) for end in ends] == known
        assert [one.kind for one in store.writes("A", "1m")] == ["upgrade", "change"]
        assert store.purge(write.written_at) == 0
    with DuckDBStore(path) as store:
        assert store.snapshot("A", "1m", as_of=write.written_at) == held


def test_an_upgrade_keeps_every_candle_and_their_order(path: Path) -> None:
    of_schema_1(path, [(k, f"S{k}", "1m", "24/7", 0, 0, 0, k + 1, 0) for k in range(20)])
    with duckdb.connect(str(path)) as raw:
        rows = "SELECT hash(k) % 20, k, k, k, k, k, k FROM range(300000) t(k)"
        raw.execute(f"INSERT INTO candles {rows}")
        kept = raw.execute("SELECT sum(hash(series, time, close)::HUGEINT) FROM candles").fetchall()
    DuckDBStore(path).close()
    with duckdb.connect(str(path)) as raw:
        assert raw.execute("SELECT sum(hash(series, time, close)::HUGEINT) FROM candles").fetchall() == kept
        assert raw.execute("SELECT count(*) FROM candles WHERE revision <> series + 1").fetchall() == [(0,)]
        times = raw.execute("SELECT time FROM candles").fetchnumpy()["time"]
        assert (times[1:] > times[:-1]).all(), "in which order they stand decides how fast they are read"


def test_an_empty_older_store_is_upgraded(path: Path) -> None:
    of_schema_1(path, [])
    with DuckDBStore(path) as store:
        assert store.series() == []
        store.upsert(some())
    with DuckDBStore(path) as store:
        assert store.first_changed("SPY", "1m", 0) == FIRST_DAY * DAY


def test_an_upgrade_that_fails_changes_nothing(path: Path) -> None:
    of_schema_1(path, [(0, "A", "1m", "24/7", 1, START, START, 7, 2)])
    with duckdb.connect(str(path)) as raw:
        raw.execute("ALTER TABLE series RENAME COLUMN first TO beginning")
    with pytest.raises(FileFormatError, match="cannot be upgraded"):
        DuckDBStore(path)
    with duckdb.connect(str(path)) as raw:
        assert raw.execute("SELECT schema FROM candlewick").fetchall() == [(1,)]
        assert raw.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'history'").fetchall() == [(0,)]
        raw.execute("ALTER TABLE series RENAME COLUMN beginning TO first")
    with DuckDBStore(path) as store:
        assert store.revision_before("A", "1m") == 7
