"""GET /v1/backup: all that the store holds, for those who may operate the server."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from candlewick.backup import restore, try_restore
from candlewick.client import Client
from candlewick.errors import FileFormatError, InputError, OverloadedError
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.memory import MemoryStore
from candlewick.testing.small_application import SmallApplication
from candlewick.testing.stored_candles import some
from candlewick.validator.temporary_server import served


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallApplication]:
    with DuckDBStore(tmp_path_factory.mktemp("served") / "a.duckdb") as store:
        store.upsert(some(minutes=range(50)))
        store.upsert(some(minutes=[3], price=7))
        yield SmallApplication(store)


@pytest.fixture(scope="module")
def server(application: SmallApplication) -> Iterator[httpx.Client]:
    with served(application, "candlewick.server.http:create_app") as client:
        yield client


def test_it_is_a_backup_of_the_store(server: httpx.Client, application: SmallApplication, tmp_path: Path) -> None:
    answer = server.get("/v1/backup")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert int(answer.headers["content-length"]) == len(answer.content)
    (tmp_path / "backup").write_bytes(answer.content)
    assert try_restore(tmp_path / "backup").good
    with MemoryStore() as other:
        restore(tmp_path / "backup", other)
        assert other.writes("SPY", "1m") == application.store.writes("SPY", "1m")
    assert application.staging is not None
    assert not application.staging.exists(), "nothing is left beside the store"


def test_without_the_control_journal(server: httpx.Client) -> None:
    for control, there in (("true", True), ("false", False)):
        answer = server.get("/v1/backup", params={"control": control})
        assert ("control.json" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()) is there
    for bad in ({"control": "maybe"}, {"controls": "true"}):
        assert server.get("/v1/backup", params=bad).status_code == 400
    assert server.head("/v1/backup").status_code in (200, 405)


def test_the_client_writes_it_to_a_file(server: httpx.Client, application: SmallApplication, tmp_path: Path) -> None:
    with Client(str(server.base_url)) as client:
        done = client.backup(tmp_path / "backup")
        assert (done.rows, done.revisions, done.writes, done.control) == (50, 1, 2, True)
        assert not client.backup(tmp_path / "bare", control=False).control
        with pytest.raises(InputError, match="is there already"):
            client.backup(tmp_path / "backup")

        def refuse(*_: object) -> None:
            raise OverloadedError(1, 1.0)

        application.hooks["backup"] = refuse
        try:
            with pytest.raises(OverloadedError):
                client.backup(tmp_path / "none")
        finally:
            del application.hooks["backup"]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["backup", "bare"]


def test_what_arrives_damaged_is_no_backup(tmp_path: Path) -> None:
    client = Client(
        "http://127.0.0.1:8787", transport=httpx.MockTransport(lambda _: httpx.Response(200, content=b"PK"))
    )
    with client, pytest.raises(FileFormatError, match="is no backup"):
        client.backup(tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []
