"""A clock that moves only when told, contenders that take a stated time, small series."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from candlewick.benchmarks.contest import Contender, Contest, Result, Status, race
from candlewick.benchmarks.machine import Machine


@dataclass
class HandClock:
    """Nanoseconds that pass only by ``spend``."""

    now: int = 0

    def __call__(self) -> int:
        return self.now

    def spend(self, nanoseconds: int) -> None:
        self.now += nanoseconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def contender(clock: HandClock) -> Callable[..., Contender]:
    """A maker of contenders whose calls take ``times`` in turn (the untimed first call among them)."""

    def make(name: str, times: Sequence[int], *, units: int = 10, answer: Any = (1.0, 2.0), **rest: Any) -> Contender:
        ahead = iter(times)

        def run() -> Any:
            clock.spend(next(ahead))
            return answer

        return Contender(name, units, lambda: run, lambda found: {"x": np.array(found, dtype=float)}, **rest)

    return make


@pytest.fixture
def machine() -> Machine:
    return Machine("a CPU", 2, 8.0, "a system", "3.11", 23.0, 0.5, {"numpy": "2"})


@pytest.fixture
def agree() -> Callable[[Contest], dict[str, Result]]:
    """Run a real contest on a still clock: whoever is installed must have computed what ours did."""

    def hold(contest: Contest) -> dict[str, Result]:
        moments = iter(range(1, 1_000_000))
        results = {r.name: r for r in race(contest, clock=lambda: next(moments), cpu_clock=lambda: next(moments))}
        for one in contest.contenders:
            installed = all(importlib.util.find_spec(package) for package in one.packages)
            expected = Status.MEASURED if installed else Status.ABSENT
            assert results[one.name].status is expected, results[one.name]
            assert len(results[one.name].wall) == (contest.rounds if installed else 0)
        return results

    return hold
