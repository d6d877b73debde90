"""The law of false alarms by simulation: a V2 no worse than V1 is rolled back in at most alpha of the rollouts, looked
at after every event, however errors are spread over keys and time; and a V2 that is worse is found.

Each request of an exposed key fails on V1 and on V2 by chance, with the same chance for both. Only requests on which
the two differ are fed in: others change nothing, which the tests of the guards show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import sqrt

import numpy as np
import pytest

from candlewick.delivery.flags import default_flags
from candlewick.delivery.guards import GuardSettings, GuardState, breach, observe
from candlewick.delivery.outcome import Attempt, Pair

pytestmark = pytest.mark.untraced

SETTINGS = GuardSettings.of({name: value for name, (value, _) in default_flags().items()})
ALPHA = SETTINGS.alpha
GOOD_V1, GOOD_V2 = Attempt("classic", 0.02), Attempt("optimized", 0.02)
BAD_V1, BAD_V2 = Attempt("classic", 0.02, "Error"), Attempt("optimized", 0.02, "Error")
SLOW_V1, SLOW_V2 = Attempt("classic", 0.2), Attempt("optimized", 0.2)
KEYS = 100
EVENTS = 240
"""Requests on which the engines differ, in two hours."""

Draw = Callable[[np.random.Generator], Iterator[tuple[float, int, bool]]]
"""``(seconds, key, V2 is the one that failed)``, in order of time."""


def times(draw: np.random.Generator, count: int = EVENTS) -> list[float]:
    return sorted(draw.uniform(0, 7200, count).tolist())


def equal(draw: np.random.Generator) -> Iterator[tuple[float, int, bool]]:
    """Every key alike."""
    yield from zip(times(draw), draw.integers(0, KEYS, EVENTS).tolist(), (draw.random(EVENTS) < 0.5).tolist())


def heavy_tailed(draw: np.random.Generator) -> Iterator[tuple[float, int, bool]]:
    """A few keys have nearly all the errors: gamma, shape 0.1. The rollout has drawn some of them, for all its time."""
    rates = draw.gamma(0.1, 1.0, KEYS) + 1e-9
    keys = draw.choice(KEYS, EVENTS, p=rates / rates.sum())
    yield from zip(times(draw), keys.tolist(), (draw.random(EVENTS) < 0.5).tolist())


def shared_incident(draw: np.random.Generator) -> Iterator[tuple[float, int, bool]]:
    """Ten minutes in which both engines fail ten times as often."""
    at = sorted([*times(draw, EVENTS // 2), *draw.uniform(3000, 3600, EVENTS // 2).tolist()])
    count = len(at)
    yield from zip(at, draw.integers(0, KEYS, count).tolist(), (draw.random(count) < 0.5).tolist())


def clustered(draw: np.random.Generator) -> Iterator[tuple[float, int, bool]]:
    """One caller tries again and again: five times on the mean, within fifteen seconds, each with the same end."""
    events = []
    for at in times(draw, EVENTS // 5):
        key, blames = int(draw.integers(0, KEYS)), bool(draw.random() < 0.5)
        tries = draw.uniform(0, 15, draw.geometric(0.2)).tolist()
        events += [(at + after, key, blames) for after in [0.0, *tries]]
    yield from sorted(events)


def drifting(draw: np.random.Generator) -> Iterator[tuple[float, int, bool]]:
    """Both engines fail more and more often, other keys at other times."""
    at = sorted((7200 * np.sqrt(draw.random(EVENTS))).tolist())
    for second in at:
        yield second, int(second / 100 + draw.integers(0, 20)) % KEYS, bool(draw.random() < 0.5)


def alternating(draw: np.random.Generator) -> Iterator[tuple[float, int, bool]]:
    """Bursts over many keys, then silence: what was seen last says nothing about what comes."""
    for start in sorted(draw.uniform(0, 7000, 6).tolist()):
        for second in sorted(draw.uniform(start, start + 30, EVENTS // 6).tolist()):
            yield second, int(draw.integers(0, KEYS)), bool(draw.random() < 0.5)


NULLS: list[Draw] = [equal, heavy_tailed, shared_incident, clustered, drifting, alternating]


def alarm(events: Iterator[tuple[float, int, bool]], trial: int = 1, slowness: bool = False) -> float | None:
    """When the guards would act; None when they never do."""
    worse_v1, worse_v2 = (SLOW_V1, SLOW_V2) if slowness else (BAD_V1, BAD_V2)
    state = GuardState(step=1, trial=trial)
    for at, key, blames_v2 in events:
        v1, v2 = (GOOD_V1, worse_v2) if blames_v2 else (worse_v1, GOOD_V2)
        state = observe(state, Pair(f"K{key}", 1, at, v1, v2), SETTINGS)
        if breach(state, SETTINGS, at) is not None:
            return at
    return None


def false_alarms(null: Draw, runs: int, seed: int, *, trials: int = 1, slowness: bool = False) -> float:
    draw = np.random.default_rng(seed)
    return sum(any(alarm(null(draw), k + 1, slowness) for k in range(trials)) for _ in range(runs)) / runs


def allowed(runs: int) -> float:
    """Alpha and three standard deviations of a share of so many runs."""
    return ALPHA + 3 * sqrt(ALPHA * (1 - ALPHA) / runs)


@pytest.mark.parametrize("null", NULLS, ids=lambda null: null.__name__)
@pytest.mark.parametrize("slowness", [False, True], ids=["failure", "slowness"])
def test_a_healthy_v2_stays(null: Draw, slowness: bool) -> None:
    assert false_alarms(null, 50, 1, slowness=slowness) <= allowed(50)


@pytest.mark.parametrize("null", [equal, heavy_tailed], ids=lambda null: null.__name__)
def test_over_several_steps_too(null: Draw) -> None:
    assert false_alarms(null, 25, 2, trials=4) <= allowed(25)


@pytest.mark.slow
@pytest.mark.parametrize("null", NULLS, ids=lambda null: null.__name__)
@pytest.mark.parametrize("slowness", [False, True], ids=["failure", "slowness"])
def test_a_healthy_v2_stays_in_many_rollouts(null: Draw, slowness: bool) -> None:
    assert false_alarms(null, 400, 3, trials=2, slowness=slowness) <= allowed(400)


def test_what_would_be_a_false_alarm_without_windows_is_seen_by_these_simulations() -> None:
    """A check of the check: were each try of a caller an incident, the clustered null would alarm far too often."""
    draw = np.random.default_rng(4)
    spread = 0
    for _ in range(60):
        events = [(1000.0 * k, key, blames) for k, (_, key, blames) in enumerate(clustered(draw))]
        spread += alarm(iter(events)) is not None
    assert spread / 60 > allowed(60)


def requests(
    draw: np.random.Generator, rate: float, keys: int, v2_fails: Callable[[int], float], seconds: float
) -> Iterator[tuple[float, int, bool]]:
    """Requests a second on V2's keys; V1 fails one in two hundred."""
    count = int(rate * seconds)
    at = np.cumsum(draw.exponential(1 / rate, count))
    key = draw.integers(0, keys, count)
    first = draw.random(count) < 0.005
    second = draw.random(count) < np.array([v2_fails(k) for k in range(keys)])[key]
    differ = first != second
    yield from zip(at[differ].tolist(), key[differ].tolist(), second[differ].tolist())


@pytest.mark.parametrize(
    ("v2_fails", "within"),
    [
        (lambda key: 1.0, 10.0),
        (lambda key: 0.2, 45.0),
        (lambda key: 1.0 if key < 3 else 0.005, 110.0),
    ],
    ids=["always", "a fifth of the requests", "three keys of twenty"],
)
def test_a_v2_that_fails_is_found(v2_fails: Callable[[int], float], within: float) -> None:
    """At 10% of 50 requests a second over 200 keys: five a second on twenty keys, each checked."""
    draw = np.random.default_rng(5)
    found = [alarm(requests(draw, 5.0, 20, v2_fails, 300.0)) for _ in range(40)]
    assert sum(at is not None and at <= within for at in found) >= 38


def test_it_is_found_however_late_it_starts() -> None:
    draw = np.random.default_rng(6)
    delays = []
    for _ in range(20):
        healthy = list(requests(draw, 5.0, 20, lambda key: 0.005, 3600.0))
        failing = [(3600 + at, key, blames) for at, key, blames in requests(draw, 5.0, 20, lambda key: 0.5, 300.0)]
        at = alarm(iter(healthy + failing))
        delays.append(np.inf if at is None else at - 3600)
    assert np.median(delays) <= 90
    assert max(delays) <= 180
