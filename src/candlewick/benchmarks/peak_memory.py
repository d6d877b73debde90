"""Peak memory: what an engine takes on top of its idle, warmed-up process while requests run eight at a time.

1. `write_history` stores long simulated minute series, once for all.
2. A process of its own (this module, run as a script) builds the engines over its own copy of that store, answers every
   request once, and closes them: it is warm. Then it builds them anew and is idle.
3. The same requests run again, eight at a time: charts of whole series, so that all of the history must be read. The
   process's high-water mark less what it held when idle is the engine's peak. V2's cache is empty when it begins, and
   fills: what it keeps counts.
4. They run twice more: when V2's cache is full, and with the cache off. Both are reported beside.
5. Both engines' processes hand freed memory back at once (`RETURNING`): else what an allocator keeps from the warm-up
   would hide part of the peak, more of it for the engine that takes more.
6. `measure` lets each engine do this several times in its process, both side by side; `smallest` picks of each.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from candlewick.benchmarks.mix import CALENDAR
from candlewick.benchmarks.resident import resident, settle, watched_peak
from candlewick.errors import EngineError
from candlewick.service.request import Request
from candlewick.service.service import ENGINES, AnalyticsService
from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store

AT_ONCE = 8
RETURNING = {
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
SEED = 8
START = "2020-01-02"
TIMEFRAMES = ("5m", "1h")
INDICATORS = ("desk",)


@dataclass(frozen=True)
class Peaks:
    """Bytes. ``growth``: the peak above idle, from an empty cache on. ``full``: the same when the cache is full;
    ``off``: when there is none. ``process``: the whole process at the first. ``requests``: how many ran.
    """

    engine: str
    idle: int
    growth: int
    full: int
    off: int
    process: int
    requests: int
    method: str


def write_history(path: Path, symbols: int, sessions: int) -> list[str]:
    """Store long series; their names."""
    names = [f"LONG{number}" for number in range(symbols)]
    with open_store(path) as store:
        for candles in simulate(names, CALENDAR, sessions, SEED, START):
            store.upsert(candles)
        store.compact()
    return names


def measure(
    factory: str,
    folder: Path,
    *,
    symbols: int,
    sessions: int,
    repeats: int = 3,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, list[Peaks]]:
    """``repeats`` measurements of each engine, each engine in a process of its own, both side by side.

    ``factory``: text form of ``build(store, control) ->`` what has both engines. Raises EngineError when a process
    fails.
    """
    history = folder / "history.duckdb"
    progress("memory: history")
    names = write_history(history, symbols, sessions)
    progress(f"memory: {repeats} measurements")
    with ThreadPoolExecutor(len(ENGINES)) as pool:
        waiting = {
            engine: pool.submit(_in_process, factory, engine, history, folder, repeats, names) for engine in ENGINES
        }
        return {engine: one.result() for engine, one in waiting.items()}


def smallest(peaks: Sequence[Peaks]) -> Peaks:
    """The one with the smallest growth: the least disturbed."""
    return min(peaks, key=lambda one: one.growth)


def peaks_of(factory: str, engine: str, url: str, repeats: int, names: Sequence[str]) -> list[Peaks]:
    """The measurements, in this process, which had better be a fresh one."""
    wanted = requests_of(names)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(url),  # held open: the store's own pages are warm too
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        warm = _built(factory, url, Path(folder))
        _run(getattr(warm, engine), pool, wanted)
        warm.close()
        del warm
        return [_measured(factory, engine, url, Path(folder), pool, wanted) for _ in range(repeats)]


def _measured(
    factory: str, engine: str, url: str, folder: Path, pool: ThreadPoolExecutor, wanted: Sequence[Request]
) -> Peaks:
    """One measurement: engines built anew, so that nothing is cached."""
    built = _built(factory, url, folder)
    try:
        service = getattr(built, engine)
        caching = getattr(service, "reconfigure", None)
        settle()
        idle = resident()
        peaks = []
        for number in range(1 if caching is None else 3):
            if number == 2 and caching is not None:
                caching(cache_enabled=False)
            settle()
            with watched_peak() as peak:
                _run(service, pool, wanted)
            peaks.append(peak)
    finally:
        built.close()
    growths = [max(0, peak.bytes - idle) for peak in peaks]
    growth, full, off = growths if len(growths) > 1 else growths * 3  # without a cache all are one
    return Peaks(engine, idle, growth, full, off, peaks[0].bytes, len(wanted), peaks[0].method)


def _built(factory: str, url: str, folder: Path) -> Any:
    module, _, function = factory.partition(":")
    return getattr(import_module(module), function)(url, folder / "control.sqlite")


def requests_of(names: Sequence[str]) -> list[Request]:
    """Whole series: every timeframe with every set of indicators, one symbol after the other."""
    return [Request.of(name, length, specs) for name in names for length in TIMEFRAMES for specs in INDICATORS]


def _run(service: AnalyticsService, pool: ThreadPoolExecutor, requests: Sequence[Request]) -> None:
    """Every request's answer, looked at and dropped."""

    def ask(request: Request) -> int:
        return len(service.candles(request).bars)

    empty = [count for count in pool.map(ask, requests) if not count]
    if empty:
        raise EngineError(service.engine, "empty answer", f"{len(empty)} of {len(requests)} answers hold no bar")


def _in_process(
    factory: str, engine: str, history: Path, folder: Path, repeats: int, names: Sequence[str]
) -> list[Peaks]:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        copy = Path(own) / history.name
        shutil.copyfile(history, copy)
        command = [sys.executable, "-m", __name__, factory, engine, str(copy), str(repeats), *names]
        environment = {**os.environ, **RETURNING}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise EngineError(engine, f"exit code {done.returncode}", last[0])
    return [Peaks(**one) for one in json.loads(done.stdout.splitlines()[-1])]


def main() -> None:
    """``factory engine store repeats names...``: one line of JSON on standard output."""
    factory, engine, url, repeats, *names = sys.argv[1:]
    found = [asdict(one) for one in peaks_of(factory, engine, url, int(repeats), names)]
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
