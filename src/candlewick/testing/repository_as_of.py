"""What every store knows of its past, as a pytest base class; part of the repository contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from candlewick.candles import Candles
from candlewick.errors import HistoryError, InputError, NaiveTimeError, UnknownSeriesError
from candlewick.store.repository import CandleRepository, Series, Snapshot, Written
from candlewick.testing.stored_candles import FIRST_DAY, START, some
from candlewick.timeframe import MINUTE

DAY = 86_400_000_000


class AsOfContract:
    """Reads as of a moment, the list of writes, and what is removed for good."""

    @pytest.fixture
    def store(self) -> Any:
        raise NotImplementedError("give a fixture `store`")

    def test_writes_are_listed(self, store: CandleRepository) -> None:
        store.upsert(some(minutes=[1, 2, 3]))
        store.upsert(some(minutes=[3, 4]))
        store.upsert(some(minutes=[2, 5], price=7))
        store.upsert(some(minutes=[0]))
        store.delete("SPY", "1m", START, START + 3 * MINUTE)
        store.upsert(some(minutes=[5], price=7))
        store.delete("SPY")
        store.upsert(some(minutes=[9]))
        assert [(one.revision, *one[2:]) for one in store.writes("SPY", "1m")] == [
            (1, "append", 3, 0, 0),
            (2, "append", 1, 0, 0),
            (3, "change", 1, 1, 0),
            (4, "change", 1, 0, 0),
            (5, "delete", 0, 0, 3),
            (6, "delete", 0, 0, 3),
            (7, "append", 1, 0, 0),
        ]
        moments = [one.written_at for one in store.writes("SPY", "1m")]
        assert moments == sorted(set(moments)), "each at a moment of its own"
        assert isinstance(store.writes("SPY", "1m")[0], Written)

    def test_every_write_can_be_read_as_of(self, store: CandleRepository) -> None:
        seen: list[tuple[int, Snapshot]] = []

        def note() -> None:
            seen.append((store.writes("SPY", "1m")[-1].written_at, store.snapshot("SPY", "1m")))

        for candles in (
            some(minutes=[2, 4]),
            some(minutes=[5, 6]),
            some(minutes=[4], price=50),
            some(minutes=[0, 3]),
            some(minutes=[4], price=60),
        ):
            store.upsert(candles)
            note()
        store.delete("SPY", "1m", START + 4 * MINUTE, START + 6 * MINUTE)
        note()
        store.upsert(some(minutes=[4], price=70))
        note()
        for compacted in (False, True):
            if compacted:
                store.compact()
            self._reads_as(store, seen)

    def _reads_as(self, store: CandleRepository, seen: list[tuple[int, Snapshot]]) -> None:
        spans: list[tuple[Any, Any]] = [(None, None), (START + 3 * MINUTE, None), (None, "2024-01-02"), (START, START)]
        for at, was in seen:
            for later in (0, 3):  # the next write may have come 1 microsecond later
                if later and store.revision_at("SPY", "1m", at + later) != was.series.revision:
                    continue
                when = at + later
                assert store.revision_at("SPY", "1m", when) == was.series.revision
                assert store.snapshot("SPY", "1m", as_of=when) == was
                assert store.find("SPY", "1m", as_of=when) == was.series
                assert store.series(as_of=when) == store.series_of("SPY", as_of=when) == [was.series]
                assert store.date_range("SPY", "1m", as_of=when) == (was.series.first, was.series.last)
                assert store.count("SPY", "1m", as_of=when) == was.series.rows
                for start, end in spans:
                    low = START if start == "2024-01-02" else start
                    high = START if end == "2024-01-02" else end
                    expected = was.candles.between(low, high)
                    assert store.read("SPY", "1m", start, end, as_of=when) == expected
                    assert store.snapshot("SPY", "1m", start, end, as_of=when) == Snapshot(was.series, expected)
                    assert store.count("SPY", "1m", start, end, as_of=when) == len(expected)

    def test_moments_take_every_form_but_a_date(self, store: CandleRepository) -> None:
        store.upsert(some())
        at = store.writes("SPY", "1m")[0].written_at
        store.upsert(some(price=50))
        for form in (at, np.datetime64(at, "us"), f"{np.datetime64(at, 'us')}Z", f"{np.datetime64(at, 'us')}+00:00"):
            assert store.read("SPY", "1m", as_of=form) == some()
            assert store.revision_at("SPY", "1m", form) == 1
        for wrong in ("2024-01-02", "2024-01-02T09:30:00"):
            with pytest.raises(NaiveTimeError, match=r"as_of.* has no timezone; give an offset"):
                store.read("SPY", "1m", as_of=wrong)
        with pytest.raises(InputError, match="as_of"):
            store.find("SPY", "1m", as_of="yesterday")
        with pytest.raises(InputError, match="at"):
            store.revision_at("SPY", "1m", "yesterday")
        assert store.read("SPY", "1m", as_of="9999-01-01T00:00:00Z") == some(price=50), "what is known now"

    def test_before_a_series_came(self, store: CandleRepository) -> None:
        store.upsert(some("A"))
        at = store.writes("A", "1m")[0].written_at
        store.upsert(some("A", timeframe="5m"))
        for call in self._calls(store, at - 1):
            with pytest.raises(UnknownSeriesError, match=r"'A' had no 1m candles as of .*: they came at ") as caught:
                call()
            assert caught.value.parameter == "symbol"
        assert store.series(as_of=at - 1) == store.series_of("A", as_of=at - 1) == []
        assert [str(one.timeframe) for one in store.series(as_of=at)] == ["1m"]
        for call in self._calls(store, at, "B"):
            with pytest.raises(UnknownSeriesError, match="'B' is not in the store"):
                call()
        assert store.series_of("B", as_of=at) == []
        with pytest.raises(UnknownSeriesError):
            store.writes("B", "1m")

    def _calls(self, store: CandleRepository, at: int, symbol: str = "A") -> list[Callable[[], Any]]:
        return [
            lambda: store.revision_at(symbol, "1m", at),
            lambda: store.revision_before(symbol, "1m", as_of=at),
            lambda: store.first_changed(symbol, "1m", 0, as_of=at),
            lambda: store.find(symbol, "1m", as_of=at),
            lambda: store.read(symbol, "1m", as_of=at),
            lambda: store.snapshot(symbol, "1m", as_of=at),
            lambda: store.count(symbol, "1m", as_of=at),
            lambda: store.count(symbol, "1m", START, as_of=at),
            lambda: store.date_range(symbol, "1m", as_of=at),
        ]

    def test_deleted_series_are_there_as_of_before(self, store: CandleRepository) -> None:
        store.upsert_many([some(), some("B")])
        store.delete("SPY")
        came, gone = (one.written_at for one in store.writes("SPY", "1m"))
        assert [one.symbol for one in store.series(as_of=came)] == ["B", "SPY"]
        assert [one.symbol for one in store.series(as_of=gone)] == ["B"]
        assert store.read("SPY", "1m", as_of=came) == some()
        assert store.series_of("SPY", as_of=came)[0].rows == 5
        with pytest.raises(UnknownSeriesError, match="had been deleted"):
            store.find("SPY", "1m", as_of=gone)
        assert len(store.read("SPY", "1m", as_of=gone)) == 0
        assert store.revision_at("SPY", "1m", gone) == 2
        store.upsert(some(minutes=[1440], calendar="24/7"))
        assert store.read("SPY", "1m", as_of=came) == some()
        assert store.find("SPY", "1m", as_of=came).calendar == "XNYS", "with the calendar of then"
        assert store.find("SPY", "1m").calendar == "24/7"
        assert len(store.read("SPY", "1m", "2024-01-02", as_of=came)) == 5

    def test_a_candle_that_does_not_change_stays_the_version_that_it_is(self, store: CandleRepository) -> None:
        store.upsert(some(minutes=[1, 2, 3]))
        first = store.writes("SPY", "1m")[0].written_at
        store.upsert(some(minutes=[1, 2, 3]))
        assert len(store.writes("SPY", "1m")) == 1, "and a write that changes nothing is none"
        mixed = [some(minutes=[1]), some(minutes=[2], price=9), some(minutes=[3, 4])]
        columns = {name: np.concatenate([getattr(one, name) for one in mixed]) for name in ("open", "high", "low")}
        columns |= {name: np.concatenate([getattr(one, name) for one in mixed]) for name in ("close", "volume")}
        time = np.concatenate([one.microseconds for one in mixed])
        store.upsert(Candles.trusted("SPY", mixed[0].timeframe, mixed[0].calendar, time, columns))
        assert store.read("SPY", "1m", as_of=first) == some(minutes=[1, 2, 3])
        assert store.purge(store.writes("SPY", "1m")[-1].written_at) == 1, "one version was replaced"

    def test_touched_days_as_of(self, store: CandleRepository) -> None:
        ends = [None, *((FIRST_DAY + day) * DAY + 1 for day in range(-2, 5))]
        asked: list[tuple[int, list[int], list[int | None]]] = []
        for days, price in (((0, 1, 2), 100), ((3,), 100), ((1,), 50), ((-1,), 100), ((3,), 7)):
            store.upsert(some(minutes=[day * 1440 for day in days], price=price))
            at = store.writes("SPY", "1m")[-1].written_at
            before = [store.revision_before("SPY", "1m", end) for end in ends]
            asked.append((at, before, [store.first_changed("SPY", "1m", since) for since in range(6)]))
        for at, before, changed in asked:
            assert [store.revision_before("SPY", "1m", end, as_of=at) for end in ends] == before
            assert [store.first_changed("SPY", "1m", since, as_of=at) for since in range(6)] == changed

    def test_purge_keeps_what_is_known_since(self, store: CandleRepository) -> None:
        for price in (100, 90, 80, 70):
            store.upsert(some(minutes=[0, 1440], price=price))
        store.upsert(some(minutes=[2880]))
        store.delete("SPY", "1m", START + 2880 * MINUTE)
        moments = [one.written_at for one in store.writes("SPY", "1m")]
        was = {at: store.snapshot("SPY", "1m", as_of=at) for at in moments}
        ends = [(FIRST_DAY + day) * DAY + 1 for day in range(-1, 4)]
        days = {at: [store.revision_before("SPY", "1m", end, as_of=at) for end in ends] for at in moments}
        now = store.snapshot("SPY", "1m")
        assert store.purge(moments[0] - 1) == store.purge(moments[0]) == 0
        assert store.purge(moments[2], "SPY", "5m") == 0
        assert len(store.writes("SPY", "1m")) == 6
        assert store.purge(moments[2]) == 4, "two versions of two candles"
        assert store.purge(moments[2]) == 0
        assert [one.revision for one in store.writes("SPY", "1m")] == [3, 4, 5, 6]
        for at in moments[2:]:
            assert store.snapshot("SPY", "1m", as_of=at) == was[at]
            assert [store.revision_before("SPY", "1m", end, as_of=at) for end in ends] == days[at]
        calls = self._calls(store, moments[2] - 1, "SPY")
        calls.append(lambda: store.series(as_of=moments[2] - 1))
        for call in calls:
            with pytest.raises(HistoryError, match=r"is before what is kept; .* is known from") as caught:
                call()
            assert np.datetime64(caught.value.kept_from.removesuffix("Z"), "us").astype(np.int64) == moments[2]
        assert store.purge(moments[5] + 10**9, "SPY") == 3
        assert store.snapshot("SPY", "1m") == store.snapshot("SPY", "1m", as_of=moments[5]) == now
        with pytest.raises(HistoryError):
            store.find("SPY", "1m", as_of=moments[5] - 1)
        store.upsert(some(minutes=[0], price=1))
        assert store.snapshot("SPY", "1m", as_of=moments[5]) == now, "and from then on everything is kept again"
        with pytest.raises(UnknownSeriesError):
            store.purge(moments[5], "nothing")

    def test_purge_of_one_series_leaves_others_alone(self, store: CandleRepository) -> None:
        for price in (100, 90):
            store.upsert_many([some("A", price=price), some("A", timeframe="5m", price=price), some("B", price=price)])
        first, last = (one.written_at for one in store.writes("B", "1m"))
        assert store.purge(last + 10, "A", "1m") == 5
        with pytest.raises(HistoryError):
            store.read("A", "1m", as_of=first)
        assert store.read("A", "5m", as_of=first) == some("A", timeframe="5m")
        assert store.purge(last + 10) == 10
        with pytest.raises(HistoryError):
            store.series_of("B", as_of=first)

    def test_purge_of_a_series_that_is_gone(self, store: CandleRepository) -> None:
        store.upsert(some())
        store.delete("SPY")
        first, last = (one.written_at for one in store.writes("SPY", "1m"))
        assert store.purge(last) == 5
        with pytest.raises(HistoryError):
            store.read("SPY", "1m", as_of=first)
        with pytest.raises(UnknownSeriesError, match="had been deleted"):
            store.find("SPY", "1m", as_of=last)

    def test_what_is_older_goes_for_good(self, store: CandleRepository) -> None:
        store.upsert(some(minutes=range(6)))
        store.upsert(some(minutes=[0, 4], price=50))
        assert store.delete_older_than(START + 3 * MINUTE) == 3
        last = store.writes("SPY", "1m")[-1]
        assert last[2:] == ("retire", 0, 0, 3)
        held = store.snapshot("SPY", "1m")
        assert (held.series.revision, held.series.generation) == (3, 2)
        assert store.snapshot("SPY", "1m", as_of=last.written_at) == held
        assert store.purge(last.written_at) == 1, "one version of a newer candle; those of the older ones went already"
        assert store.snapshot("SPY", "1m", as_of=last.written_at) == held

    def test_what_is_newer_than_a_retirement_stays_readable(self, store: CandleRepository) -> None:
        store.upsert(some(minutes=range(6)))
        store.upsert(some(minutes=[0, 4], price=50))
        first, second = (one.written_at for one in store.writes("SPY", "1m"))
        border = START + 3 * MINUTE
        store.delete_older_than(border, "SPY")
        kept = store.writes("SPY", "1m")[-1].written_at
        assert store.read("SPY", "1m", border, as_of=first) == some(minutes=[3, 4, 5])
        assert store.read("SPY", "1m", border, as_of=second).close.tolist() == [100.75, 51.0, 101.25]
        assert store.count("SPY", "1m", border, as_of=first) == 3
        assert store.revision_at("SPY", "1m", first) == 1
        whole: list[Callable[[], Any]] = [
            lambda: store.read("SPY", "1m", as_of=second),
            lambda: store.read("SPY", "1m", border - 1, as_of=second),
            lambda: store.read("SPY", "1m", None, border, as_of=second),
            lambda: store.find("SPY", "1m", as_of=second),
            lambda: store.snapshot("SPY", "1m", border, as_of=second),
            lambda: store.series(as_of=second),
            lambda: store.series_of("SPY", as_of=second),
        ]
        for call in whole:
            with pytest.raises(HistoryError, match="removed for good: all of SPY 1m is known from") as caught:
                call()
            assert np.datetime64(caught.value.kept_from.removesuffix("Z"), "us").astype(np.int64) == kept
        assert store.find("SPY", "1m", as_of=kept).rows == 3

    def test_deletion_for_good_takes_versions_that_were_deleted_before(self, store: CandleRepository) -> None:
        store.upsert(some())
        store.delete("SPY", "1m", None, START + 2 * MINUTE)
        first, second = (one.written_at for one in store.writes("SPY", "1m"))
        assert store.delete("SPY", "1m", None, START + 2 * MINUTE, for_good=True) == 0
        assert len(store.writes("SPY", "1m")) == 2, "no candle changed"
        with pytest.raises(HistoryError):
            store.read("SPY", "1m", as_of=first)
        assert store.read("SPY", "1m", as_of=second) == some(minutes=[2, 3, 4])
        store.delete("SPY")
        assert store.delete("SPY", for_good=True) == 0, "also of a series that holds no candle any more"
        with pytest.raises(HistoryError, match="its candles were removed for good"):
            store.read("SPY", "1m", START + 3 * MINUTE, as_of=second)
        before: list[Series] = store.series()
        assert store.delete("SPY", for_good=True) == 0
        assert store.series() == before
        with pytest.raises(UnknownSeriesError):
            store.delete("never", for_good=True)
        with pytest.raises(UnknownSeriesError):
            store.delete("SPY", "5m", for_good=True)
