"""Stores that something happened to, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.postgres_server import postgres_server

from candlewick.errors import CandlewickError
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.memory import MemoryStore
from candlewick.store.postgres import PostgresStore
from candlewick.store.repository import CandleRepository
from candlewick.testing.stored_candles import START, refused, some
from candlewick.timeframe import MINUTE

Make = Callable[[], CandleRepository]
KINDS = ("memory", "duckdb", "postgres")
NAMES = (("SPY", "1m"), ("SPY", "5m"), ("BRK/B", "1m"), ("日経225", "1m"))


class Ticking:
    """A clock that goes on by a thousand microseconds each time it is asked."""

    def __init__(self) -> None:
        self.now = START

    def wall(self) -> int:
        self.now += 1000
        return self.now

    def monotonic(self) -> float:
        return self.now / 1e6


def made(kind: str, folder: Path) -> CandleRepository:
    """An empty store of a kind."""
    if kind == "memory":
        return MemoryStore(clock=Ticking())
    if kind == "duckdb":
        number = len(list(folder.glob("*.duckdb")))
        return DuckDBStore(folder / f"{number}.duckdb", clock=Ticking())
    return PostgresStore(postgres_server().url(), clock=Ticking())


Edit = tuple[str, int, int, int, int]


def edited(store: CandleRepository, edits: Sequence[Edit]) -> None:
    """Write, correct, delete, remove for good, purge and refuse, as the numbers say."""
    for what, name, first, length, price in edits:
        symbol, timeframe = NAMES[name % len(NAMES)]
        low, high = START + first * MINUTE, START + (first + length) * MINUTE
        step = 5 if timeframe == "5m" else 1
        try:
            if what == "write":
                store.upsert(
                    some(symbol, range(first * step, (first + length) * step, step), price=price, timeframe=timeframe)
                )
            elif what == "delete":
                store.delete(symbol, timeframe, low, high)
            elif what == "retire":
                store.delete_older_than(low, symbol, timeframe)
            elif what == "purge":
                store.purge(START + price * 1000, symbol, timeframe)
            else:
                store.quarantine([replace(refused("c", first, symbol), row=f"\0{price}\ud800é\t\\")])
        except CandlewickError:
            continue  # nothing of that series is stored just now


LIVED: tuple[Edit, ...] = (
    ("write", 0, 0, 300, 100),
    ("write", 1, 0, 60, 100),
    ("write", 2, 0, 10, -3),
    ("write", 0, 290, 50, 101),
    ("delete", 0, 20, 9, 0),
    ("write", 0, 25, 3, 99),
    ("write", 2, 5, 3, 7),
    ("delete", 2, 0, 100, 0),
    ("write", 3, 0, 30, 5),
    ("write", 3, 3, 9, 6),
    ("purge", 3, 0, 1, 11),
    ("write", 3, 4, 2, 9),
    ("retire", 0, 15, 0, 0),
    ("write", 0, 400, 20, 2),
)


def asked(store: CandleRepository, moments: Sequence[int]) -> dict[Any, Any]:
    """Every answer that a store gives: now and as of moments, with the error in the place of an answer."""
    answers: dict[Any, Any] = {"quarantined": store.quarantined(), "listed": store.series(), "splits": store.splits()}
    for symbol, timeframe in NAMES:
        of = symbol, timeframe
        for method in ("writes", "find", "snapshot", "read", "count"):
            answers[of, method] = _said(lambda method=method, of=of: getattr(store, method)(*of))
        for since in range(0, 12, 4):
            answers[of, "changed", since] = _said(lambda of=of, since=since: store.first_changed(*of, since))
        for at in moments:
            for method in ("snapshot", "read"):
                answers[of, method, at] = _said(
                    lambda method=method, of=of, at=at: getattr(store, method)(*of, as_of=at)
                )
            low = START + 15 * MINUTE
            answers[of, "late", at] = _said(lambda of=of, at=at, low=low: store.read(*of, low, as_of=at))
            answers[of, "revision", at] = _said(lambda of=of, at=at: store.revision_at(*of, at))
    return answers


def _said(ask: Callable[[], Any]) -> Any:
    try:
        found = ask()
    except CandlewickError as error:
        return type(error).__name__, str(error)
    candles = getattr(found, "candles", found if hasattr(found, "microseconds") else None)
    if candles is None:
        return found
    columns = [getattr(candles, name).tobytes() for name in ("microseconds", "open", "high", "low", "close", "volume")]
    return getattr(found, "series", None), candles.calendar.name, columns


def moments(store: CandleRepository, count: int = 4) -> list[int]:
    """Moments at random, and those of the writes."""
    chance = np.random.default_rng(5)
    last = max((one.written_at for name in NAMES for one in _writes(store, name)), default=START)
    found = {int(at) for at in chance.integers(START - 1000, last + 5000, count)}
    every = sorted(one.written_at for name in NAMES for one in _writes(store, name))
    return sorted(found | set(every[::3]))


def _writes(store: CandleRepository, name: tuple[str, str]) -> list[Any]:
    try:
        return store.writes(*name)
    except CandlewickError:
        return []
