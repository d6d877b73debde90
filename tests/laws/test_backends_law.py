"""The backends law: every store answers every call alike."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.postgres_server import postgres_server

from candlewick.candles import Candles
from candlewick.errors import CandlewickError
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.history import DAY
from candlewick.store.memory import MemoryStore
from candlewick.store.postgres import PostgresStore
from candlewick.store.repository import CandleRepository, QuarantinedRow, Snapshot
from candlewick.testing.repository_contract import START
from candlewick.timeframe import MINUTE

pytestmark = pytest.mark.untraced

SYMBOLS = st.sampled_from(["A", "B/C", "D|é"])
TIMEFRAMES = st.sampled_from(["1m", "5m", "1d"])
CALENDARS = st.sampled_from(["XNYS", "XNYS", "XNYS", "24/7"])
DAYS = st.sampled_from([0, 0, 0, 1, 2, -1])
MINUTES = st.builds(lambda day, k: START + day * DAY + k * MINUTE, DAYS, st.integers(-3, 40))
AT = st.one_of(st.none(), MINUTES, st.just("2024-01-02"))


@st.composite
def candles(draw: Any) -> Candles:
    first, later = START + draw(DAYS) * DAY, draw(DAYS) * DAY
    times = {first + k * MINUTE for k in draw(st.sets(st.integers(0, 30), max_size=12))}
    at = sorted(times | {time + later for time in times if time % (3 * MINUTE) == 0})
    close = np.array([float(draw(st.integers(1, 3))) for _ in at])
    return Candles(
        symbol=draw(SYMBOLS),
        timeframe=draw(TIMEFRAMES),
        calendar=draw(CALENDARS),
        time=np.array(at, dtype=np.int64),
        open=close,
        high=close,
        low=close,
        close=close,
        volume=close,
    )


SECOND = 1_000_000
BACK = st.one_of(st.just(0), st.integers(0, 20).map(lambda k: k * SECOND // 2), st.integers(-3, 3))
"""Microseconds before now."""


class SetClock:
    """Goes only where it is set: most writes come at the same moment as the one before."""

    def __init__(self) -> None:
        self.now = 1_800_000_000 * SECOND

    def wall(self) -> int:
        return self.now

    def monotonic(self) -> float:
        return 0.0


refused = st.builds(
    QuarantinedRow,
    content=st.sampled_from(["x", "y"]),
    line=st.integers(1, 5),
    file=st.sampled_from(["a.csv", "ß.csv"]),
    symbol=SYMBOLS,
    reason=st.just("not a number"),
    row=st.text(max_size=5).filter(lambda text: "\x00" not in text),
    at=st.integers(0, 10**15),
)


class Backends(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="candlewick-law-"))
        self.clock = SetClock()
        self.address = postgres_server().url()
        self.stores: list[CandleRepository] = [MemoryStore(clock=self.clock), *self.opened()]

    def opened(self) -> list[CandleRepository]:
        return [
            DuckDBStore(self.folder / "law.duckdb", clock=self.clock),
            PostgresStore(self.address, clock=self.clock),
        ]

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        shutil.rmtree(self.folder)

    def alike(self, call: Callable[[CandleRepository], Any]) -> None:
        memory, *others = (_answer(store, call) for store in self.stores)
        for other in others:
            assert memory == other

    @rule(batch=st.lists(candles(), max_size=4))
    def upsert(self, batch: list[Candles]) -> None:
        self.alike(lambda store: store.upsert_many(batch))

    @rule(symbol=SYMBOLS, timeframe=TIMEFRAMES, start=AT, end=AT)
    def read(self, symbol: str, timeframe: str, start: Any, end: Any) -> None:
        self.alike(lambda store: store.read(symbol, timeframe, start, end))
        self.alike(lambda store: store.count(symbol, timeframe, start, end))

    @rule(symbol=SYMBOLS, timeframe=TIMEFRAMES, start=AT, end=AT)
    def snapshot(self, symbol: str, timeframe: str, start: Any, end: Any) -> None:
        self.alike(lambda store: store.snapshot(symbol, timeframe, start, end))
        for store in self.stores:
            taken = _answer(store, lambda store: store.snapshot(symbol, timeframe, start, end))
            if isinstance(taken, Snapshot):
                expected = Snapshot(store.find(symbol, timeframe), store.read(symbol, timeframe, start, end))
                assert taken == expected

    @rule(symbol=SYMBOLS, timeframe=TIMEFRAMES, end=st.one_of(st.none(), MINUTES), since=st.integers(-1, 12))
    def touched(self, symbol: str, timeframe: str, end: int | None, since: int) -> None:
        self.alike(lambda store: store.revision_before(symbol, timeframe, end))
        self.alike(lambda store: store.first_changed(symbol, timeframe, since))

    @rule(symbol=SYMBOLS, timeframe=TIMEFRAMES)
    def ends(self, symbol: str, timeframe: str) -> None:
        self.alike(lambda store: store.latest(symbol, timeframe))
        self.alike(lambda store: store.earliest(symbol, timeframe))
        self.alike(lambda store: store.date_range(symbol, timeframe))

    @rule(symbol=SYMBOLS, timeframe=st.one_of(st.none(), TIMEFRAMES), start=AT, end=AT)
    def delete(self, symbol: str, timeframe: str | None, start: Any, end: Any) -> None:
        self.alike(lambda store: store.delete(symbol, timeframe, start, end))

    @rule(before=AT.filter(lambda at: at is not None), timeframe=st.one_of(st.none(), TIMEFRAMES))
    def delete_older(self, before: Any, timeframe: str | None) -> None:
        self.alike(lambda store: store.delete_older_than(before, None, timeframe))

    @rule(rows=st.lists(refused, max_size=4))
    def quarantine(self, rows: list[QuarantinedRow]) -> None:
        self.alike(lambda store: store.quarantine(rows))

    @rule(seconds=st.sampled_from([0, 1, 1, 5, -2]))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds * SECOND

    @rule(symbol=SYMBOLS, timeframe=st.one_of(st.none(), TIMEFRAMES), start=AT, end=AT)
    def delete_for_good(self, symbol: str, timeframe: str | None, start: Any, end: Any) -> None:
        self.alike(lambda store: store.delete(symbol, timeframe, start, end, for_good=True))

    @rule(back=BACK, symbol=st.one_of(st.none(), SYMBOLS), timeframe=st.one_of(st.none(), TIMEFRAMES))
    def purge(self, back: int, symbol: str | None, timeframe: str | None) -> None:
        self.alike(lambda store: store.purge(self.clock.now - back, symbol, timeframe))

    @rule(back=BACK, symbol=SYMBOLS, timeframe=TIMEFRAMES, start=AT, end=AT)
    def as_of(self, back: int, symbol: str, timeframe: str, start: Any, end: Any) -> None:
        at = self.clock.now - back
        self.alike(lambda store: store.revision_at(symbol, timeframe, at))
        self.alike(lambda store: store.find(symbol, timeframe, as_of=at))
        self.alike(lambda store: store.read(symbol, timeframe, start, end, as_of=at))
        self.alike(lambda store: store.snapshot(symbol, timeframe, start, end, as_of=at))
        self.alike(lambda store: store.count(symbol, timeframe, start, end, as_of=at))
        self.alike(lambda store: store.date_range(symbol, timeframe, as_of=at))
        self.alike(lambda store: store.revision_before(symbol, timeframe, as_of=at))
        self.alike(lambda store: store.revision_before(symbol, timeframe, START + 1, as_of=at))
        self.alike(lambda store: store.first_changed(symbol, timeframe, 1, as_of=at))
        self.alike(lambda store: store.series(as_of=at))
        self.alike(lambda store: store.series_of(symbol, as_of=at))
        self.alike(lambda store: store.writes(symbol, timeframe))

    @rule()
    def compact(self) -> None:
        self.alike(lambda store: store.compact())

    @rule()
    def open_again(self) -> None:
        for store in self.stores[1:]:
            store.close()
        self.stores[1:] = self.opened()

    @invariant()
    def list_alike(self) -> None:
        self.alike(lambda store: store.series())
        self.alike(lambda store: store.quarantined())
        self.alike(lambda store: [store.series_of(symbol) for symbol in ("A", "B/C", "D|é")])

    @invariant()
    def touch_alike(self) -> None:
        self.alike(_touched)


def _touched(store: CandleRepository) -> list[Any]:
    """What a store says of the touched days of every series, for each day and revision that may matter."""
    said: list[Any] = []
    first = START // DAY * DAY
    for one in store.series():
        assert store.revision_before(one.symbol, one.timeframe) == one.revision
        said.append([store.revision_before(one.symbol, one.timeframe, first + k * DAY + 1) for k in range(-3, 6)])
        said.append([store.first_changed(one.symbol, one.timeframe, since) for since in range(one.revision + 1)])
    return said


def _answer(store: CandleRepository, call: Callable[[CandleRepository], Any]) -> Any:
    try:
        return call(store)
    except CandlewickError as error:
        return type(error), str(error)


TestBackends = Backends.TestCase
TestBackends.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)


@pytest.mark.slow
@pytest.mark.timeout(3600)
class TestManyBackends(Backends.TestCase):  # type: ignore[name-defined, misc]
    settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
