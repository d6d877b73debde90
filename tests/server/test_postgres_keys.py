"""Keys in a database: one set for all processes, and what happens when the database is away.

What they share with a file of keys is in test_key_file.py.
"""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
import pytest
from tests.postgres_server import PostgresServer, frail_server

from candlewick.delivery.open import open_journal
from candlewick.errors import StoreError, StoreUnavailableError
from candlewick.server import key_ring, postgres_keys
from candlewick.server.door import Door
from candlewick.server.key_file import KeyFile
from candlewick.server.key_ring import KeyRing
from candlewick.server.open_keys import open_keys
from candlewick.server.postgres_keys import PostgresKeys


@pytest.fixture
def server() -> PostgresServer:
    """A server that may be stopped."""
    return frail_server()


@pytest.fixture
def url(server: PostgresServer) -> str:
    return server.url()


def soon(true, seconds=20):  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.005)


def test_the_place_of_the_journal_says_where_keys_are(url: str, tmp_path: Path) -> None:
    with open_journal(url) as journal, open_keys(url, note=journal.note) as keys:
        assert isinstance(keys, PostgresKeys)
        made, _ = keys.create("desk", "viewer", who="me", why="charts")
        assert [(one.name, one.new) for one in journal.entries() if one.why == "charts"] == [(made.id, "desk (viewer)")]
    with open_keys(tmp_path / "a.control.sqlite", note=journal.note) as file:
        assert isinstance(file, KeyFile)
        assert file.path == tmp_path / "a.keys.sqlite"


def test_a_revocation_holds_in_every_process(url: str) -> None:
    with open_journal(url) as journal:
        rings = [KeyRing(PostgresKeys(url, note=journal.note)) for _ in range(3)]
        try:
            for ring in rings:
                ring.watch()
            key, whole = rings[0].create("desk", "viewer", who="me")
            assert rings[0].holds(key.id)
            for ring in rings:  # a key that came in is not equal: it was used
                soon(lambda ring=ring: getattr(ring.find(whole.encode()), "id", None) == key.id)
            rings[1].revoke(key.id, who="you")
            assert rings[1].find(whole.encode()) is None
            for ring in rings:
                soon(lambda ring=ring: ring.find(whole.encode()) is None and not ring.holds(key.id))
        finally:
            for ring in rings:
                ring.close()


def test_no_statement_changes_a_key(url: str, server: PostgresServer) -> None:
    schema = url.rpartition("=")[2]
    with open_journal(url) as journal, PostgresKeys(url, note=journal.note) as keys:
        key, whole = keys.create("desk", "viewer", who="me")
        keys.revoke(key.id, who="me")
        for statement in ("SET revoked = NULL", "SET role = 'admin'", "SET hash = ''", "SET revoked = 1"):
            with pytest.raises(psycopg.errors.RaiseException, match="never valid again"):
                server.execute(f"UPDATE {schema}.control_keys {statement}")
        for statement in ("DELETE FROM", "TRUNCATE"):
            with pytest.raises(psycopg.errors.RaiseException, match="never deleted"):
                server.execute(f"{statement} {schema}.control_keys")
        stored = server.execute(f"SELECT * FROM {schema}.control_keys")
        assert whole not in repr(stored)
        assert whole.rpartition("_")[2] not in repr(stored)


def test_a_key_whose_change_cannot_be_journalled_is_none(url: str) -> None:
    def failing(*_: object, **__: object) -> None:
        raise StoreError("control: disk full")

    open_journal(url).close()
    with PostgresKeys(url, note=failing) as keys:
        with pytest.raises(StoreError, match="disk full"):
            keys.create("desk", "viewer", who="me")
        assert keys.all() == []
        assert keys.version() == (None, 0)


def test_a_database_that_is_away_lets_nobody_in_and_says_when_to_come_again(
    url: str, server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_ring, "BLIND", 0.05)
    with open_journal(url) as journal:
        ring = KeyRing(PostgresKeys(url, note=journal.note))
        try:
            ring.watch()
            _, whole = ring.create("desk", "viewer", who="me")
            door = Door(ring)
            scope = {
                "type": "http",
                "method": "GET",
                "path": "/v1/symbols",
                "query_string": b"",
                "headers": [(b"host", b"desk"), (b"authorization", f"Bearer {whole}".encode())],
            }
            assert door.admit(dict(scope)) is None
            server.stop()
            soon(lambda: ring.problem is not None)
            refused = door.admit(dict(scope))
            assert refused is not None
            assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
            with pytest.raises(StoreUnavailableError):
                ring.all()
            server.start()
            soon(lambda: ring.problem is None)
            assert door.admit(dict(scope)) is None
        finally:
            ring.close()
    with pytest.raises(StoreError, match="closed"):
        ring.all()


def test_a_database_that_hangs_lets_nobody_in_for_long(
    url: str, server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_ring, "BLIND", 0.05)
    monkeypatch.setattr(postgres_keys, "PATIENCE", 0.3)
    with open_journal(url) as journal:
        ring = KeyRing(PostgresKeys(url, note=journal.note))
        try:
            _, whole = ring.create("desk", "viewer", who="me")
            ring.watch()
            server.hang()
            try:
                soon(lambda: ring.problem is not None)
                assert "for 0.3 s" in (ring.problem or "")
            finally:
                server.go_on()
            soon(lambda: ring.problem is None)
            assert ring.find(whole.encode()) is not None
        finally:
            ring.close()
