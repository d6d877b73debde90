"""memory: how much less V2 takes than V1 at its peak, above the idle, warmed-up process.

`benchmarks/peak_memory.py` says how that is measured.
"""

from __future__ import annotations

from typing import Any

from candlewick.benchmarks.peak_memory import AT_ONCE, Peaks, measure, smallest
from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.result import Result, judged

NAME = "memory"
THRESHOLD = 60.0


def run(context: Context) -> Result:
    """``measured``: percent of V1's peak growth that V2 saves, the smallest of several measurements of each."""
    profile = context.profile
    found = measure(
        context.build,
        context.folder,
        symbols=profile.memory_symbols,
        sessions=profile.memory_sessions,
        repeats=profile.memory_repeats,
        progress=context.progress,
    )
    classic, optimized = smallest(found["classic"]), smallest(found["optimized"])
    measured = round(100 * (1 - optimized.growth / max(classic.growth, 1)), 1)
    evidence: dict[str, Any] = {
        "unit": "% less memory than V1",
        "load": f"{classic.requests} requests on {profile.memory_symbols} simulated symbols of "
        f"{profile.memory_sessions} sessions, {AT_ONCE} at a time",
        "method": classic.method,
        "repeats": profile.memory_repeats,
        "classic": _megabytes(classic),
        "optimized": _megabytes(optimized),
        "growth_mb_of_each": {name: [_mb(one.growth) for one in peaks] for name, peaks in found.items()},
    }
    reason = f"V2 takes {measured:g}% less than V1 at its peak, not {THRESHOLD:g}%"
    return judged(NAME, measured >= THRESHOLD, measured, THRESHOLD, evidence, reason)


def _megabytes(peaks: Peaks) -> dict[str, float]:
    """As they are shown."""
    return {
        "growth_mb": _mb(peaks.growth),
        "growth_full_cache_mb": _mb(peaks.full),
        "growth_cache_off_mb": _mb(peaks.off),
        "idle_mb": _mb(peaks.idle),
        "whole_process_mb": _mb(peaks.process),
    }


def _mb(amount: int) -> float:
    return round(amount / 1e6, 1)


MEMORY = Check(NAME, THRESHOLD, run)
