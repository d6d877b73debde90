from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from tests.postgres_server import postgres_server

from candlewick.errors import FileFormatError, StoreVersionError
from candlewick.store.migrate import migrate
from candlewick.store.open import open_store
from candlewick.store.postgres_schema import SCHEMA
from candlewick.store.schema import SCHEMA as DUCKDB_SCHEMA
from candlewick.testing.repository_contract import some


def test_a_store_in_memory_has_nothing_to_do() -> None:
    assert migrate("memory:").done == "nothing"


def test_a_file_is_made_once(tmp_path: Path) -> None:
    for url in (str(tmp_path / "a.duckdb"), f"duckdb://{tmp_path / 'b.duckdb'}"):
        first, second = migrate(url), migrate(url)
        assert (first.done, first.before, first.after) == ("created", 0, DUCKDB_SCHEMA)
        assert (second.done, second.before) == ("nothing", DUCKDB_SCHEMA)
        assert second.as_dict()["done"] == "nothing"


def test_an_older_file_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            CREATE TABLE candles (series INTEGER, time BIGINT, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE,
                volume DOUBLE);
            CREATE TABLE series (id INTEGER, symbol VARCHAR, timeframe VARCHAR, calendar VARCHAR, rows BIGINT,
                first BIGINT, last BIGINT, revision BIGINT, generation BIGINT);
            CREATE TABLE quarantine (content VARCHAR, line BIGINT, file VARCHAR, symbol VARCHAR, reason VARCHAR,
                row VARCHAR, refused_at BIGINT);
            CREATE TABLE candlewick (schema INTEGER);
            INSERT INTO candlewick VALUES (1);
            """
        )
    assert (migrate(path).done, migrate(path).done) == ("upgraded", "nothing")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "else.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE other (a INTEGER)")
    with pytest.raises(FileFormatError, match="something else"):
        migrate(path)


def test_a_database_is_made_once_and_what_is_in_it_stays() -> None:
    url = postgres_server().url()
    assert (migrate(url).done, migrate(url).done) == ("created", "nothing")
    with open_store(url) as store:
        store.upsert(some())
    assert migrate(url).before == SCHEMA
    with open_store(url) as store:
        assert store.read("SPY", "1m") == some()


def test_a_newer_database_is_refused() -> None:
    server = postgres_server()
    url = server.url("newer")
    migrate(url)
    server.execute(f"UPDATE newer.candlewick SET schema = {SCHEMA + 1}")
    for call in (migrate, open_store):
        with pytest.raises(StoreVersionError, match=f"has schema {SCHEMA + 1}, this candlewick knows {SCHEMA}"):
            call(url)


def test_an_older_database_waits_for_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from candlewick.store import postgres_schema

    url = postgres_server().url()
    migrate(url)
    with open_store(url) as store:
        store.upsert(some())
        monkeypatch.setattr(postgres_schema, "MIGRATIONS", (*postgres_schema.MIGRATIONS, "CREATE TABLE more (a int)"))
        monkeypatch.setattr(postgres_schema, "SCHEMA", SCHEMA + 1)
        with pytest.raises(StoreVersionError, match="candlewick store migrate"):
            open_store(url)
        done = migrate(url)
        assert (done.done, done.before, done.after) == ("upgraded", SCHEMA, SCHEMA + 1)
        assert store.read("SPY", "1m") == some(), "an older process may read"
        with pytest.raises(StoreVersionError, match="newer"):
            store.upsert(some("other"))
        assert store.symbols() == ["SPY"]


def test_a_migration_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from candlewick.errors import StoreError
    from candlewick.store import postgres_schema

    url = postgres_server().url()
    monkeypatch.setattr(postgres_schema, "MIGRATIONS", (*postgres_schema.MIGRATIONS, "CREATE TABLE series (a int)"))
    with pytest.raises(StoreError, match="series"):
        migrate(url)
    monkeypatch.undo()
    assert migrate(url).done == "created"


def test_a_schema_with_tables_of_something_else_is_refused() -> None:
    server = postgres_server()
    server.execute("CREATE SCHEMA foreign_one")
    server.execute("CREATE TABLE foreign_one.candles (a int)")
    with pytest.raises(FileFormatError, match="holds tables of something else"):
        migrate(server.url("foreign_one"))
