from __future__ import annotations

from collections.abc import Iterator

import pytest

from candlewick.store.memory import MemoryStore
from candlewick.testing.repository_contract import RepositoryContract


class TestMemoryStore(RepositoryContract):
    @pytest.fixture
    def store(self) -> Iterator[MemoryStore]:
        with MemoryStore() as store:
            yield store

    def test_stages_in_the_systems_folder(self, store: MemoryStore) -> None:
        assert store.staging is None
        assert store.url == "memory:"
