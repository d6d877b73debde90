"""Guards: from pairs of outcomes to a breach. Pure: no clock, no chance, no memory but the state handed in.

1. ``observe`` takes a pair that was chosen beforehand to be computed by both engines, and files it as an incident where
   the engines differ: one failed and the other answered; one was slow and the other not; V2's numbers are wrong.
2. A key counts at most once in a window, so that a caller who tries again is one incident.
3. ``breach`` says whether an incident count has reached its threshold: failures and slowness by an e-value, each with
   half of alpha; wrong numbers by their count, since the exact value leaves no doubt; memory by readings in a row.

A symbol on which both engines fail alike is no incident, however often it fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from candlewick.definitions import Value
from candlewick.delivery.evidence import threshold
from candlewick.delivery.outcome import Attempt, Pair, Result, Verdict
from candlewick.delivery.tally import Tally

STATISTICAL = 2
"""Guards that share alpha: failure and slowness."""
HIGH_READINGS = 3
"""Readings in a row above the ceiling: one may be a passing peak."""


@dataclass(frozen=True)
class GuardSettings:
    """What the guards go by: times in seconds, memory in bytes."""

    window: float
    minimum: int
    alpha: float
    mismatches: int
    slow_factor: float
    slow_floor: float
    memory_ceiling: int

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> GuardSettings:
        """From the flags in force."""
        return cls(
            float(values["guard_window_seconds"]),
            int(values["guard_minimum"]),
            float(values["guard_alpha"]),
            int(values["guard_mismatches"]),
            float(values["slow_factor"]),
            float(values["slow_floor_ms"]) / 1000.0,
            int(values["memory_ceiling_mb"]) * 1_048_576,
        )


@dataclass(frozen=True)
class GuardState:
    """Evidence of one step. ``trial``: which run of evidence of the rollout it is, from 1 on. ``pairs``: those looked
    at; ``unchosen``: discordant failures that nobody chose beforehand, for the eye only."""

    step: int = 0
    trial: int = 1
    pairs: int = 0
    unchosen: int = 0
    failure: Tally = field(default_factory=Tally)
    slowness: Tally = field(default_factory=Tally)
    mismatch: Tally = field(default_factory=Tally)
    high_readings: int = 0
    memory: int = 0


@dataclass(frozen=True)
class Breach:
    """Why V2 has to go. ``evidence`` is plain data for the journal."""

    guard: str
    text: str
    evidence: Mapping[str, Any]


def observe(state: GuardState, pair: Pair, settings: GuardSettings) -> GuardState:
    """The state after a pair. A pair of another step, or with an engine missing, changes nothing."""
    if pair.step != state.step or pair.v1 is None or pair.v2 is None:
        return state
    failed = blame_for_failure(pair)
    if not pair.chosen:
        return replace(state, unchosen=state.unchosen + 1) if failed is not None else state
    failure, slowness, mismatch = state.failure, state.slowness, state.mismatch
    if failed is not None:
        failure = failure.add(pair.key, pair.at, failed, settings.window)
    slow = blame_for_slowness(pair, settings)
    if slow is not None:
        slowness = slowness.add(pair.key, pair.at, slow, settings.window)
    if pair.verdict is Verdict.MISMATCH:
        mismatch = mismatch.add(pair.key, pair.at, True, settings.window)
    return replace(state, pairs=state.pairs + 1, failure=failure, slowness=slowness, mismatch=mismatch)


def observe_memory(state: GuardState, used: int, exposed: bool, settings: GuardSettings) -> GuardState:
    """The state after a reading of the process's memory, in bytes; held against V2 only while it is exposed."""
    high = exposed and used > settings.memory_ceiling
    return replace(state, memory=used, high_readings=state.high_readings + 1 if high else 0)


