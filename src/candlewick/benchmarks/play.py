"""Play: the mix against one engine and its store, and what became of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from candlewick.benchmarks.mix import Append, Ask, Correct, Mix, Step
from candlewick.service.service import AnalyticsService
from candlewick.store.repository import CandleRepository

SERVED = ("hit", "extension")
"""What the cache says of an answer that was not computed anew."""


@dataclass(frozen=True)
class Played:
    """``outcomes``: answers by what the cache did. ``seconds``: spent on the requests alone."""

    requests: int
    appended: int
    corrected: int
    outcomes: Counter[str]
    seconds: float

    @property
    def hit_rate(self) -> float:
        """Hits and extensions of all answers, from 0 to 1; 0 without any."""
        return sum(self.outcomes[name] for name in SERVED) / self.requests if self.requests else 0.0


def play(
    steps: Iterable[Step],
    service: AnalyticsService,
    store: CandleRepository,
    progress: Callable[[int], None] = lambda _: None,
    *,
    json: bool = True,
) -> Played:
    """Take every step: candles go to the store, requests to the service, whose answers are written as JSON if wanted.

    ``progress`` is told after each minute how many requests are done. Raises what the service and the store raise.
    """
    outcomes: Counter[str] = Counter()
    appended = corrected = 0
    seconds = 0.0
    for step in steps:
        if isinstance(step, Ask):
            started = time.perf_counter()
            answer = service.candles(step.request)
            if json:
                answer.json()
            seconds += time.perf_counter() - started
            outcomes[answer.cache] += 1
        elif isinstance(step, Append):
            store.upsert_many(step.candles)
            appended += len(step.candles)
            progress(outcomes.total())
        elif isinstance(step, Correct):
            store.upsert(step.candles)
            corrected += 1
    return Played(outcomes.total(), appended, corrected, outcomes, seconds)


def fill(store: CandleRepository, mix: Mix) -> None:
    """Store what there was before the day began."""
    store.upsert_many(mix.history())
    store.compact()
