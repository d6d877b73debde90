"""What only large PostgreSQL stores need: candles sent in pieces, and a compaction that may take its time."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
import pytest
from tests.postgres_server import postgres_server

from candlewick.candles import VALUES, Candles
from candlewick.sources.simulated import simulate
from candlewick.store import postgres_rows
from candlewick.store.postgres import PostgresStore


@pytest.mark.parametrize("piece", [1, 7, 10, 1000])
def test_candles_arrive_whole_however_they_are_cut(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_rows, "_PIECE", piece)
    sizes = [3, 25, 10, 1, 8]
    whole = next(simulate(["S"], "24/7", 1, seed=2))
    cuts = [0, *accumulate(sizes)]
    batch = [
        Candles.trusted(f"S{at}", one.timeframe, one.calendar, one.microseconds, {n: getattr(one, n) for n in VALUES})
        for at, one in enumerate(whole.rows(low, high) for low, high in pairwise(cuts))
    ]
    with PostgresStore(postgres_server().url()) as store:
        assert [done.inserted for done in store.upsert_many(batch)] == sizes
        assert [done.unchanged for done in store.upsert_many(batch)] == sizes
        for one in batch:
            stored = store.read(one.symbol, "1m")
            for name in ("microseconds", *VALUES):
                np.testing.assert_array_equal(getattr(stored, name), getattr(one, name))


def test_compacting_lets_the_session_keep_its_bound() -> None:
    with PostgresStore(postgres_server().url(), connections=1) as store:
        store.upsert(next(simulate(["S"], "24/7", 1, seed=2)))
        store.compact()
        with store._link.borrow() as cursor:
            assert cursor.execute("SHOW statement_timeout").fetchall() == [("1min",)]
