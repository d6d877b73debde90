"""What was known stays known: reads as of random moments are what was read at those moments, bit for bit."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.postgres_server import postgres_server

from candlewick.candles import Candles
from candlewick.errors import CandlewickError
from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.history import DAY
from candlewick.store.memory import MemoryStore
from candlewick.store.postgres import PostgresStore
from candlewick.store.repository import CandleRepository, Snapshot
from candlewick.testing.stored_candles import START
from candlewick.timeframe import MINUTE

pytestmark = pytest.mark.untraced

SERIES = (("A", "1m", "XNYS"), ("A", "5m", "XNYS"), ("B/C", "1m", "24/7"), ("D|é", "1d", "24/7"))
WIDTH, A_DAY = 400, 40
"""How many candles there may be, and how many of them a day: few, so that edits meet."""


def time_of(number: int) -> int:
    """When a candle opens."""
    return START + number // A_DAY * DAY + number % A_DAY * MINUTE


def number_of(time: int) -> int:
    """Which candle opens then."""
    return (time - START) // DAY * A_DAY + (time - START) % DAY // MINUTE


class ErraticClock:
    """Stands still, jumps and goes back: the moments of writes must not. ``looked``: it is this moment now, and it will
    not be again, since what is written at the moment of a look is known at that moment."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.now = 1_800_000_000_000_000
        self._least = 0

    def wall(self) -> int:
        self.now = max(self._least, self.now + self._chance.choice([0, 0, 1, 2, 50, 1000, -30]))
        return self.now

    def looked(self, moment: int) -> int:
        moment = max(moment, self.now)
        self._least = moment + 1
        return moment

    def monotonic(self) -> float:
        return 0.0


def edit(chance: random.Random, store: CandleRepository) -> None:
    """One edit of a random kind."""
    symbol, timeframe, calendar = chance.choice(SERIES)
    held = [one for one in store.series_of(symbol) if str(one.timeframe) == timeframe]
    kind = chance.choice(("append", "append", "append", "correct", "insert", "prepend", "delete", "batch", "rarely"))
    newest = number_of(held[0].last) if held else 0
    if kind == "append" and newest < WIDTH:
        store.upsert(candles(chance, symbol, timeframe, calendar, range(newest + 1, newest + 1 + chance.randint(1, 4))))
    elif kind == "batch":
        some = [candles(chance, *one, [chance.randint(0, WIDTH)]) for one in chance.sample(SERIES, 2)]
        store.upsert_many(some)
    elif kind == "delete" and held:
        low = chance.randint(0, WIDTH)
        store.delete(symbol, timeframe, time_of(low), time_of(low + chance.randint(1, 20)))
    elif kind == "rarely" and chance.random() < 0.1 and held:
        store.delete(symbol, timeframe)
    elif kind == "rarely" and chance.random() < 0.1:
        store.compact()
    else:
        at = [chance.randint(0, WIDTH)] if kind == "correct" else sorted(chance.sample(range(-5, WIDTH), 5))
        store.upsert(candles(chance, symbol, timeframe, calendar, at))


def candles(chance: random.Random, symbol: str, timeframe: str, calendar: str, numbers: Any) -> Candles:
    """Candles with one of few prices each, so that some writes change nothing."""
    at = np.array([time_of(one) for one in numbers], dtype=np.int64)
    close = np.array([chance.choice([1.0, 1.5, 0.1, -3.25]) for _ in at])
    return Candles(
        symbol=symbol,
        timeframe=timeframe,
        calendar=calendar,
        time=at,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=np.abs(close),
    )


def picture(store: CandleRepository, as_of: int | None) -> list[Any]:
    """All that a store says of its series, now or as of a moment."""
    said: list[Any] = [store.series(as_of=as_of)]
    for symbol, timeframe, _ in SERIES:
        calls: list[Callable[[], Any]] = [
            lambda symbol=symbol: store.series_of(symbol, as_of=as_of),
            lambda symbol=symbol, timeframe=timeframe: store.snapshot(symbol, timeframe, as_of=as_of),
            lambda symbol=symbol, timeframe=timeframe: store.read(
                symbol, timeframe, time_of(50), time_of(200), as_of=as_of
            ),
        ]
        for call in calls:
            try:
                said.append(call())
            except CandlewickError as error:
                said.append(type(error))
    return said


