"""A year's worth of a universe in one store: writing it, keeping up with the minute, and reading one series out of it.

    python bench/scale.py duckdb|postgres [--rows 100_000_000] [--symbols 5000] [--folder F] [--json FILE]

1. Minute candles of all symbols are made session by session and written through `upsert_many`, `PIECE` rows at a time,
   which is what reading a file of a day gives it. Making them is not counted.
2. Then single minutes of all symbols, as a feed gives them.
3. `READS` whole series, and as many sessions of other series, are read by a process that was not there before, out of
   files that are in no cache of the system; then once more. Before compaction, and after it.
4. The newest values of the desk set of every symbol, read and computed on every core.

One series is kept beside and every read of it must be the same bits, else this ends with 1. Progress goes to standard
error. The store lies in a folder of its own, which is deleted at the end, also when something fails.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from scale_places import PLACES, Place, lacking

from candlewick.benchmarks.candle_data import TICK, trading_minutes
from candlewick.benchmarks.machine import this_machine
from candlewick.benchmarks.resident import watched_peak
from candlewick.candles import VALUES, Candles
from candlewick.columnar import Floats
from candlewick.engine.compute import compute_many, warm_up
from candlewick.sessions.calendar import find_calendar
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository
from candlewick.timeframe import MINUTE, Timeframe

CALENDAR, TIMEFRAME = "XNYS", "1m"
SESSION = 390
PIECE = 500_000
APPENDS = 20
READS = 25


class Market:
    """Made-up candles of ``symbols``: `take` gives the next minutes of all of them, each going on where it was."""

    def __init__(self, symbols: int, minutes: int, seed: int = 6) -> None:
        self.names = [f"SCALE{number:04d}" for number in range(symbols)]
        self.time = trading_minutes(find_calendar(CALENDAR), minutes)
        self.seconds = 0.0
        self._random = np.random.default_rng(seed)
        self._close = np.round(self._random.uniform(20, 500, symbols), 2)
        self._at = 0

    def take(self, minutes: int) -> list[Candles]:
        """The candles of the next minutes, in the order of the symbols."""
        began = time.perf_counter()
        random, shape = self._random, (len(self.names), minutes)
        moves = random.standard_normal(shape) * 5e-4
        close = _ticks(self._close[:, None] * np.exp(np.cumsum(moves, axis=1)))
        opened = np.concatenate([self._close[:, None], close[:, :-1]], axis=1)
        opened = _ticks(opened + TICK * random.integers(-1, 2, shape, dtype=np.int8))
        high = _ticks(np.maximum(opened, close) + TICK * random.integers(0, 6, shape, dtype=np.int8))
        low = _ticks(np.minimum(opened, close) - TICK * random.integers(0, 6, shape, dtype=np.int8))
        volume = np.floor(np.exp(6.0 + random.standard_normal(shape))) + 1.0
        columns = dict(zip(VALUES, (opened, high, low, close, volume), strict=True))
        self._close = close[:, -1]
        times = self.time[self._at : self._at + minutes]
        self._at += minutes
        length, calendar = Timeframe.parse(TIMEFRAME), find_calendar(CALENDAR)
        made = [
            Candles.trusted(name, length, calendar, times, {column: columns[column][at] for column in VALUES})
            for at, name in enumerate(self.names)
        ]
        self.seconds += time.perf_counter() - began
        return made


def _ticks(prices: Floats) -> Floats:
    rounded: Floats = np.round(prices * 100) / 100
    return rounded


def say(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a call takes, and what it gives."""
    began = time.perf_counter()
    found = call()
    return time.perf_counter() - began, found


