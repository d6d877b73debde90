from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.postgres_server import postgres_server

from candlewick.store.postgres import PostgresStore
from candlewick.testing.repository_contract import RepositoryContract


class TestPostgresStore(RepositoryContract):
    @pytest.fixture
    def store(self) -> Iterator[PostgresStore]:
        with PostgresStore(postgres_server().url()) as store:
            yield store