def history(store: CandleRepository, clock: ErraticClock, seed: int, edits: int, looks: int) -> None:
    """Edits, with what the store says noted at random moments; then the same is read as of those."""
    chance = random.Random(seed)
    when = set(chance.sample(range(edits), looks))
    known: list[tuple[int, list[Any]]] = []
    for number in range(edits):
        edit(chance, store)
        if number in when:
            moment = clock.looked(max((store.writes(*one)[-1].written_at for one in _written(store)), default=0))
            known.append((moment, picture(store, None)))
    for moment, was in known:
        assert _without_gone(picture(store, moment)) == _without_gone(was)
        for said in was:
            if isinstance(said, Snapshot):
                untouched(store, said, moment)
    for one in _written(store):
        moments = [write.written_at for write in store.writes(*one)]
        assert moments == sorted(set(moments))
        assert [write.revision for write in store.writes(*one)] == list(range(1, len(moments) + 1))
    # What is purged is gone, and what came later is as it was.
    cut = known[len(known) // 2][0]
    store.purge(cut)
    for moment, was in known:
        if moment >= cut:
            assert _without_gone(picture(store, moment)) == _without_gone(was)


def untouched(store: CandleRepository, was: Snapshot, moment: int) -> None:
    """What the store says was touched since a revision is right: before that the candles are still what they were."""
    symbol, timeframe = was.series.symbol, was.series.timeframe
    if timeframe not in [one.timeframe for one in store.series_of(symbol)]:
        return
    changed = store.first_changed(symbol, timeframe, was.series.revision)
    assert store.read(symbol, timeframe, None, changed) == was.candles.between(None, changed)
    for day in range(-1, 12):
        end = (START // DAY + day) * DAY
        before = store.revision_before(symbol, timeframe, end)
        assert before >= store.revision_before(symbol, timeframe, end, as_of=moment)
        assert (before <= was.series.revision) == (changed is None or changed >= end)


def _without_gone(said: list[Any]) -> list[Any]:
    """An empty range of a series that is gone is no error as of a moment at which it was gone already."""
    return [None if isinstance(one, type) or (isinstance(one, Candles) and not len(one)) else one for one in said]


def _written(store: CandleRepository) -> Iterator[tuple[str, str]]:
    for symbol, timeframe, _ in SERIES:
        try:
            store.writes(symbol, timeframe)
        except CandlewickError:
            continue
        yield symbol, timeframe


def opened(kind: str, folder: Path, clock: ErraticClock) -> CandleRepository:
    if kind == "postgres":
        return PostgresStore(postgres_server().url(), clock=clock)
    return MemoryStore(clock=clock) if kind == "memory" else DuckDBStore(folder / "law.duckdb", clock=clock)


@pytest.mark.parametrize(("kind", "edits", "looks"), [("memory", 300, 20), ("duckdb", 30, 3), ("postgres", 40, 4)])
def test_what_was_known_can_be_read_again(kind: str, edits: int, looks: int, tmp_path: Path) -> None:
    clock = ErraticClock(random.Random(1))
    with opened(kind, tmp_path, clock) as store:
        history(store, clock, seed=7, edits=edits, looks=looks)


CHARTS: tuple[dict[str, Any], ...] = (
    {"timeframe": "5m", "indicators": "desk"},
    {"timeframe": "1m", "indicators": "sma(3),rsi(3)", "start": time_of(60), "end": time_of(200)},
    {"timeframe": "15m", "indicators": "vwap,ema(5)", "zero_volume": "drop", "final_only": True},
    {"timeframe": "1d", "indicators": None, "end": "2024-01-03"},
)


def answers(service: AnalyticsService, as_of: int | None) -> list[Any]:
    """What a service says of charts: columns as bytes, revision and name, or the type of error."""
    said: list[Any] = []
    for chart in CHARTS:
        try:
            answer = service.candles(Request.of("A", as_of=as_of, **chart))
        except CandlewickError as error:
            said.append(type(error))
            continue
        columns = {name: values.tobytes() for name, values in answer.columns.items()}
        said.append((columns, answer.revision, answer.fingerprint))
    return said


def answered_again(edits: int, looks: int, seed: int) -> None:
    """Answers of both engines noted at random moments of a random history are given again as of those."""
    chance, clock = random.Random(seed), ErraticClock(random.Random(seed + 1))
    when = set(chance.sample(range(edits), looks))
    known: list[tuple[int, list[Any]]] = []
    with (
        MemoryStore(clock=clock) as store,
        OptimizedService(store, workers=1) as optimized,
        ClassicService(store) as classic,
    ):
        for number in range(edits):
            edit(chance, store)
            if number in when:
                moment = clock.looked(max((store.writes(*one)[-1].written_at for one in _written(store)), default=0))
                known.append((moment, [answers(service, None) for service in (optimized, classic)]))
        for moment, was in known:
            assert [answers(service, moment) for service in (optimized, classic)] == was
        assert any(isinstance(one, tuple) for _, was in known for one in was[0])


def test_what_was_answered_is_answered_again() -> None:
    answered_again(edits=60, looks=6, seed=3)


@pytest.mark.slow
def test_many_answers_are_given_again() -> None:
    for seed in range(10):
        answered_again(edits=300, looks=40, seed=seed)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["memory", "duckdb", "postgres"])
def test_ten_thousand_edits(kind: str, tmp_path: Path) -> None:
    clock = ErraticClock(random.Random(2))
    with opened(kind, tmp_path, clock) as store:
        history(store, clock, seed=11, edits=10_000, looks=200)
