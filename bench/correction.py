"""One corrected candle, one day back, in a long series: the next answer of V2 against computing all of it anew.

    python bench/correction.py [--candles N] [--rounds N] [--json FILE]

A DuckDB store holds one symbol's minute candles (24/7, simulated). In each round one candle of a day ago is corrected,
then V2, which had answered before, is asked for the last session with the desk's indicators, and so is a V2 that knows
nothing. Both answers are compared bit for bit; medians of the rounds, and their ratio, are printed. Ends with 1 when
an answer is not that of the rebuild.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from candlewick.benchmarks.machine import this_machine
from candlewick.candles import VALUES, Candles
from candlewick.engine.compute import warm_up
from candlewick.service.answer import Answer
from candlewick.service.optimized import OptimizedService
from candlewick.service.request import Request
from candlewick.sources.simulated import simulate
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.repository import CandleRepository

DAY = 1440
TIMEFRAMES = ("1m", "5m")
SYMBOL = "SIM"


def corrected(store: CandleRepository, at: int, by: float) -> float:
    """Raise one candle; how long the write took."""
    one = store.read(SYMBOL, "1m", at, at + 1)
    values = {name: getattr(one, name) + (by if name != "volume" else 0.0) for name in VALUES}
    candles = Candles.trusted(one.symbol, one.timeframe, one.calendar, one.microseconds, values)
    return timed(lambda: store.upsert(candles))[0]


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a call takes, and what it gives."""
    began = time.perf_counter()
    found = call()
    return time.perf_counter() - began, found


def same(left: Answer, right: Answer) -> bool:
    """The same columns, bit for bit."""
    ours, theirs = left.columns, right.columns
    return list(ours) == list(theirs) and all(
        np.array_equal(ours[n], theirs[n], equal_nan=n not in ("time", "n", "final")) for n in ours
    )


def measure(candles: int, rounds: int) -> dict[str, Any]:
    """The medians, by timeframe."""
    warm_up("desk")
    whole = next(simulate([SYMBOL], "24/7", -(-candles // DAY), seed=5)).rows(0, candles)
    with (
        tempfile.TemporaryDirectory(prefix="candlewick-bench-") as folder,
        DuckDBStore(Path(folder) / "x.duckdb") as store,
    ):
        store.upsert(whole)
        store.compact()
        times = whole.microseconds
        start = int(times[-1]) // (DAY * 60_000_000) * (DAY * 60_000_000)
        requests = {frame: Request.of(SYMBOL, frame, "desk", start=start) for frame in TIMEFRAMES}
        found: dict[str, dict[str, list[float]]] = {
            frame: {"answer": [], "rebuild": [], "remembered": []} for frame in TIMEFRAMES
        }
        writes = []
        with OptimizedService(store) as service:
            for request in requests.values():
                service.candles(request)
            for number in range(rounds):
                writes.append(corrected(store, int(times[-DAY - 7 * number - 1]), 0.25))
                for frame, request in requests.items():
                    seconds, answer = timed(lambda request=request: service.candles(request))
                    found[frame]["answer"].append(seconds)
                    found[frame]["remembered"].append(timed(lambda request=request: service.candles(request))[0])
                    with OptimizedService(store, cache_enabled=False) as fresh:
                        seconds, anew = timed(lambda fresh=fresh, request=request: fresh.candles(request))
                    found[frame]["rebuild"].append(seconds)
                    if not same(answer, anew):
                        sys.exit(f"{frame}: the answer after a correction is not that of a rebuild")
    rows = {}
    for frame, taken in found.items():
        medians = {name: statistics.median(values) * 1000 for name, values in taken.items()}
        rows[frame] = {f"{name}_ms": round(value, 3) for name, value in medians.items()}
        rows[frame]["rebuild_against_answer"] = round(medians["rebuild"] / medians["answer"], 1)
    return {
        "candles": candles,
        "rounds": rounds,
        "write_ms": round(statistics.median(writes) * 1000, 2),
        "answers": rows,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candles", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    result = {"machine": this_machine().as_dict(), **measure(given.candles, given.rounds)}
    for frame, row in result["answers"].items():
        sys.stdout.write(
            f"{frame}: {row['answer_ms']:,.2f} ms after a correction, {row['rebuild_ms']:,.1f} ms for a rebuild: "
            f"{row['rebuild_against_answer']:,.1f}x\n"
        )
    sys.stdout.write(f"writing the correction: {result['write_ms']:,.1f} ms\n")
    if given.json is not None:
        given.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
