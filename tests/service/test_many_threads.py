"""Law: however many threads ask while candles come and are corrected, an answer is what a rebuild gives."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import product
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
from candlewick.validator.growth import counter
from candlewick.validator.slope import slope_of

TIMEFRAMES = ("5m", "5m", "15m", "1h", "1d")
SPECS = ("desk", "desk", "sma(9),rsi(14)", "macd,stochastic")
STARTS = (None, "2024-01-05")
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


@dataclass
class Storm:
    """What was done, and after each round how many requests in all and what they left behind (``left``)."""

    asked: int = 0
    checked: int = 0
    writes: int = 0
    requests: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


def storm(
    store: CandleRepository,
    *,
    threads: int,
    symbols: int,
    seconds: float,
    least: int,
    every: int,
    rounds: int = 1,
    in_use: Callable[[], int] = int,
) -> Storm:
    """What ``threads`` threads and one writer do in ``rounds`` rounds, in each of which all go on for ``seconds`` and
    until ``least`` are done. Between rounds nothing runs, and bytes ``in_use`` less those of the cache are noted."""
    market = Market(store, symbols, sessions=6, known=5)
    for specs in SPECS:
        warm_up(specs)
    done = Storm()
    with OptimizedService(store, max_cache_mb=MAX_CACHE_MB) as service:

        def ask(draw: np.random.Generator, until: float) -> tuple[int, int]:
            asked = checked = 0
            while asked < least or time.monotonic() < until:
                symbol = market.symbols[int(draw.zipf(1.3)) % len(market.symbols)]
                start = STARTS[int(draw.integers(len(STARTS)))]
                made = Request.of(symbol, str(draw.choice(TIMEFRAMES)), str(draw.choice(SPECS)), start=start)
                asked += 1
                if asked % every == 0:
                    with market.locks[symbol]:
                        assert_rebuilt(service.candles(made), store, made)
                    checked += 1
                else:
                    service.candles(made)
            return asked, checked

        def write(draw: np.random.Generator, until: float) -> int:
            moves = 0
            while moves < least or time.monotonic() < until:
                market.move(str(draw.choice(market.symbols)), draw)
                moves += 1
                time.sleep(0.002)
            return moves

        writer, *askers = [np.random.default_rng(seed) for seed in range(threads + 1)]
        with ThreadPoolExecutor(threads + 1) as pool:
            if rounds > 1:  # what is kept of each question is kept by now, or has been let go for another one
                every_one = product(market.symbols, sorted(set(TIMEFRAMES)), sorted(set(SPECS)), STARTS)
                for _ in pool.map(lambda one: service.candles(Request.of(*one[:3], start=one[3])), every_one):
                    pass
            for _ in range(rounds):
                until = time.monotonic() + seconds
                writing = pool.submit(write, writer, until)
                for one in [pool.submit(ask, draw, until) for draw in askers]:
                    asked, checked = one.result()
                    done.asked += asked
                    done.checked += checked
                done.writes += writing.result()
                cached = service.cache.stats().bytes
                assert cached <= MAX_CACHE_MB * 1024 * 1024
                gc.collect()
                done.requests.append(done.asked)
                done.left.append(in_use() - cached)
    return done


def test_answers_equal_a_rebuild_under_threads(store: CandleRepository) -> None:
    done = storm(store, threads=8, symbols=12, seconds=0, least=40, every=10)
    assert (done.asked, done.checked, done.writes) == (320, 32, 40)


@pytest.mark.slow
@pytest.mark.parametrize("url", ["memory:", "many.duckdb"])
def test_sixty_four_threads_on_two_hundred_symbols_for_a_minute(url: str, tmp_path: Path) -> None:
    """In a process of its own, whose bytes in use the C library counts exactly (`validator.growth`)."""
    done = subprocess.run(
        [sys.executable, __file__, url],
        env=os.environ | COUNTED,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found = Storm(**json.loads(done.stdout))
    assert min(found.asked // 100, found.checked, found.writes) > 64, "too few to show anything"
    growth = slope_of(found.requests[WARM:], found.left[WARM:])
    stored = CANDLE * found.writes / found.asked
    assert growth.upper <= 50 + stored, f"{growth} bytes a request, of which {stored:.1f} are stored candles; {found}"


COUNTED = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0", "MALLOC_ARENA_MAX": "2"}
"""What a thread has freed and keeps for itself would count as in use, until 64 threads have kept all they may."""
WARM = 2
"""Rounds that do not count."""
CANDLE = 64
"""Bytes that a stored candle takes, with what is written down about it."""

if __name__ == "__main__":
    with open_store(sys.argv[1]) as opened:
        seen = storm(
            opened, threads=64, symbols=200, seconds=5, least=0, every=100, rounds=12 + WARM, in_use=counter()[1]
        )
    sys.stdout.write(json.dumps(asdict(seen)))
