"""Tour: what the demo does, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from candlewick.demo.daily import daily_file
from candlewick.engine.query import Answer, query
from candlewick.sources.ingest import ingest
from candlewick.sources.simulated import simulate
from candlewick.sources.summary import IngestSummary
from candlewick.store.repository import CandleRepository, Upserted

CALENDAR = "XNYS"
SIMULATED = tuple(f"SIM{number:02}" for number in range(1, 21))
"""Names that nobody takes for real ones."""

SESSIONS = 3
SEED = 20240102
SHOWN = SIMULATED[0]


@dataclass(frozen=True)
class Tour:
    """What the demo did. ``seconds``: how long each step took, in the order of the steps."""

    daily: IngestSummary
    simulated: Upserted
    answer: Answer
    seconds: dict[str, float]


def run_tour(store: CandleRepository, step: Callable[[str], None] = lambda _: None) -> Tour:
    """Fill a store with real daily and simulated minute candles, then ask it for 5-minute bars with the desk set.

    ``step`` is told what comes next. Doing it twice changes nothing. Raises InputError without bokeh-sampledata.
    """
    seconds: dict[str, float] = {}
    with daily_file() as file:
        step("reading real daily candles")
        started = time.perf_counter()
        daily = ingest(store, [file], calendar=CALENDAR, timeframe="1d")
        seconds["real daily candles"] = time.perf_counter() - started
    step("simulating minute candles")
    started = time.perf_counter()
    written = store.upsert_many(list(simulate(SIMULATED, CALENDAR, SESSIONS, SEED)))
    seconds["simulated minute candles"] = time.perf_counter() - started
    # Twice, because the first one also compiles, once for this machine.
    for name in ("first answer (compiles once on a machine)", "second answer"):
        step(f"computing bars and indicators: {name}")
        started = time.perf_counter()
        answer = query(store, SHOWN, "5m", "desk")
        seconds[name] = time.perf_counter() - started
    return Tour(daily, sum(written, Upserted()), answer, seconds)