def blame_for_failure(pair: Pair) -> bool | None:
    """True where V2 is to blame, False where V1 is, None where both ended alike."""
    if pair.v1 is None or pair.v2 is None:
        return None
    first, second = pair.v1.result, pair.v2.result
    # Too much for either is neither's fault: what V2 overran, V1 must have done in the same time, and the reverse.
    if pair.v1.seconds > pair.deadline and (pair.v2.overrun or second is Result.ANSWERED):
        first = Result.FAILED
    if first is second:
        return None
    badness = (Result.ANSWERED, Result.REFUSED, Result.FAILED)
    return badness.index(second) > badness.index(first)


def blame_for_slowness(pair: Pair, settings: GuardSettings) -> bool | None:
    """True where V2 was slow beside V1, False the other way round, None where neither, or one did not answer."""
    if pair.first or not (_answered(pair.v1) and _answered(pair.v2)):
        return None
    assert pair.v1 is not None
    assert pair.v2 is not None
    if _slow(pair.v2.seconds, pair.v1.seconds, settings):
        return True
    return False if _slow(pair.v1.seconds, pair.v2.seconds, settings) else None


def breach(state: GuardState, settings: GuardSettings, now: float) -> Breach | None:
    """The first guard that has reached its threshold. ``now``: monotonic seconds, on the scale of the pairs."""
    if state.mismatch.blaming_v2 >= settings.mismatches:
        text = f"{state.mismatch.blaming_v2} wrong answers of V2, by the exact value"
        return Breach("mismatch", text, _evidence(state, state.mismatch, settings.mismatches, now))
    limit = threshold(state.trial, settings.alpha / STATISTICAL)
    for guard, tally, words in (("failure", state.failure, "failed"), ("slowness", state.slowness, "was slow")):
        if tally.incidents >= settings.minimum and tally.e_value >= limit:
            text = f"V2 {words} in {tally.blaming_v2} of {tally.incidents} incidents, V1 in the others"
            return Breach(guard, text, _evidence(state, tally, limit, now) | {"e_value": tally.e_value})
    if state.high_readings >= HIGH_READINGS:
        text = f"the process takes {state.memory / 1_048_576:.0f} MiB, above {settings.memory_ceiling / 1_048_576:.0f}"
        found = {"readings": state.high_readings, "bytes": state.memory, "threshold": settings.memory_ceiling}
        return Breach("memory", text, found | {"trial": state.trial, "step": state.step})
    return None


def as_dict(state: GuardState, settings: GuardSettings) -> dict[str, Any]:
    """Every guard with what it has seen and what it waits for, as plain data."""
    limit = threshold(state.trial, settings.alpha / STATISTICAL)
    statistical = {
        name: {
            "incidents": tally.incidents,
            "blaming_v2": tally.blaming_v2,
            "e_value": tally.e_value,
            "threshold": limit,
            "minimum": settings.minimum,
            "keys": tally.blamed,
        }
        for name, tally in (("failure", state.failure), ("slowness", state.slowness))
    }
    wrong = {"incidents": state.mismatch.blaming_v2, "threshold": settings.mismatches, "keys": state.mismatch.blamed}
    memory = {"bytes": state.memory, "threshold": settings.memory_ceiling, "high_readings": state.high_readings}
    return {
        **statistical,
        "mismatch": wrong,
        "memory": memory,
        "pairs": state.pairs,
        "unchosen": state.unchosen,
        "trial": state.trial,
        "alpha": settings.alpha,
        "window_seconds": settings.window,
    }


def _evidence(state: GuardState, tally: Tally, limit: float, now: float) -> dict[str, Any]:
    latest = max((at for at, _ in tally.last.values()), default=now)
    return {
        "incidents": tally.incidents,
        "blaming_v2": tally.blaming_v2,
        "repeated": tally.repeated,
        "repeated_blaming_v2": tally.repeated_blaming_v2,
        "threshold": limit,
        "keys": tally.blamed,
        "pairs": state.pairs,
        "trial": state.trial,
        "step": state.step,
        "seconds_after_request": round(now - latest, 3),
    }


def _answered(attempt: Attempt | None) -> bool:
    return attempt is not None and attempt.result is Result.ANSWERED


def _slow(seconds: float, other: float, settings: GuardSettings) -> bool:
    return seconds > settings.slow_factor * other and seconds - other > settings.slow_floor
