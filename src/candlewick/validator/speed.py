"""speed: how much less time V2 takes than V1 for the same requests: candles, indicators and their JSON.

Two loads, each paired and interleaved, round after round: requests about the store's own series, each round with a new
V2 whose cache is empty; and the mix's day, where what V2 keeps counts, as it does on a desk. The smaller saving of the
two is what is judged; a load's saving is that of its middle round.
"""

from __future__ import annotations

import statistics
from typing import Any

from candlewick.benchmarks.mix import Mix
from candlewick.benchmarks.paired import Pairs, ask_pairs, first_asks, play_pairs
from candlewick.benchmarks.play import fill
from candlewick.store.open import open_store
from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.requests import chosen, own_requests
from candlewick.validator.result import Result, judged

NAME = "speed"
THRESHOLD = 40.0
MIX_SYMBOLS = 20


def run(context: Context) -> Result:
    """``measured``: percent of V1's time that V2 saves."""
    loads = {"mix": _mix(context)}
    if context.snapshot.series:
        loads["own_series"] = _own(context)
    savings = {name: 100 * (1 - statistics.median(one.ratio for one in rounds)) for name, rounds in loads.items()}
    measured = round(min(savings.values()), 1)
    evidence: dict[str, Any] = {"unit": "% less time than V1", "store": context.snapshot.extent}
    for name, rounds in loads.items():
        evidence[name] = {
            "saved_percent": round(savings[name], 1),
            "pairs": len(rounds[0].classic),
            "rounds": len(rounds),
            "classic_ms_median": _milliseconds([one.classic for one in rounds]),
            "optimized_ms_median": _milliseconds([one.optimized for one in rounds]),
            "median_ratio_of_a_request": round(statistics.median(one.median_ratio for one in rounds), 4),
        }
    worst = min(savings, key=lambda name: savings[name])
    reason = f"V2 saves {measured:g}% of V1's time on the {worst} load, less than {THRESHOLD:g}%"
    return judged(NAME, measured >= THRESHOLD, measured, THRESHOLD, evidence, reason)


def _own(context: Context) -> list[Pairs]:
    requests = chosen(own_requests(context.snapshot.series), context.profile.pairs)
    rounds = []
    for number in range(context.profile.rounds + 1):
        context.progress(f"{NAME}: own series, round {number} of {context.profile.rounds}")
        with context.application(context.snapshot.url) as built:
            pairs = ask_pairs(built.classic, built.optimized, requests)
        if number:  # the first one warms up: kernels, imports, the store's pages
            rounds.append(pairs)
    return rounds


def _mix(context: Context) -> list[Pairs]:
    mix = Mix(symbols=MIX_SYMBOLS, minutes=context.profile.rounds + 1, requests=context.profile.pairs)
    path = context.file("speed.duckdb")
    with open_store(path) as store, context.application(store.url) as built:
        context.progress(f"{NAME}: mix")
        fill(store, mix)
        steps = first_asks(mix.steps(), mix.requests)
        play_pairs(built.classic, built.optimized, store, steps)
        later = list(mix.steps())[len(steps) :]
        size = mix.requests
        rounds = []
        for number in range(context.profile.rounds):
            part = first_asks(later, size)
            later = later[len(part) :]
            context.progress(f"{NAME}: mix, round {number + 1} of {context.profile.rounds}")
            rounds.append(play_pairs(built.classic, built.optimized, store, part))
    return rounds


def _milliseconds(rounds: list[tuple[float, ...]]) -> float:
    return round(1000 * statistics.median(taken for one in rounds for taken in one), 3)


SPEED = Check(NAME, THRESHOLD, run)
