"""The server with a fault seeded into its engines, for `rollout_trial.py`: 200 simulated symbols over five sessions."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from candlewick.app import build
from candlewick.errors import CandlewickError
from candlewick.server.run import run
from candlewick.service.answer import Answer
from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store
from candlewick.store.repository import Series

SYMBOLS = tuple(f"SIM{k:02d}" for k in range(1, 201))
SESSIONS = 5
SLOW_SECONDS = 0.25
HEAVY = 10
HEAVY_SHARE = 0.8


class Faulty(AnalyticsService):
    """An engine behind which ``before`` runs ahead of each request, and ``after`` over each answer."""

    def __init__(self, inner: AnalyticsService) -> None:
        self.inner = inner
        self.engine = inner.engine  # type: ignore[misc]

    def before(self, request: Request) -> None:
        """Fail or wait."""

    def after(self, answer: Answer) -> Answer:
        """The answer as it is given."""
        return answer

    def candles(self, request: Request) -> Answer:
        self.before(request)
        return self.after(self.inner.candles(request))

    def candles_many(
        self, requests: Sequence[Request], *, deadline: float | None = None
    ) -> list[Answer | CandlewickError]:
        return self.inner.candles_many(requests, deadline=deadline)

    def symbols(self) -> list[Series]:
        return self.inner.symbols()

    def close(self) -> None:
        self.inner.close()


class Failing(Faulty):
    """Every request raises what no engine should."""

    def before(self, request: Request) -> None:
        raise RuntimeError(f"no luck with {request.symbol}")


class Slow(Faulty):
    """Every request takes longer, well within its deadline."""

    def before(self, request: Request) -> None:  # noqa: ARG002 - each one is slow
        time.sleep(SLOW_SECONDS)


class Wrong(Faulty):
    """Sample deviations in the bands of a fifth of the symbols: 2.6% too wide, and nothing fails."""

    def after(self, answer: Answer) -> Answer:
        if unlike(answer.bars.symbol) >= 0.2:
            return answer
        columns = dict(answer.indicators)
        middle = columns["bollinger_20_2_middle"]
        for name in ("bollinger_20_2_upper", "bollinger_20_2_lower"):
            columns[name] = middle + (columns[name] - middle) * math.sqrt(20 / 19)
            columns[name].flags.writeable = False
        return replace(answer, indicators=columns, _encoded={})


class HeavyTailed(Faulty):
    """Ten symbols fail most of the time, on whichever engine is asked, each request by its own luck."""

    def __init__(self, inner: AnalyticsService, seed: int) -> None:
        super().__init__(inner)
        self._draw = np.random.default_rng(seed)

    def before(self, request: Request) -> None:
        if request.symbol in SYMBOLS[:: len(SYMBOLS) // HEAVY] and self._draw.random() < HEAVY_SHARE:
            raise RuntimeError(f"{request.symbol} is not well")


def unlike(symbol: str) -> float:
    """A number from 0 to 1 that goes with the symbol, and with nothing else."""
    return int.from_bytes(blake2b(symbol.encode(), digest_size=4).digest(), "big") / 2**32


def engines(fault: str, store: Any) -> dict[str, AnalyticsService]:
    """Both engines, with the fault where it belongs."""
    classic, optimized = ClassicService(store), OptimizedService(store)
    if fault == "heavy-tailed":
        return {"classic": HeavyTailed(classic, 1), "optimized": HeavyTailed(optimized, 2)}
    kinds = {"failing": Failing, "slow": Slow, "wrong": Wrong}
    return {"classic": classic, "optimized": kinds[fault](optimized) if fault in kinds else optimized}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fault", choices=["failing", "slow", "wrong", "heavy-tailed", "healthy"])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--announce", type=Path, required=True)
    given = parser.parse_args()
    with open_store(given.folder / "trial.duckdb") as store:
        store.upsert_many(list(simulate(SYMBOLS, "XNYS", SESSIONS, seed=3)))
        application = build(store, given.folder / "trial.control.sqlite", **engines(given.fault, store))
        application.warm_up()

        def ready(address: str) -> None:
            draft = given.announce.with_suffix(".draft")
            draft.write_text(address)
            draft.rename(given.announce)

        run(application, "127.0.0.1", 0, ready=ready)


if __name__ == "__main__":
    main()
