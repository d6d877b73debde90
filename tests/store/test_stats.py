from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.laws.test_as_of_law import SERIES, ErraticClock, edit, picture
from tests.postgres_server import postgres_server

from candlewick.errors import StoreError
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.memory import MemoryStore
from candlewick.store.open import open_store
from candlewick.store.stats import Stats
from candlewick.store.telling import TellingRepository
from candlewick.testing.repository_contract import refused, some


def test_stores_count_alike(tmp_path: Path) -> None:
    found = []
    for store in (MemoryStore(), open_store(tmp_path / "a.duckdb"), open_store(postgres_server().url())):
        with TellingRepository(store) as told:
            told.upsert_many([some(), some("B")])
            told.upsert(some(minutes=[1], price=7))
            told.delete("B")
            told.quarantine([refused()])
            assert told.check() == []
            stats = told.stats()
            found.append((stats.series, stats.rows, stats.revisions, stats.writes, stats.quarantined))
            assert stats.store == store.url
            assert (stats.bytes is None) == (store.url == "memory:")
    assert found == [(1, 5, 6, 4, 1)] * 3


def test_what_lies_behind_a_later_candle_is_out_of_order(tmp_path: Path) -> None:
    with DuckDBStore(tmp_path / "a.duckdb") as store:
        assert (store.stats().out_of_order, store.stats().disorder) == (0, 0.0)
        for minute in range(4):
            store.upsert_many([some(name, [minute]) for name in ("A", "B", "C")])
        stats = store.stats()
        assert (stats.out_of_order, stats.disorder) == (6, 0.5)
        assert stats.as_dict()["out_of_order_share"] == 0.5
        store.compact()
        assert store.stats().out_of_order == 0


def test_the_share_is_not_said_where_order_does_not_matter() -> None:
    assert Stats("x", 1, 10).as_dict()["out_of_order_share"] is None


def test_a_store_in_memory_has_no_tables() -> None:
    store = MemoryStore()
    for writing, what in ((False, "read"), (True, "written")):
        with pytest.raises(StoreError, match=f"has no tables that could be {what}"), store.tables(writing=writing):
            pass


@pytest.mark.parametrize("seed", range(2))
def test_compacting_keeps_what_is_and_what_was(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    clock = ErraticClock(chance)
    with DuckDBStore(tmp_path / "a.duckdb", clock=clock) as store:
        moments = []
        for _ in range(25):
            edit(chance, store)
            moments.append(clock.now)

        def seen() -> list[object]:
            writes = [store.writes(name, length) for name, length, _ in SERIES if store.series_of(name)]
            return [writes, *(picture(store, at) for at in (None, *chance_of))]

        chance_of = moments[::9]
        before, counted = seen(), store.stats()
        store.compact()
        assert seen() == before
        after = store.stats()
        assert (after.rows, after.revisions, after.writes) == (counted.rows, counted.revisions, counted.writes)
        assert after.out_of_order == 0
        assert store.check() == []
