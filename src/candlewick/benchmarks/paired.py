"""Paired: the same requests put to both engines in turn, so that a slow spell of the machine meets both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from candlewick.benchmarks.mix import Append, Ask, Step
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.store.repository import CandleRepository

Clock = Callable[[], float]


@dataclass(frozen=True)
class Pairs:
    """Seconds that each request took: on V1 and on V2, in the order asked."""

    classic: tuple[float, ...]
    optimized: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """V2's time for all of them as a share of V1's."""
        return sum(self.optimized) / sum(self.classic)

    @property
    def median_ratio(self) -> float:
        """The middle one of the requests' own ratios."""
        return statistics.median(second / first for first, second in zip(self.classic, self.optimized, strict=True))


def ask_pairs(
    classic: AnalyticsService,
    optimized: AnalyticsService,
    requests: Sequence[Request],
    clock: Clock = time.perf_counter,
) -> Pairs:
    """Each request once on either engine, its JSON written; who goes first changes from request to request."""
    return play_pairs(classic, optimized, None, [Ask(request, "own") for request in requests], clock)


def play_pairs(
    classic: AnalyticsService,
    optimized: AnalyticsService,
    store: CandleRepository | None,
    steps: Iterable[Step],
    clock: Clock = time.perf_counter,
) -> Pairs:
    """The steps of a mix: candles go to the store that both engines read, each request to both, one after the other."""
    times: tuple[list[float], list[float]] = ([], [])
    engines = (classic, optimized)
    for step in steps:
        if isinstance(step, Ask):
            first = len(times[0]) % 2
            for place in (first, 1 - first):
                started = clock()
                engines[place].candles(step.request).json()
                times[place].append(clock() - started)
        elif store is not None:
            rows = step.candles if isinstance(step, Append) else (step.candles,)
            store.upsert_many(rows)
    return Pairs(tuple(times[0]), tuple(times[1]))


def first_asks(steps: Iterable[Step], asks: int) -> list[Step]:
    """The steps up to request number ``asks``."""
    found: list[Step] = []
    left = asks
    for step in steps:
        if left == 0:
            break
        left -= isinstance(step, Ask)
        found.append(step)
    return found
