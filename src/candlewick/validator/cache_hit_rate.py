"""cache_hit_rate: how many answers of the committed mix V2 gives from what it keeps.

Over 200 simulated symbols in a temporary store. Both what the answers say of themselves and what the cache counted are
looked at; the lower of the two is judged.
"""

from __future__ import annotations

from typing import Any

from candlewick.benchmarks.mix import CACHE_MB, SEED, SKEW, Mix
from candlewick.benchmarks.play import fill, play
from candlewick.store.open import open_store
from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.result import Result, judged

NAME = "cache_hit_rate"
THRESHOLD = 85.0


def run(context: Context) -> Result:
    """``measured``: percent of answers that are hits or extensions."""
    mix = Mix(minutes=context.profile.mix_minutes, symbols=context.profile.mix_symbols)
    with open_store("memory:") as store, context.application(store) as built:
        context.progress(f"{NAME}: {mix.symbols} symbols, {mix.sessions} sessions")
        fill(store, mix)
        before = stats_of(built.optimized)
        total = mix.minutes * mix.requests

        def said(done: int) -> None:
            context.progress(f"{NAME}: {done:,} of {total:,} requests")

        played = play(mix.steps(), built.optimized, store, said, json=False)
        after = stats_of(built.optimized)
    counted = {name: after[name] - before[name] for name in ("hits", "extensions", "misses")}
    looked_up = sum(counted.values())
    own = (counted["hits"] + counted["extensions"]) / looked_up if looked_up else 0.0
    measured = round(100 * min(played.hit_rate, own), 2)
    evidence: dict[str, Any] = {
        "unit": "% of answers",
        "mix": {"seed": SEED, "skew": SKEW, "symbols": mix.symbols, "minutes": mix.minutes, "cache_mb": CACHE_MB},
        "requests": played.requests,
        "answers": dict(played.outcomes),
        "answers_percent": round(100 * played.hit_rate, 2),
        "cache": counted,
        "cache_percent": round(100 * own, 2),
        "appended_candles": played.appended,
        "corrected_candles": played.corrected,
        "seconds": round(played.seconds, 3),
    }
    reason = f"{measured:g}% of the mix's answers come from the cache, less than {THRESHOLD:g}%"
    return judged(NAME, measured >= THRESHOLD, measured, THRESHOLD, evidence, reason)


def stats_of(service: Any) -> dict[str, int]:
    """What the cache of V2 has counted so far."""
    stats = service.cache.stats()
    return {name: int(getattr(stats, name)) for name in ("hits", "extensions", "misses")}


CACHE_HIT_RATE = Check(NAME, THRESHOLD, run, timed=False)
