from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from candlewick.store.duckdb import DuckDBStore
from candlewick.testing.repository_contract import RepositoryContract


class TestDuckDBStore(RepositoryContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[DuckDBStore]:
        with DuckDBStore(tmp_path / "store.duckdb") as store:
            yield store
