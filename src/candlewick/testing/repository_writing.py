"""What writing promises of every store, as a pytest base class; part of the repository contract."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from candlewick.candles import VALUES, Candles
from candlewick.errors import InputError, UnknownSeriesError
from candlewick.store.repository import CandleRepository, Upserted
from candlewick.testing.stored_candles import START, refused, some
from candlewick.timeframe import MINUTE, Timeframe


class WritingContract:
    """Writes, deletions, refused rows and compaction."""

    @pytest.fixture
    def store(self) -> Any:
        raise NotImplementedError("give a fixture `store`")

    def test_a_second_write_changes_nothing(self, store: CandleRepository) -> None:
        store.upsert(some())
        before = store.series()
        assert store.upsert(some()) == Upserted(unchanged=5)
        assert store.series() == before

    def test_counts_of_a_mixed_write(self, store: CandleRepository) -> None:
        store.upsert(some(minutes=[0, 1, 2, 5]))
        mixed = Candles.trusted(
            "SPY",
            Timeframe.parse("1m"),
            some().calendar,
            some(minutes=[1, 2, 3, 6]).microseconds,
            {
                name: np.where([True, False, True, True], getattr(some(minutes=[1, 2, 3, 6]), name), 101.0)
                for name in VALUES
            },
        )
        assert store.upsert(mixed) == Upserted(inserted=2, updated=1, unchanged=1)
        held = store.read("SPY", "1m")
        assert held.microseconds.tolist() == (START + np.array([0, 1, 2, 3, 5, 6]) * MINUTE).tolist()
        assert held.close.tolist() == [100.0, 100.25, 101.0, 100.75, 101.25, 101.5]
        assert store.find("SPY", "1m").rows == 6

    def test_revision_and_generation(self, store: CandleRepository) -> None:
        def numbers() -> tuple[int, int]:
            found = store.find("SPY", "1m")
            return found.revision, found.generation

        store.upsert(some(minutes=[1, 2, 5]))
        assert numbers() == (1, 0)
        store.upsert(some(minutes=[6, 7]))
        assert numbers() == (2, 0), "an append leaves the past alone"
        store.upsert(some(minutes=[7, 8]))
        assert numbers() == (3, 0), "an overlapping append of equal candles does too"
        store.upsert(some(minutes=[3]))
        assert numbers() == (4, 1), "an insertion changes the past"
        store.upsert(some(minutes=[0]))
        assert numbers() == (5, 2), "so does a prepend"
        store.upsert(some(minutes=[8], price=90))
        assert numbers() == (6, 3), "and a replaced candle, were it the newest"
        assert store.delete("SPY", "1m", START, START + MINUTE) == 1
        assert numbers() == (7, 4)
        assert store.delete("SPY", "1m", START, START + MINUTE) == 0
        assert numbers() == (7, 4), "deleting nothing changes nothing"

    def test_numbers_go_on_after_everything_was_deleted(self, store: CandleRepository) -> None:
        store.upsert(some())
        store.delete("SPY")
        store.upsert(some())
        found = store.find("SPY", "1m")
        assert (found.revision, found.generation) == (3, 1)

    def test_the_calendar_of_a_series_stays(self, store: CandleRepository) -> None:
        store.upsert(some())
        with pytest.raises(InputError, match="XNYS"):
            store.upsert_many([some("new"), some(minutes=[9], calendar="24/7")])
        assert store.symbols() == ["SPY"], "a refused batch leaves nothing behind"
        assert store.upsert(some(timeframe="1h", calendar="24/7")).inserted == 5
        store.delete("SPY", "1m")
        store.upsert(some(calendar="24/7"))
        assert store.find("SPY", "1m").calendar == "24/7"

    def test_a_series_twice_in_a_batch_is_refused(self, store: CandleRepository) -> None:
        with pytest.raises(InputError, match="twice"):
            store.upsert_many([some(minutes=[1]), some(minutes=[2])])
        assert store.series() == []

    def test_empty_batches_and_empty_candles(self, store: CandleRepository) -> None:
        assert store.upsert_many([]) == []
        assert store.upsert_many([some(minutes=[])]) == [Upserted()]
        assert store.series() == []
        store.upsert(some())
        assert store.upsert_many([some(minutes=[]), some("B")]) == [Upserted(), Upserted(inserted=5)]

    def test_delete_a_middle_range(self, store: CandleRepository) -> None:
        store.upsert(some())
        assert store.delete("SPY", "1m", START + MINUTE, START + 3 * MINUTE) == 2
        assert store.read("SPY", "1m") == some(minutes=[0, 3, 4])
        assert store.delete("SPY", "1m", START + 4 * MINUTE) == 1
        assert store.date_range("SPY", "1m") == (START, START + 3 * MINUTE)

    def test_delete_every_timeframe(self, store: CandleRepository) -> None:
        store.upsert_many([some(), some(timeframe="5m"), some("B")])
        assert store.delete("SPY") == 10
        assert store.symbols() == ["B"]
        with pytest.raises(UnknownSeriesError):
            store.find("SPY", "1m")

    def test_delete_older_than(self, store: CandleRepository) -> None:
        store.upsert_many([some(), some("B"), some("B", timeframe="5m")])
        assert store.delete_older_than(START + 2 * MINUTE, "SPY") == 2
        assert store.delete_older_than(START + 3 * MINUTE, timeframe="1m") == 4
        assert [(one.symbol, one.rows) for one in store.series()] == [("B", 2), ("B", 5), ("SPY", 2)]
        assert store.delete_older_than(START + 99 * MINUTE) == 9
        assert store.series() == []

    def test_quarantine_is_keyed_by_content_and_line(self, store: CandleRepository) -> None:
        assert store.quarantine([]) == 0
        assert store.quarantine([refused(line=3), refused(line=2), refused("c1", symbol="B"), refused(line=2)]) == 3
        assert store.quarantine([refused(line=3), refused(line=9)]) == 1
        assert store.quarantine([refused(line=9, file="copy.csv")]) == 0, "a renamed copy adds nothing"
        assert [(row.content, row.line) for row in store.quarantined()] == [("c0", 2), ("c0", 3), ("c0", 9), ("c1", 2)]
        assert store.quarantined("B") == [refused("c1", symbol="B")]
        assert store.quarantined("none") == []
        assert store.quarantined("B")[0].as_dict()["at"] == "2024-01-02T14:30:00Z"

    def test_compacting_changes_no_row(self, store: CandleRepository) -> None:
        store.compact()
        for k in range(4):
            store.upsert_many([some(symbol, range(k, 40, 4)) for symbol in ("A", "B")])
        store.quarantine([refused()])
        before = store.series(), store.quarantined()
        store.compact()
        assert (store.series(), store.quarantined()) == before
        assert store.read("A", "1m") == some("A", range(40))
        assert store.upsert(some("A", range(41))) == Upserted(inserted=1, unchanged=40)
