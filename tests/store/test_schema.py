from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from candlewick.errors import FileFormatError
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
