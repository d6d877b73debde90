"""The whole service: V2 against V1 on the committed mix, requests to JSON, with memory and cache hits beside the time.

Each engine has a DuckDB store of its own with the mix's 200 symbols. V2 has served the first part of the day already,
as it has on any desk but for the first minutes; V1 keeps nothing, so its store only took the candles of that part.
Then both go through the day in turn, some minutes a call, candles that arrive included.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from candlewick.benchmarks.agreement import Answers
from candlewick.benchmarks.benchmark import Benchmark
from candlewick.benchmarks.contest import Contender, Contest
from candlewick.benchmarks.goal import AtLeast, Faster
from candlewick.benchmarks.mix import CACHE_MB, Append, Ask, Mix, Step
from candlewick.benchmarks.peak_memory import measure, smallest
from candlewick.benchmarks.play import SERVED, fill
from candlewick.service.answer import Answer
from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.service.service import AnalyticsService
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository

CLASSIC, OPTIMIZED = "classic (V1)", "optimized (V2)"
BEFORE, MINUTES, ROUNDS = 60, 5, 3
FACTORY = f"{__name__}:engines"
CHART = 17 * 8 * 200.0
"""Bytes of a usual answer: the columns of some two hundred bars."""


@dataclass(frozen=True)
class Size:
    """How much of the mix: minutes before those that are timed, and minutes a call. ``symbols``, ``sessions``,
    ``repeats``: of the history that memory is measured on, and in how many processes."""

    mix: Mix
    before: int
    minutes: int
    rounds: int
    symbols: int = 8
    sessions: int = 250
    repeats: int = 3


FULL = Size(Mix(minutes=BEFORE + (ROUNDS + 1) * MINUTES), BEFORE, MINUTES, ROUNDS)
SMALL = Size(Mix(symbols=8, sessions=5, minutes=8, requests=6), 2, 2, 2, symbols=2, sessions=3, repeats=1)


@dataclass
class Day:
    """One engine on its way through the day."""

    store: CandleRepository
    service: AnalyticsService
    steps: Iterator[Step]
    outcomes: Counter[str] = field(default_factory=Counter)

    def play(self, minutes: int, *, asking: bool = True) -> list[Answer]:
        """The next minutes: candles to the store, each answer written as JSON; without ``asking`` only the candles."""
        found: list[Answer] = []
        for step in self._next(minutes):
            if not isinstance(step, Ask):
                self.store.upsert_many(step.candles if isinstance(step, Append) else (step.candles,))
            elif asking:
                answer = self.service.candles(step.request)
                answer.json()
                self.outcomes[answer.cache] += 1
                found.append(answer)
        return found

    @property
    def hit_rate(self) -> float:
        """Hits and extensions of all answers so far, the day's first ones included."""
        return sum(self.outcomes[name] for name in SERVED) / max(1, self.outcomes.total())

    def close(self) -> None:
        """Let go of engine and store."""
        self.service.close()
        self.store.close()

    def _next(self, minutes: int) -> list[Step]:
        """Steps up to where the minute after the last wanted one begins."""
        found: list[Step] = []
        for step in self.steps:
            minutes -= isinstance(step, Append) and bool(found)
            if minutes == 0:
                self.steps = chain([step], self.steps)
                break
            found.append(step)
        return found


class Engines:
    """Both engines over one store, as the measuring process of `peak_memory` wants them."""

    def __init__(self, store: CandleRepository) -> None:
        self.store = store
        self.classic = ClassicService(store)
        self.optimized = OptimizedService(store, max_cache_mb=CACHE_MB)

    def close(self) -> None:
        """Let go of engines and store."""
        self.optimized.close()
        self.classic.close()
        self.store.close()


def engines(url: str, _: Path | None = None) -> Engines:
    """Both engines over the store at ``url``."""
    return Engines(open_store(url))


def service(size: Size, folder: Path) -> Contest:
    """V2, then V1, over stores of their own in ``folder``."""
    requests = size.minutes * size.mix.requests
    days: dict[str, Day] = {}

    def prepared(name: str, make: Callable[[CandleRepository], AnalyticsService], asking: bool) -> Callable[[], Any]:
        store = open_store(folder / f"{name.partition(' ')[0]}.duckdb")
        fill(store, size.mix)
        day = days[name] = Day(store, make(store), size.mix.steps())
        day.play(size.before, asking=asking)
        return lambda: day.play(size.minutes)

    def figures() -> dict[str, float]:
        hit_rate = days[OPTIMIZED].hit_rate
        for day in days.values():
            day.close()
        peaks = measure(FACTORY, folder, symbols=size.symbols, sessions=size.sessions, repeats=size.repeats)
        classic, optimized = smallest(peaks["classic"]), smallest(peaks["optimized"])
        return {
            "hit_rate": hit_rate,
            "memory_saved": 1 - optimized.growth / max(1, classic.growth),
            "memory_mb": optimized.growth / 1e6,
            "memory_mb_of_classic": classic.growth / 1e6,
            "memory_mb_full_cache": optimized.full / 1e6,
        }

    return Contest(
        [
            Contender(
                OPTIMIZED,
                requests,
                lambda: prepared(OPTIMIZED, lambda store: OptimizedService(store, max_cache_mb=CACHE_MB), True),
                last_values,
                ours=True,
                note="the day's first part is behind it; candles that arrive are written in the same call",
                figures=figures,
            ),
            Contender(CLASSIC, requests, lambda: prepared(CLASSIC, ClassicService, False), last_values, ("pandas",)),
        ],
        CHART,
        size.rounds,
    )


def last_values(answers: list[Answer]) -> Answers:
    """Of each answer how many bars it has, its last close, and the last value of its first indicator."""
    firsts = [next(iter(answer.indicators.values())) for answer in answers]
    return {
        "bars": np.array([len(answer.bars) for answer in answers], dtype=np.float64),
        "close": np.array([answer.bars.close[-1] if len(answer.bars) else np.nan for answer in answers]),
        "indicator": np.array([first[-1] if len(first) else np.nan for first in firsts]),
    }


SERVICE = Benchmark(
    name="service",
    title="the whole service on the committed mix: V2 against V1",
    unit="request",
    target=(
        Faster(1.67, CLASSIC),
        AtLeast("memory_saved", 0.60, "60% less memory"),
        AtLeast("hit_rate", 0.85, "85% cache hits"),
    ),
    stretch=(
        Faster(10.0, CLASSIC),
        AtLeast("memory_saved", 0.90, "90% less memory"),
        AtLeast("hit_rate", 0.95, "95% cache hits"),
    ),
    full=lambda folder: service(FULL, folder),
    quick=lambda folder: service(SMALL, folder),
)
