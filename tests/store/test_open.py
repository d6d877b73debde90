from __future__ import annotations

import os
from pathlib import Path

import pytest

from candlewick.errors import InputError, UnknownNameError
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.memory import MemoryStore
from candlewick.store.open import open_store


@pytest.mark.parametrize("url", ["memory:", "memory://"])
def test_memory(url: str) -> None:
    with open_store(url) as store:
        assert isinstance(store, MemoryStore)


def test_a_path_and_a_url_are_the_same_store(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with open_store(path) as one, open_store(f"duckdb://{path}") as two, open_store(str(path)) as three:
        assert isinstance(one, DuckDBStore)
        assert one.url == two.url == three.url == f"duckdb:///{path.resolve()}"


def test_a_bare_name_is_a_file_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store("candles.duckdb").close()
    assert (tmp_path / "candles.duckdb").exists()


def test_a_drive_letter_in_a_url_is_no_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.name == "nt":
        pytest.skip("drive letters are real here")
    monkeypatch.chdir(tmp_path)
    open_store("duckdb:///C:store.duckdb").close()
    assert (tmp_path / "C:store.duckdb").exists()


def test_unknown_schemes_list_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="duckdb:///"):
        open_store("mysql://localhost/candles")


@pytest.mark.parametrize("url", ["", "  ", "duckdb://a.duckdb", "duckdb:///"])
def test_addresses_of_no_use(url: str) -> None:
    with pytest.raises(InputError, match="store"):
        open_store(url)
