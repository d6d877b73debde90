"""What reading promises of every store, as a pytest base class; part of the repository contract."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from candlewick.candles import VALUES, Candles
from candlewick.errors import CandlewickError, InputError, UnknownSeriesError
from candlewick.store.repository import CandleRepository, Snapshot, Upserted
from candlewick.testing.stored_candles import START, SYMBOLS, some
from candlewick.timeframe import MINUTE


class ReadingContract:
    """Ranges, records and lists."""

    @pytest.fixture
    def store(self) -> Any:
        raise NotImplementedError("give a fixture `store`")

    def test_what_was_written_is_read(self, store: CandleRepository) -> None:
        candles = some()
        assert store.upsert(candles) == Upserted(inserted=5)
        assert store.read("SPY", "1m") == candles

    @pytest.mark.parametrize("symbol", SYMBOLS)
    def test_any_symbol(self, store: CandleRepository, symbol: str) -> None:
        store.upsert_many([some(symbol), some("other", price=7)])
        assert store.read(symbol, "1m") == some(symbol)
        assert symbol in store.symbols()
        assert store.delete(symbol) == 5
        assert store.symbols() == ["other"]

    def test_values_come_back_bit_for_bit(self, store: CandleRepository) -> None:
        numbers = np.array([5e-324, 0.1, 1e300, -3.5, -37.63])
        time = START + np.arange(5) * MINUTE + np.array([0, 1, 999_999, 0, 7])
        values = {"open": numbers, "high": numbers, "low": numbers, "close": numbers, "volume": np.abs(numbers)}
        candles = Candles(symbol="X", timeframe="1m", calendar="24/7", time=time, **values)
        store.upsert(candles)
        back = store.read("X", "1m")
        assert back.microseconds.tobytes() == time.tobytes()
        for name in VALUES:
            assert getattr(back, name).tobytes() == values[name].tobytes()

    def test_ranges_are_half_open(self, store: CandleRepository) -> None:
        store.upsert(some())
        read = store.read("SPY", "1m", START + MINUTE, START + 3 * MINUTE)
        assert read.microseconds.tolist() == [START + MINUTE, START + 2 * MINUTE]
        assert store.count("SPY", "1m", START + MINUTE, START + 3 * MINUTE) == 2
        assert store.count("SPY", "1m") == 5
        assert store.count("SPY", "1m", START + 1) == 4

    @pytest.mark.parametrize(("start", "end"), [(3, 3), (4, 2), (100, 200), (-9, 0), (None, -5), (99, None)])
    def test_empty_ranges(self, store: CandleRepository, start: int | None, end: int | None) -> None:
        store.upsert(some())
        low, high = (None if at is None else START + at * MINUTE for at in (start, end))
        empty = store.read("SPY", "1m", low, high)
        assert len(empty) == 0
        assert (empty.symbol, str(empty.timeframe), empty.calendar.name) == ("SPY", "1m", "XNYS")
        assert store.count("SPY", "1m", low, high) == 0
        assert store.delete("SPY", "1m", low, high) == 0
        assert store.find("SPY", "1m").revision == 1

    def test_ranges_by_text_and_by_date(self, store: CandleRepository) -> None:
        store.upsert(some(minutes=[-1, 0, 1]))
        assert len(store.read("SPY", "1m", "2024-01-02T14:31:00Z")) == 1
        assert len(store.read("SPY", "1m", "2024-01-02")) == 2, "a date is the open of that session"
        assert len(store.read("SPY", "1m", None, "2024-01-02")) == 1
        with pytest.raises(InputError, match="start"):
            store.read("SPY", "1m", "2024-01-02T14:31:00")

    def test_the_series_of_a_symbol(self, store: CandleRepository) -> None:
        assert store.series_of("A") == []
        store.upsert_many([some("B"), some("A", timeframe="1d"), some("A", timeframe="5m"), some("A")])
        assert [str(one.timeframe) for one in store.series_of("A")] == ["1m", "5m", "1d"]
        assert store.series_of("A") == [one for one in store.series() if one.symbol == "A"]
        store.delete("A", "5m")
        store.upsert_many([some("A", [9]), some("C", [9])])
        assert [(str(one.timeframe), one.rows) for one in store.series_of("A")] == [("1m", 6), ("1d", 5)]
        assert store.series_of("A")[0] == store.find("A", "1m")
        store.delete("A")
        assert store.series_of("A") == []
        assert store.symbols() == ["B", "C"]
        store.upsert(some("A", timeframe="5m"))
        assert [str(one.timeframe) for one in store.series_of("A")] == ["5m"]

    def test_a_snapshot_is_the_record_and_the_candles(self, store: CandleRepository) -> None:
        store.upsert(some())
        store.upsert(some(minutes=[2, 7], price=50))
        ranges: list[Any] = [(), (START + MINUTE,), (None, START + 3 * MINUTE), (START + 3, START + 3), ("2024-01-02",)]
        for span in ranges:
            snapshot = store.snapshot("SPY", "1m", *span)
            assert snapshot == Snapshot(store.find("SPY", "1m"), store.read("SPY", "1m", *span))
        store.upsert(some(minutes=[8]))
        assert (snapshot.series.revision, len(snapshot.candles)) == (2, 6), "it stays what it was"
        with pytest.raises(InputError, match="start"):
            store.snapshot("SPY", "1m", "yesterday")

    def test_latest_earliest_and_date_range(self, store: CandleRepository) -> None:
        store.upsert(some())
        assert store.latest("SPY", "1m") == some(minutes=[4])
        assert store.earliest("SPY", "1m") == some(minutes=[0])
        assert store.date_range("SPY", "1m") == (START, START + 4 * MINUTE)

    def test_series_are_listed_in_order(self, store: CandleRepository) -> None:
        store.upsert_many([some("B"), some("A", timeframe="1d"), some("A", timeframe="5m"), some("A")])
        assert [(one.symbol, str(one.timeframe)) for one in store.series()] == [
            ("A", "1m"),
            ("A", "5m"),
            ("A", "1d"),
            ("B", "1m"),
        ]
        assert store.symbols() == ["A", "B"]
        first = store.series()[0]
        assert (first.rows, first.first, first.last, first.calendar) == (5, START, START + 4 * MINUTE, "XNYS")
        assert first.as_dict() == {
            "symbol": "A",
            "timeframe": "1m",
            "calendar": "XNYS",
            "rows": 5,
            "first": "2024-01-02T14:30:00Z",
            "last": "2024-01-02T14:34:00Z",
            "revision": 1,
            "generation": 0,
        }

    def test_unknown_series_name_what_is_stored(self, store: CandleRepository) -> None:
        with pytest.raises(UnknownSeriesError, match="nothing"):
            store.read("SPY", "1m")
        store.upsert(some())
        with pytest.raises(UnknownSeriesError, match="SPY") as caught:
            store.read("SPX", "1m")
        assert caught.value.parameter == "symbol"
        with pytest.raises(UnknownSeriesError, match="1m") as caught:
            store.read("SPY", "5m")
        assert caught.value.parameter == "timeframe"
        added = (store.snapshot, store.revision_before, lambda symbol, length: store.first_changed(symbol, length, 0))
        for call in (store.latest, store.earliest, store.date_range, store.count, store.find, store.delete, *added):
            with pytest.raises(UnknownSeriesError):
                call("SPX", "1m")
        with pytest.raises(InputError, match="timeframe"):
            store.read("SPY", "1 minute")

    def test_what_was_read_does_not_change_later(self, store: CandleRepository) -> None:
        store.upsert(some())
        read = store.read("SPY", "1m")
        store.upsert(some(price=50))
        assert read == some()
        with pytest.raises(ValueError, match="read-only"):
            read.close[0] = 1.0

    def test_errors_are_of_one_tree(self, store: CandleRepository) -> None:
        with pytest.raises(CandlewickError):
            store.find("nothing", "1m")
