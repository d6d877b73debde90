"""SeriesView: what it keeps, reads and computes; that its numbers are right is the correction law's business."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from candlewick import Candles
from candlewick.aggregation.growing import Growing
from candlewick.cache import depth, kept_bars, reading, series_view
from candlewick.cache.buffer_pool import BufferPool
from candlewick.cache.look import Look
from candlewick.cache.reading import Moved
from candlewick.cache.series_view import SeriesView
from candlewick.engine.query import query
from candlewick.errors import StoreError
from candlewick.indicators import Indicator, parse_indicators
from candlewick.sessions.calendar import find_calendar
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository, Snapshot
from candlewick.testing.failing_repository import FailingRepository
from candlewick.timeframe import MINUTE, Timeframe

Maker = Callable[..., Candles]
DESK, AVERAGE, RSI = (parse_indicators(text) for text in ("desk", "sma(9)", "rsi(7)"))
ONE, FIVE = Timeframe.parse("1m"), Timeframe.parse("5m")
DAY = 1440 * MINUTE


class Watched:
    """A view over a store that counts what is read, with the gate that cold computations pass."""

    def __init__(self, store: CandleRepository, timeframe: Timeframe = FIVE) -> None:
        self.store = FailingRepository(store, method="", error=StoreError("none"))
        self.view = SeriesView(Growing("S", ONE, timeframe, find_calendar("24/7")), BufferPool(0))
        self.cold = 0

    @contextmanager
    def gate(self) -> Iterator[None]:
        self.cold += 1
        yield

    def look(self, low: int | None, indicators: tuple[Indicator, ...] = ()) -> Look:
        """Bring the view up and compare what it gives with a computation of all."""
        record = self.store.store.find("S", ONE)
        look = self.view.bring_up(self.store, record, low, indicators, self.gate())
        cut = self.view.cut(low, None, None, final_only=False)
        timeframe = self.view.bars(cut).timeframe
        expected = query(self.store.store, "S", timeframe, list(indicators) or None, start=low)
        assert self.view.bars(cut) == expected.bars
        for name, values in self.view.columns(cut, indicators).items():
            assert expected.indicators is not None
            assert np.array_equal(values, expected.indicators[name], equal_nan=True)
        return look

    @property
    def reads(self) -> int:
        return self.store.calls["snapshot"]


@pytest.fixture
def store(minutes: Maker) -> MemoryStore:
    opened = MemoryStore()
    opened.upsert(minutes(5000))
    return opened


def test_a_range_near_the_end_keeps_only_bars_near_the_end(
    store: MemoryStore, minutes: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series_view, "FEWEST", 50)
    monkeypatch.setattr(depth, "YESTERDAY", 0)
    monkeypatch.setattr(reading, "PIECE", 700)
    monkeypatch.setattr(kept_bars, "SPARE", 1)
    last = store.find("S", ONE).last
    watched = Watched(store)
    assert watched.look(last - 100 * MINUTE, DESK) is Look.MISS
    assert watched.reads == 8
    few = watched.view.nbytes
    assert watched.look(last - 200 * MINUTE, DESK) is Look.HIT
    assert watched.look(last + DAY, DESK) is Look.HIT
    assert watched.look(last - 60 * MINUTE, AVERAGE) is Look.HIT
    assert (watched.reads, watched.cold) == (8, 1)
    store.upsert(minutes(7, 5000))
    assert watched.look(last - 200 * MINUTE, DESK) is Look.EXTENSION
    assert (watched.reads, watched.cold) == (9, 1)
    assert watched.look(last - 100 * MINUTE, RSI) is Look.MISS
    assert watched.cold == 2
    assert watched.look(last - 400 * MINUTE, AVERAGE) is Look.MISS
    assert watched.look(last - 790 * MINUTE, DESK) is Look.HIT
    assert watched.look(last - 790 * MINUTE, RSI) is Look.HIT
    deeper = watched.view.nbytes
    assert watched.look(None, DESK) is Look.MISS
    assert few < deeper / 2 < watched.view.nbytes / 4
    assert watched.look(None, RSI) is Look.HIT
    assert watched.look(last - 100 * MINUTE, parse_indicators("ema(3)")) is Look.MISS
    store.upsert(minutes(1, 3000, seed=5))
    assert watched.look(last - 100 * MINUTE, DESK) is Look.EXTENSION
    assert watched.look(None, RSI) is Look.HIT


def test_a_view_for_one_question_keeps_what_it_asks_for(store: MemoryStore) -> None:
    last = store.find("S", ONE).last
    sizes = []
    for lasting in (True, False):
        watched = Watched(store, ONE)
        watched.view = SeriesView(Growing("S", ONE, ONE, find_calendar("24/7")), BufferPool(0), lasting=lasting)
        watched.look(last - 5 * MINUTE, DESK)
        sizes.append(watched.view.nbytes)
    assert sizes[0] > 10 * sizes[1]


def test_a_correction_before_what_is_kept_is_a_rebuild(
    store: MemoryStore, minutes: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series_view, "FEWEST", 50)
    monkeypatch.setattr(depth, "YESTERDAY", 0)
    low = store.find("S", ONE).last - 10 * MINUTE
    watched = Watched(store)
    watched.look(low, DESK)
    store.upsert(minutes(1, 5, seed=5))
    assert watched.look(low, DESK) is Look.MISS
    store.upsert(minutes(1, 4999, seed=5))
    assert watched.look(low, DESK) is Look.MISS, "the day began before what is kept"
    assert watched.look(low - 2 * DAY, DESK) is Look.MISS
    store.upsert(minutes(1, 4990, seed=5))
    assert watched.look(low, DESK) is Look.EXTENSION


def test_a_definition_is_served_by_any_block_that_holds_it(store: MemoryStore) -> None:
    watched = Watched(store)
    watched.look(None, DESK)
    assert watched.look(None, AVERAGE) is Look.HIT
    assert watched.look(None, (*RSI, *AVERAGE)) is Look.MISS
    assert [len(block.group.indicators) for block in watched.view.blocks] == [8, 1]
    assert watched.look(None, (*AVERAGE, *RSI, *DESK)) is Look.HIT


def test_all_are_computed_together_where_only_that_needs_no_compiling(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(store)
    watched.look(None, AVERAGE)
    watched.look(None, RSI)
    monkeypatch.setattr(series_view, "ready", lambda group: len(group.indicators) == 8)
    assert watched.look(None, DESK) is Look.MISS
    assert [len(block.group.indicators) for block in watched.view.blocks] == [1, 8], "sma(9) is in the desk's"
    monkeypatch.setattr(series_view, "ready", lambda group: False)
    assert watched.look(None, (*DESK, *parse_indicators("ema(4)"))) is Look.MISS
    assert sorted(len(block.group.indicators) for block in watched.view.blocks) == [1, 1, 8]


def test_nothing_is_read_for_what_is_known(store: MemoryStore) -> None:
    watched = Watched(store)
    watched.look(None, DESK)
    calls = dict(watched.store.calls)
    for _ in range(3):
        assert watched.look(None, DESK) is Look.HIT
    assert watched.store.calls == calls


def test_an_older_record_than_the_views_is_no_reason_to_go_back(store: MemoryStore, minutes: Maker) -> None:
    old = store.find("S", ONE)
    store.upsert(minutes(5, 5000))
    watched = Watched(store)
    watched.look(None)
    assert watched.view.bring_up(watched.store, old, None, (), watched.gate()) is Look.HIT
    assert watched.view.known == store.find("S", ONE)


def test_a_history_that_is_not_known_is_a_rebuild(
    store: MemoryStore, minutes: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(store)
    watched.look(None, DESK)
    monkeypatch.setattr(FailingRepository, "first_changed", lambda *_: None)
    store.upsert(minutes(1, 4999, seed=5))
    assert watched.look(None, DESK) is Look.MISS


def test_before_the_first_use_it_holds_and_knows_nothing() -> None:
    view = Watched(MemoryStore()).view
    assert view.nbytes == 0
    with pytest.raises(ValueError, match="bring it up first"):
        _ = view.known


def test_a_series_without_bars(store: MemoryStore, minutes: Maker) -> None:
    """Every candle lies outside the sessions."""
    night = MemoryStore()
    candles = minutes(30)
    night.upsert(Candles.trusted("S", ONE, find_calendar("XNYS"), candles.microseconds, _values(candles)))
    view = SeriesView(Growing("S", ONE, FIVE, find_calendar("XNYS")), BufferPool(0))
    for count in (1, 2):
        for low in (None, 0):
            view.bring_up(night, night.find("S", ONE), low, DESK, Watched(night).gate())
            cut = view.cut(low, None, None, final_only=False)
            assert (cut.first, cut.last, cut.final, cut.forming) == (0, 0, 0, 0)
            assert {len(values) for values in view.columns(cut, DESK).values()} == {0}
        night.upsert(
            Candles.trusted(
                "S", ONE, find_calendar("XNYS"), candles.microseconds + count * 30 * MINUTE, _values(candles)
            )
        )


def test_a_bar_whose_first_candles_go_may_begin_a_month(minutes: Maker) -> None:
    """The week of 29 January: its first candle is of January, then of February."""
    store = MemoryStore()
    times = ["2024-01-22T10", "2024-01-31T10", "2024-02-01T10", "2024-02-05T10", "2024-02-12T10"]
    days = np.array(times, dtype="datetime64[us]").astype(np.int64)
    store.upsert(Candles.trusted("S", ONE, find_calendar("24/7"), days, _values(minutes(5))))
    watched = Watched(store, Timeframe.parse("1w"))
    anchored = parse_indicators("vwap(month)")
    watched.look(None, anchored)
    store.delete("S", ONE, "2024-01-31T00:00Z", "2024-02-01T00:00Z")
    assert watched.look(None, anchored) is Look.EXTENSION


class Moving(FailingRepository):
    """A store in which something is written just before the ``at``-th snapshot."""

    def __init__(self, store: CandleRepository, at: int, write: Callable[[], object]) -> None:
        super().__init__(store, method="", error=StoreError("none"))
        self._when, self._write = at, write

    def snapshot(self, *range_: Any) -> Snapshot:
        if self.calls["snapshot"] + 1 == self._when:
            self._write()
        return super().snapshot(*range_)


@pytest.mark.parametrize("at", [1, 2, 5])
def test_a_past_that_moves_while_it_is_read_leaves_the_view_as_it_was(
    store: MemoryStore, minutes: Maker, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(reading, "PIECE", 900)
    monkeypatch.setattr(series_view, "FEWEST", 10)
    monkeypatch.setattr(depth, "YESTERDAY", 0)
    low = store.find("S", ONE).last - 10 * MINUTE
    watched = Watched(store)

    def correct() -> None:
        store.upsert(minutes(1, 3, seed=np.random.default_rng().integers(100, 10**6)))

    def again(indicators: tuple[Indicator, ...], depth: int | None, counted: int = at) -> None:
        before, held = watched.view.record, watched.view.nbytes
        moving = Moving(store, counted, correct)
        with pytest.raises(Moved):
            watched.view.bring_up(moving, store.find("S", ONE), depth, indicators, watched.gate())
        assert (watched.view.record, watched.view.nbytes) == (before, held)

    again(DESK, low)
    assert watched.look(low, DESK) is Look.MISS
    again(RSI, low)
    assert watched.look(low, RSI) is Look.MISS
    again(RSI, None)
    store.upsert(minutes(5, 5000))
    again(DESK, low, 1)
    assert watched.look(low, DESK) is Look.MISS


def _values(candles: Candles) -> dict[str, Any]:
    return {name: getattr(candles, name) for name in ("open", "high", "low", "close", "volume")}
