"""Law: however many threads ask while candles come and are corrected, an answer is what a rebuild gives."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from candlewick.candles import VALUES, Candles
from candlewick.engine.compute import warm_up
from candlewick.engine.query import query
from candlewick.service.answer import Answer
from candlewick.service.optimized import OptimizedService
from candlewick.service.request import Request
from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository

TIMEFRAMES = ("5m", "5m", "15m", "1h", "1d")
SPECS = ("desk", "desk", "sma(9),rsi(14)", "macd,stochastic")
MAX_CACHE_MB = 64


class Market:
    """Simulated days held back, given out minute by minute, with a correction now and then."""

    def __init__(self, store: CandleRepository, symbols: int, sessions: int, known: int) -> None:
        self.store = store
        self.rest: dict[str, Candles] = {}
        self.locks: dict[str, threading.Lock] = {}
        batch = []
        for candles in simulate([f"SIM{k:03d}" for k in range(symbols)], "XNYS", sessions, seed=11):
            cut = len(candles) * known // sessions
            batch.append(candles.rows(0, cut))
            self.rest[candles.symbol] = candles.rows(cut, len(candles))
            self.locks[candles.symbol] = threading.Lock()
        store.upsert_many(batch)
        self.symbols = sorted(self.locks)

    def move(self, symbol: str, draw: np.random.Generator) -> None:
        """The next minute of a symbol; one time in twenty a stored candle is corrected instead."""
        with self.locks[symbol]:
            if draw.random() < 0.05:
                first, last = self.store.date_range(symbol, "1m")
                some = self.store.read(symbol, "1m", int(draw.integers(first, last))).rows(0, 1)
                self.store.upsert(corrected(some, float(draw.integers(1, 9))))
            elif len(self.rest[symbol]):
                self.store.upsert(self.rest[symbol].rows(0, 1))
                self.rest[symbol] = self.rest[symbol].rows(1, len(self.rest[symbol]))


def corrected(candles: Candles, by: float) -> Candles:
    values = {name: getattr(candles, name) + by for name in VALUES}
    return Candles.trusted(candles.symbol, candles.timeframe, candles.calendar, candles.microseconds, values)


def assert_rebuilt(answer: Answer, store: CandleRepository, request: Request) -> None:
    whole = query(store, request.symbol, request.timeframe, request.indicators, start=request.start, end=request.end)
    assert answer.bars == whole.bars
    assert whole.indicators is not None
    for name, values in answer.indicators.items():
        assert values.tobytes() == whole.indicators[name].tobytes(), f"{request.symbol} {request.timeframe} {name}"


@pytest.fixture(params=["memory", "duckdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CandleRepository]:
    with open_store("memory:" if request.param == "memory" else tmp_path / "many.duckdb") as opened:
        yield opened


def storm(
    store: CandleRepository, *, threads: int, symbols: int, seconds: float, least: int, every: int
) -> tuple[int, int, int]:
    """How many requests, answers checked and writes there were, of ``threads`` threads and one writer, who each go on
    for ``seconds`` and until ``least`` are done."""
    market = Market(store, symbols, sessions=6, known=5)
    for specs in SPECS:
        warm_up(specs)
    until = time.monotonic() + seconds

    with OptimizedService(store, max_cache_mb=MAX_CACHE_MB) as service:

        def ask(seed: int) -> tuple[int, int]:
            draw = np.random.default_rng(seed)
            asked = checked = 0
            while asked < least or time.monotonic() < until:
                symbol = market.symbols[int(draw.zipf(1.3)) % len(market.symbols)]
                start = None if draw.random() < 0.3 else f"2024-01-0{draw.integers(2, 6)}"
                made = Request.of(symbol, str(draw.choice(TIMEFRAMES)), str(draw.choice(SPECS)), start=start)
                asked += 1
                if asked % every == 0:
                    with market.locks[symbol]:
                        assert_rebuilt(service.candles(made), store, made)
                    checked += 1
                else:
                    service.candles(made)
            return asked, checked

        def write() -> int:
            draw = np.random.default_rng(0)
            moves = 0
            while moves < least or time.monotonic() < until:
                market.move(str(draw.choice(market.symbols)), draw)
                moves += 1
                time.sleep(0.002)
            return moves

        with ThreadPoolExecutor(threads + 1) as pool:
            writing = pool.submit(write)
            done = [one.result() for one in [pool.submit(ask, seed) for seed in range(1, threads + 1)]]
            writes = writing.result()
        assert service.cache.stats().bytes <= MAX_CACHE_MB * 1024 * 1024
    return sum(asked for asked, _ in done), sum(checked for _, checked in done), writes


def test_answers_equal_a_rebuild_under_threads(store: CandleRepository) -> None:
    asked, checked, writes = storm(store, threads=8, symbols=12, seconds=0, least=40, every=10)
    assert (asked, checked, writes) == (320, 32, 40)


@pytest.mark.slow
def test_sixty_four_threads_on_two_hundred_symbols_for_a_minute(store: CandleRepository) -> None:
    asked, checked, writes = storm(store, threads=64, symbols=200, seconds=60, least=0, every=100)
    assert min(asked // 100, checked, writes) > 64, "too few to show anything"
