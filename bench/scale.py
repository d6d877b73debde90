"""A year's worth of a universe in one store: writing it, keeping up with the minute, and reading one series out of it.

    python bench/scale.py duckdb|postgres [--rows 100_000_000] [--symbols 5000] [--appends 20] [--folder F] [--json F]

1. Minute candles of all symbols are made session by session and written through `upsert_many`, `PIECE` rows at a time,
   which is what reading a file of a day gives it. Making them is not counted.
2. Then ``--appends`` single minutes of all symbols, as a feed gives them.
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
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
from scale_market import TIMEFRAME, Market
from scale_places import PLACES, Place, lacking

from candlewick.benchmarks.machine import this_machine
from candlewick.benchmarks.resident import watched_peak
from candlewick.candles import VALUES, Candles
from candlewick.engine.compute import compute_many, warm_up
from candlewick.errors import StoreUnavailableError
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository
from candlewick.timeframe import MINUTE

SESSION = 390
PIECE = 500_000
READS = 25
REFUSALS = 20


def say(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a call takes, and what it gives."""
    began = time.perf_counter()
    found = call()
    return time.perf_counter() - began, found


def alone(candles: Candles) -> Candles:
    """A copy: a view would keep the candles of all symbols in memory, which is then not the store's."""
    values = {name: getattr(candles, name).copy() for name in VALUES}
    return Candles.trusted(candles.symbol, candles.timeframe, candles.calendar, candles.microseconds.copy(), values)


class Writer:
    """Writes, and comes again where the store says that its database does not answer now, as a feed does."""

    def __init__(self, store: CandleRepository) -> None:
        self.store = store
        self.refused = 0

    def write(self, batch: Sequence[Candles]) -> float:
        """How many seconds it took."""
        began = time.perf_counter()
        while True:
            try:
                self.store.upsert_many(batch)
            except StoreUnavailableError as error:
                self.refused += 1
                say(str(error))
                if self.refused > REFUSALS:
                    raise
                time.sleep(0.5)
            else:
                return time.perf_counter() - began


def ingest(store: CandleRepository, market: Market, minutes: int, kept: list[Candles]) -> dict[str, Any]:
    """Write ``minutes`` of all symbols; the candles of the last symbol go into ``kept``."""
    symbols, seconds, done, slowest = len(market.names), 0.0, 0, 0.0
    at_once, writer = max(1, PIECE // SESSION), Writer(store)
    while done < minutes:
        taken = min(SESSION, minutes - done)
        candles = market.take(taken)
        kept.append(alone(candles[-1]))
        parts = [candles[first : first + at_once] for first in range(0, symbols, at_once)]
        spent = sum(writer.write(part) for part in parts)
        done += taken
        seconds += spent
        slowest = max(slowest, spent / (taken * symbols))
        say(f"ingest {done * symbols:,} of {minutes * symbols:,} rows, {done * symbols / seconds:,.0f} rows/s")
    rows = minutes * symbols
    rate = {"rows_per_s": rows / seconds, "slowest_session_rows_per_s": 1 / slowest}
    return {**rate, "seconds": seconds, "refused": writer.refused}


def append(store: CandleRepository, market: Market, minutes: int, kept: list[Candles]) -> dict[str, Any]:
    """Write single minutes of all symbols."""
    taken, writer = [], Writer(store)
    for _ in range(minutes):
        candles = market.take(1)
        kept.append(alone(candles[-1]))
        taken.append(writer.write(candles))
    say(f"append of a minute of all symbols: median {statistics.median(taken):.3f} s, worst {max(taken):.3f} s")
    return {"median_s": statistics.median(taken), "worst_s": max(taken), "refused": writer.refused}


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


def bytes_a_row(store: CandleRepository) -> dict[str, float]:
    """Of the tables that grow with candles and with writes, with their indexes; only PostgreSQL says it."""
    if not store.url.startswith("postgresql:"):
        return {}
    found = {}
    with store.tables() as cursor:
        for table in ("candles", "writes"):
            query = f"SELECT pg_total_relation_size('{table}'), count(*) FROM {table}"
            size, rows = cursor.execute(query).fetchall()[0]
            found[table] = size / rows
    return found


@contextmanager
def watched_disk(folder: Path) -> Iterator[list[int]]:
    """The most bytes that a folder held while something ran, by a look each tenth of a second, as its one item."""
    found, ended = [0], Event()

    def look() -> None:
        while True:
            with suppress(FileNotFoundError):  # what goes while it is looked at
                found[0] = max(found[0], sum(path.stat().st_size for path in folder.rglob("*")))
            if ended.wait(0.1):
                return

    watcher = Thread(target=look)
    watcher.start()
    try:
        yield found
    finally:
        ended.set()
        watcher.join()


def measure(place: Place, rows: int, symbols: int, appends: int) -> dict[str, Any]:
    """Every figure of one store."""
    minutes = max(1, rows // symbols)
    market, kept = Market(symbols, minutes + appends), list[Candles]()
    total = (minutes + appends) * symbols
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
        result["append"] = append(store, market, appends, kept)
        result["before"] = {"size": size(store)}
    result["before"] |= reads_elsewhere(place, market)
    with phase("compact") as store:
        with watched_disk(place.folder) as most:
            result["compact_s"], _ = timed(store.compact)
        result["compact_disk_bytes_a_row"] = most[0] / total
        say(f"compaction: {result['compact_s']:.1f} s")
    result["after"] = reads_elsewhere(place, market)
    with phase("scan") as store:
        check_kept(store, kept)
        result["after"]["size"] = size(store) | {"bytes_a_row_of": bytes_a_row(store)}
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
    parser.add_argument("--appends", type=int, default=20)
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
            found = measure(place, given.rows, given.symbols, given.appends)
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
