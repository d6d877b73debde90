"""What every store promises to several threads, as a pytest base class; part of the repository contract."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import numpy as np
import pytest

from candlewick.candles import VALUES, Candles
from candlewick.errors import StoreError
from candlewick.store.repository import CandleRepository, Snapshot
from candlewick.testing.stored_candles import START, some
from candlewick.timeframe import MINUTE


class ThreadsContract:
    """Calls of several threads, and a closed store."""

    @pytest.fixture
    def store(self) -> Any:
        raise NotImplementedError("give a fixture `store`")

    def test_threads(self, store: CandleRepository) -> None:
        def work(k: int) -> int:
            symbol = f"S{k % 4}"
            store.upsert(some(symbol, [k]))
            return len(store.read(symbol, "1m"))

        with ThreadPoolExecutor(8) as pool:
            seen = list(pool.map(work, range(40)))
        assert min(seen) >= 1
        assert [one.rows for one in store.series()] == [10] * 4
        assert [one.revision for one in store.series()] == [10] * 4

    def test_snapshots_while_others_write(self, store: CandleRepository) -> None:
        """Every write gives all candles the close of its number, so each snapshot tells which revision it is of."""
        writes, rounds = 40, [0] * 3
        store.upsert(some(minutes=range(3), price=1))
        expected = {1: store.read("SPY", "1m")}
        done = Event()

        def write() -> None:
            try:
                for k in range(2, writes + 2):
                    if k % 10 == 0:
                        store.delete("SPY", "1m", None, START + 2 * MINUTE)
                        left = expected[k - 1].between(START + 2 * MINUTE)
                    elif k % 4 == 0:
                        store.upsert(some(minutes=range(3), price=k))
                        left = _over(expected[k - 1], some(minutes=range(3), price=k))
                    else:
                        store.upsert_many([some("other", [k]), some(minutes=[k + 1], price=k)])
                        left = _over(expected[k - 1], some(minutes=[k + 1], price=k))
                    expected[k] = left
                    if k % 15 == 0:
                        store.compact()
            finally:
                done.set()

        def look(reader: int) -> list[Snapshot]:
            seen: list[Snapshot] = []
            while not (done.is_set() and rounds[reader]):
                rounds[reader] += 1
                snapshot = store.snapshot("SPY", "1m")
                assert store.find("SPY", "1m").revision >= snapshot.series.revision, "and nobody looks back"
                assert store.revision_before("SPY", "1m") >= snapshot.series.revision
                assert store.first_changed("SPY", "1m", snapshot.series.revision - 1) is not None
                if not seen or seen[-1].series != snapshot.series:
                    seen.append(snapshot)
                else:
                    assert seen[-1] == snapshot
            return seen

        with ThreadPoolExecutor(4) as pool:
            looking = [pool.submit(look, k) for k in range(3)]
            pool.submit(write).result(timeout=120)
            found = [one.result(timeout=120) for one in looking]
        assert store.snapshot("SPY", "1m").series.revision == writes + 1
        for seen in found:
            revisions = [one.series.revision for one in seen]
            assert revisions == sorted(revisions)
            for one in seen:
                held = expected[one.series.revision]
                assert one.candles == held
                assert (one.series.rows, one.series.first, one.series.last) == (
                    len(held),
                    held.microseconds[0],
                    held.microseconds[-1],
                )

    def test_closed(self, store: CandleRepository) -> None:
        store.close()
        store.close()
        calls: list[Any] = [
            lambda: store.upsert(some()),
            lambda: store.read("SPY", "1m"),
            lambda: store.delete("SPY"),
            lambda: store.quarantine([]),
            store.quarantined,
            store.series,
            lambda: store.find("SPY", "1m"),
            lambda: store.series_of("SPY"),
            lambda: store.snapshot("SPY", "1m"),
            lambda: store.revision_before("SPY", "1m"),
            lambda: store.first_changed("SPY", "1m", 0),
            store.compact,
        ]
        for call in calls:
            with pytest.raises(StoreError, match="closed"):
                call()


def _over(old: Candles, new: Candles) -> Candles:
    """What a store holds after ``new`` came over ``old``, by dictionaries."""
    rows = {
        int(at): values
        for one in (old, new)
        for at, *values in zip(one.microseconds, *(getattr(one, name) for name in VALUES), strict=True)
    }
    time = np.array(sorted(rows), dtype=np.int64)
    columns = {name: np.array([rows[at][k] for at in time.tolist()]) for k, name in enumerate(VALUES)}
    return Candles.trusted(old.symbol, old.timeframe, old.calendar, time, columns)
