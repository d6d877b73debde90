"""Market: simulated symbols in a temporary store, for checks whose load needs more symbols than a store may hold.

At ten percent a rollout serves every tenth symbol with V2: of two symbols that may be none.
"""

from __future__ import annotations

from candlewick.benchmarks.mix import CALENDAR, START
from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store
from candlewick.validator.context import Context

SYMBOLS = tuple(f"SIM{number:03d}" for number in range(200))
SEED = 11


def market_store(context: Context, sessions: int = 1) -> str:
    """The address of a new temporary store with a few sessions of every symbol."""
    with open_store(context.file("market.duckdb")) as store:
        store.upsert_many(list(simulate(SYMBOLS, CALENDAR, sessions, SEED, START)))
        return store.url
