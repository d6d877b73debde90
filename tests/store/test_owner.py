from __future__ import annotations

import os
from pathlib import Path

import pytest

from candlewick.errors import StoreError
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.owner import Owner, beside


def test_a_note_comes_back(tmp_path: Path) -> None:
    store = tmp_path / "a.duckdb"
    owner = Owner.here()
    owner.write(store)
    assert Owner.read(store) == owner
    assert owner.pid == os.getpid()
    assert f"process {owner.pid} on {owner.host}" in str(owner)
    owner.remove(store)
    assert not beside(store).exists()


def test_the_note_of_another_is_left_alone(tmp_path: Path) -> None:
    store = tmp_path / "a.duckdb"
    other = Owner(1, "host", "init", "2024-01-01T00:00:00Z")
    other.write(store)
    Owner.here().remove(store)
    assert Owner.read(store) == other


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', "null"])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    store = tmp_path / "a.duckdb"
    assert Owner.read(store) is None
    beside(store).write_text(text)
    assert Owner.read(store) is None


def test_a_process_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", [""])
    assert Owner.here().command == "python"


def test_an_address_is_announced_taken_back_and_gone_with_the_store(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with DuckDBStore(path) as store, DuckDBStore(path) as shared:
        store.announce("http://127.0.0.1:8787")
        owner = Owner.read(path)
        assert owner is not None
        assert owner.address == "http://127.0.0.1:8787"
        shared.announce(None)
        owner = Owner.read(path)
        assert owner is not None
        assert owner.address is None
        store.announce("http://127.0.0.1:1")
    assert not beside(path).exists()
    with pytest.raises(StoreError, match="closed"):
        store.announce(None)
    assert not beside(path).exists()


def test_a_note_of_an_older_version_has_no_address(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    beside(path).write_text('{"pid": 1, "host": "h", "command": "c", "since": "2024-01-01T00:00:00Z"}')
    owner = Owner.read(path)
    assert owner is not None
    assert owner.address is None
