"""Both engines keep the service contract, over the stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.postgres_server import postgres_server

from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.service.service import AnalyticsService
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.memory import MemoryStore
from candlewick.store.postgres import PostgresStore
from candlewick.store.repository import CandleRepository
from candlewick.testing.service_contract import ServiceContract


class OverMemory(ServiceContract):
    @pytest.fixture
    def store(self) -> Iterator[CandleRepository]:
        with MemoryStore() as store:
            yield store


class OverDuckDB(ServiceContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[CandleRepository]:
        with DuckDBStore(tmp_path / "store.duckdb") as store:
            yield store


class OverPostgres(ServiceContract):
    @pytest.fixture
    def store(self) -> Iterator[CandleRepository]:
        with PostgresStore(postgres_server().url()) as store:
            yield store


class Classic:
    def service(self, store: CandleRepository) -> AnalyticsService:
        return ClassicService(store)


class TestClassicOverMemory(Classic, OverMemory):
    pass


class TestClassicOverDuckDB(Classic, OverDuckDB):
    pass


class Optimized:
    def service(self, store: CandleRepository) -> AnalyticsService:
        return OptimizedService(store)


class TestOptimizedOverMemory(Optimized, OverMemory):
    pass


class TestOptimizedOverDuckDB(Optimized, OverDuckDB):
    pass


class TestOptimizedOverPostgres(Optimized, OverPostgres):
    pass


class TestOptimizedWithoutCache(OverMemory):
    interrupts = False

    def service(self, store: CandleRepository) -> AnalyticsService:
        return OptimizedService(store, cache_enabled=False, concurrency_enabled=False)