def ingest(store: CandleRepository, market: Market, minutes: int, kept: list[Candles]) -> dict[str, Any]:
    """Write ``minutes`` of all symbols; the candles of the last symbol go into ``kept``."""
    symbols, seconds, done, slowest = len(market.names), 0.0, 0, 0.0
    at_once = max(1, PIECE // SESSION)
    while done < minutes:
        taken = min(SESSION, minutes - done)
        candles = market.take(taken)
        kept.append(candles[-1])
        parts = [candles[first : first + at_once] for first in range(0, symbols, at_once)]
        spent = sum(timed(lambda part=part: store.upsert_many(part))[0] for part in parts)
        done += taken
        seconds += spent
        slowest = max(slowest, spent / (taken * symbols))
        say(f"ingest {done * symbols:,} of {minutes * symbols:,} rows, {done * symbols / seconds:,.0f} rows/s")
    rows = minutes * symbols
    return {"rows_per_s": rows / seconds, "slowest_session_rows_per_s": 1 / slowest, "seconds": seconds}


def append(store: CandleRepository, market: Market, kept: list[Candles]) -> dict[str, Any]:
    """Write single minutes of all symbols."""
    taken = []
    for _ in range(APPENDS):
        candles = market.take(1)
        kept.append(candles[-1])
        taken.append(timed(lambda candles=candles: store.upsert_many(candles))[0])
    say(f"append of a minute of all symbols: median {statistics.median(taken):.3f} s, worst {max(taken):.3f} s")
    return {"median_s": statistics.median(taken), "worst_s": max(taken), "minutes": APPENDS}


def reads(url: str, whole: Sequence[str], sessions: Sequence[str], low: int, high: int) -> dict[str, Any]:
    """Read series that this process never read, then the same ones again. Milliseconds."""
    opened, store = timed(lambda: open_store(url))
    found: dict[str, Any] = {"open_s": opened}
    calls: dict[str, Callable[[str], Candles]] = {
        "whole": lambda name: store.read(name, TIMEFRAME),
        "session": lambda name: store.read(name, TIMEFRAME, low, high),
    }
    with store:
        for what, names in (("whole", whole), ("session", sessions)):
            for how in ("first", "again"):
                done = [timed(lambda name=name, what=what: calls[what](name)) for name in names]
                taken = [1000 * seconds for seconds, _ in done]
                found[f"{what}_{how}"] = {
                    "rows": len(done[0][1]),
                    "very_first_ms": taken[0],
                    "median_ms": statistics.median(taken),
                    "worst_ms": max(taken[1:], default=taken[0]),
                }
    return found


def reads_elsewhere(place: Place, market: Market) -> dict[str, Any]:
    """`reads` in a process of its own, with nothing in a cache."""
    place.forget()
    names = np.random.default_rng(9).permutation(market.names).tolist()
    session = int(market.time[0])
    given = [place.url, names[:READS], names[READS : 2 * READS] or names[:READS], session, session + SESSION * MINUTE]
    command = [sys.executable, __file__, "reads", json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the process that reads failed: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    for what in ("whole", "session"):
        first, again = found[f"{what}_first"], found[f"{what}_again"]
        say(
            f"read {what} ({first['rows']:,} rows): very first {first['very_first_ms']:.1f} ms, "
            f"others {first['median_ms']:.1f} ms, again {again['median_ms']:.1f} ms"
        )
    return found


def scan(store: CandleRepository, names: Sequence[str], rows: int) -> dict[str, Any]:
    """The newest values of the desk set of all symbols: each core reads series and computes them."""
    warm_up("desk")
    cores = len(os.sched_getaffinity(0))
    parts = [names[first : first + 50] for first in range(0, len(names), 50)]

    def newest(part: Sequence[str]) -> int:
        series = (store.read(name, TIMEFRAME) for name in part)
        return sum(len(frame["sma_9"]) for frame in compute_many(series, "desk", last=True, threads=1))

    with ThreadPoolExecutor(cores) as pool:
        seconds, found = timed(lambda: sum(pool.map(newest, parts)))
    if found != len(names):
        sys.exit(f"the scan gave {found} rows for {len(names)} symbols")
    say(f"desk scan of {len(names):,} symbols on {cores} cores: {seconds:.1f} s, {rows / seconds:,.0f} candles/s")
    return {"seconds": seconds, "candles_per_s": rows / seconds, "cores": cores}


def check_kept(store: CandleRepository, kept: Sequence[Candles]) -> None:
    """End with 1 unless the series that was kept beside is stored bit for bit."""
    stored = store.read(kept[0].symbol, TIMEFRAME)
    for name in ("microseconds", *VALUES):
        if not np.array_equal(getattr(stored, name), np.concatenate([getattr(one, name) for one in kept])):
            sys.exit(f"{stored.symbol}: {name} is not what was written")


def size(store: CandleRepository) -> dict[str, Any]:
    """On disk: all of it, and without what is free to be written over."""
    stats = store.stats()
    return {
        "rows": stats.rows,
        "bytes": stats.bytes,
        "bytes_a_row": (stats.bytes or 0) / stats.rows,
        "bytes_a_row_in_use": (stats.bytes or 0) * (1 - (stats.dead or 0)) / stats.rows,
        "out_of_order": stats.out_of_order,
    }


def measure(place: Place, rows: int, symbols: int) -> dict[str, Any]:
    """Every figure of one store."""
    minutes = max(1, rows // symbols)
    market, kept = Market(symbols, minutes + APPENDS), list[Candles]()
    total = (minutes + APPENDS) * symbols
    result: dict[str, Any] = {"rows": total, "symbols": symbols, "settings": place.settings, "peak_mb": {}}

    @contextmanager
    def phase(name: str) -> Iterator[CandleRepository]:
        with watched_peak() as peak, open_store(place.url) as store:
            yield store
        result["peak_mb"][name] = round(peak.bytes / 1e6)

    with phase("ingest") as store:
        result["ingest"] = ingest(store, market, minutes, kept)
    with phase("append") as store:
        result["ingested"] = size(store)
        result["append"] = append(store, market, kept)
        result["before"] = {"size": size(store)}
    result["before"] |= reads_elsewhere(place, market)
    with phase("compact") as store:
        result["compact_s"], _ = timed(store.compact)
        say(f"compaction: {result['compact_s']:.1f} s")
    result["after"] = reads_elsewhere(place, market)
    with phase("scan") as store:
        check_kept(store, kept)
        result["after"]["size"] = size(store)
        result["scan"] = scan(store, market.names, total)
    result["making_s"] = market.seconds
    return result


def main() -> int:
    if sys.argv[1:2] == ["reads"]:
        sys.stdout.write(json.dumps(reads(*json.loads(sys.argv[2]))))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", choices=sorted(PLACES))
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--symbols", type=int, default=5000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    missing = lacking(given.folder, given.store, given.rows)
    if missing is not None:
        say(missing)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the store is deleted then, too
    began = time.perf_counter()
    machine = this_machine().as_dict()
    with tempfile.TemporaryDirectory(prefix="candlewick-scale-", dir=given.folder) as folder:
        place = PLACES[given.store](Path(folder))
        try:
            found = measure(place, given.rows, given.symbols)
        finally:
            place.close()
    result = {"machine": machine, "store": given.store, **found, "seconds": time.perf_counter() - began}
    text = json.dumps(result, indent=1)
    if given.json is not None:
        held = json.loads(given.json.read_text("utf-8")) if given.json.exists() else {}
        given.json.write_text(json.dumps({**held, given.store: result}, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
