"""Removal from many series at once: as from one after the other, in groups that hold up few writers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.postgres_server import postgres_server

from candlewick.store import postgres_removal
from candlewick.store.catalogue import Entry
from candlewick.store.entry_after import new_entry
from candlewick.store.memory import MemoryStore
from candlewick.store.postgres import PostgresStore
from candlewick.store.postgres_removal import groups
from candlewick.store.postgres_series import Held
from candlewick.store.repository import CandleRepository
from candlewick.testing.repository_contract import START, some
from candlewick.timeframe import MINUTE


class SetClock:
    """Goes only where it is set."""

    now = 1_800_000_000_000_000

    def wall(self) -> int:
        return self.now

    def monotonic(self) -> float:
        return 0.0


@pytest.mark.parametrize("size", [1, 3, 500])
def test_whatever_the_groups_all_of_it_goes(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_removal, "SERIES", size)
    symbols = [f"S{k}" for k in range(8)]
    clock = SetClock()
    with PostgresStore(postgres_server().url(), clock=clock) as store, MemoryStore(clock=clock) as model:
        both: list[CandleRepository] = [store, model]
        for step, price in enumerate((10, 20, 30)):
            for one in both:
                one.upsert_many([some(name, range(step, 4 + k), price=price) for k, name in enumerate(symbols)])
            clock.now += 1_000_000
        for one in both:
            one.delete("S2", None, START, START + 2 * MINUTE)
            one.delete("S7")
        clock.now += 1_000_000
        cut = clock.now - 2_500_000
        first, second = (one.purge(cut) for one in both)
        assert first == second > 0
        clock.now += 1_000_000
        first, second = (one.delete_older_than(START + 3 * MINUTE) for one in both)
        assert first == second > 0
        assert store.series() == model.series()
        for name in symbols:
            assert store.writes(name, "1m") == model.writes(name, "1m")
        assert store.check() == []
        assert store.delete_older_than(START + 3 * MINUTE) == 0
        assert store.purge(cut) == 0


@given(st.lists(st.integers(0, 12), max_size=12))
def test_groups_keep_to_their_bounds(rows: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres_removal, "SERIES", 3)
        patch.setattr(postgres_removal, "ROWS", 10)
        made = [_entry(count, at) for at, count in enumerate(rows)]
        cut = list(groups(made))
    assert [one for group in cut for one in group] == made
    for group in cut:
        assert len(group) <= 3
        assert sum(one.series.rows for one in group) <= 10 or len(group) == 1
    assert all(cut)


def _entry(rows: int, number: int) -> Entry[Held]:
    entry = new_entry(some(), Held(number, 0))
    return replace(entry, series=replace(entry.series, rows=rows))
