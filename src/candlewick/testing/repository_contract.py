"""The repository contract as a pytest base class: every store's test inherits it and gives one ``store`` fixture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import numpy as np
import pytest

from candlewick.candles import VALUES, Candles
from candlewick.errors import CandlewickError, InputError, StoreError, UnknownSeriesError
from candlewick.store.history import DAY
from candlewick.store.repository import CandleRepository, QuarantinedRow, Snapshot, Upserted
from candlewick.timeframe import MINUTE, Timeframe

START = 1_704_205_800_000_000
"""2024-01-02T14:30:00Z, the open of an XNYS session, in microseconds."""

FIRST_DAY = START // DAY
"""The UTC day of START, counted from 1970."""

SYMBOLS = ("SPY", "BRK/B", "A|B", "BTC-USD", "ЯНДЕКС", "日経225", "a b", "it's", '"quoted"', "%_x", "😀")


def some(
    symbol: str = "SPY",
    minutes: Any = range(5),
    *,
    price: float = 100.0,
    timeframe: str = "1m",
    calendar: str = "XNYS",
) -> Candles:
    """Candles at the given minutes after START; the price of each depends on its minute and on ``price`` only."""
    at = np.array(list(minutes), dtype=np.int64)
    close = price + at * 0.25
    return Candles(
        symbol=symbol,
        timeframe=timeframe,
        calendar=calendar,
        time=START + at * MINUTE,
        open=close,
        high=close + 1,
        low=close - 1,
        close=close,
        volume=np.abs(at) * 10.0,
    )


def refused(content: str = "c0", line: int = 2, symbol: str = "SPY", file: str = "a.csv") -> QuarantinedRow:
    """One refused row."""
    return QuarantinedRow(content, line, file, symbol, "high below open or close", "SPY,1,2,'3\",ü", START)


class RepositoryContract:
    """What every store must do. A subclass gives a fixture ``store``: an empty repository, closed by the fixture."""

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

    def test_which_days_the_writes_touched(self, store: CandleRepository) -> None:
        def stairs(*days: int) -> list[int]:
            """For each day, the last revision that touched it or one before."""
            return [store.revision_before("SPY", "1m", (FIRST_DAY + day) * DAY + 1) for day in days]

        def on(*days: int, price: float = 100) -> Candles:
            return some(minutes=[day * 1440 for day in days], price=price)

        store.upsert(on(0, 1, 2))
        assert stairs(-1, 0, 1, 2, 3) == [0, 1, 1, 1, 1]
        store.upsert(on(3))
        assert stairs(-1, 0, 1, 2, 3) == [0, 1, 1, 1, 2]
        store.upsert(on(2, 3, 4))
        assert stairs(0, 1, 2, 3, 4) == [1, 1, 1, 2, 3], "equal candles are not touched"
        store.upsert(on(1, 5, price=90))
        assert stairs(-1, 0, 1, 2, 5) == [0, 1, 4, 4, 4], "a replaced candle is"
        store.upsert(on(6))
        assert store.delete("SPY", "1m", START + 3 * 1440 * MINUTE, START + 5 * 1440 * MINUTE) == 2
        assert stairs(0, 1, 2, 3, 6) == [1, 4, 4, 6, 6], "and a deleted one"
        assert store.delete("SPY", "1m", START + 3 * 1440 * MINUTE, START + 5 * 1440 * MINUTE) == 0
        store.upsert(on(-2))
        assert stairs(-3, -2, 0, 6) == [0, 7, 7, 7], "so is one before all others"
        store.upsert(on(-2))
        assert store.revision_before("SPY", "1m") == store.find("SPY", "1m").revision == 7

    def test_what_changed_since_a_revision(self, store: CandleRepository) -> None:
        def since() -> list[int | None]:
            found = [store.first_changed("SPY", "1m", k) for k in range(store.find("SPY", "1m").revision + 2)]
            assert found[-2:] == [None, None]
            return [None if at is None else at // DAY - FIRST_DAY for at in found[:-2]]

        store.upsert(some(minutes=[0, 1440, 2880]))
        assert since() == [0]
        store.upsert(some(minutes=[3 * 1440]))
        store.upsert(some(minutes=[3 * 1440 + 1]))
        assert since() == [0, 3, 3]
        store.upsert(some(minutes=[1440], price=7))
        assert since() == [0, 1, 1, 1]
        store.upsert(some(minutes=[4 * 1440]))
        assert since() == [0, 1, 1, 1, 4]
        assert store.first_changed("SPY", "1m", 4) == (FIRST_DAY + 4) * DAY

    def test_the_days_are_those_of_utc(self, store: CandleRepository) -> None:
        midnight = (FIRST_DAY + 1) * DAY
        before = (midnight - START) // MINUTE
        store.upsert(some(minutes=[before - 1]))
        store.upsert(some(minutes=[before]))
        ends = [midnight - DAY, midnight - DAY + 1, midnight, midnight + 1]
        assert [store.revision_before("SPY", "1m", end) for end in ends] == [0, 1, 1, 2]
        assert [store.first_changed("SPY", "1m", k) for k in (0, 1)] == [midnight - DAY, midnight]

    def test_days_before_1970(self, store: CandleRepository) -> None:
        def at(time: int) -> Candles:
            one = some("old", [0], calendar="24/7")
            values = dict.fromkeys(VALUES, one.close)
            return Candles.trusted("old", one.timeframe, one.calendar, np.array([time]), values)

        store.upsert(at(-DAY - 1))
        store.upsert(at(-1))
        store.upsert(at(0))
        ends = [-2 * DAY, -2 * DAY + 1, -DAY, -DAY + 1, 0, 1]
        assert [store.revision_before("old", "1m", end) for end in ends] == [0, 1, 1, 2, 2, 3]
        assert [store.first_changed("old", "1m", k) for k in range(4)] == [-2 * DAY, -DAY, 0, None]

    def test_touched_days_go_on_after_everything_was_deleted(self, store: CandleRepository) -> None:
        store.upsert_many([some(minutes=[0, 1440]), some(timeframe="5m")])
        store.delete("SPY")
        for call in (store.revision_before, lambda symbol, timeframe: store.first_changed(symbol, timeframe, 0)):
            with pytest.raises(UnknownSeriesError):
                call("SPY", "1m")
        store.upsert(some(minutes=[1440], calendar="24/7"))
        assert store.snapshot("SPY", "1m").series.revision == 3
        ends = [FIRST_DAY * DAY, FIRST_DAY * DAY + 1, (FIRST_DAY + 1) * DAY + 1]
        assert [store.revision_before("SPY", "1m", end) for end in ends] == [0, 2, 3]
        assert [store.first_changed("SPY", "1m", k) for k in (1, 2, 3)] == [
            FIRST_DAY * DAY,
            (FIRST_DAY + 1) * DAY,
            None,
        ]

    def test_a_refused_batch_touches_nothing(self, store: CandleRepository) -> None:
        store.upsert(some())
        with pytest.raises(InputError):
            store.upsert_many([some("B"), some(minutes=[-1440], calendar="24/7")])
        assert store.revision_before("SPY", "1m", START - DAY + 1) == 0
        assert store.first_changed("SPY", "1m", 1) is None
        assert store.series_of("B") == []

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

    def test_what_was_read_does_not_change_later(self, store: CandleRepository) -> None:
        store.upsert(some())
        read = store.read("SPY", "1m")
        store.upsert(some(price=50))
        assert read == some()
        with pytest.raises(ValueError, match="read-only"):
            read.close[0] = 1.0

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

    def test_errors_are_of_one_tree(self, store: CandleRepository) -> None:
        with pytest.raises(CandlewickError):
            store.find("nothing", "1m")


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
