"""Peak memory: what an engine takes on top of its idle, warmed-up process while requests run eight at a time.

1. `write_history` stores long simulated series, once for all.
2. A process of its own (this module, run as a script) builds the engines over its own copy of that store, answers
   requests of every kind about a short series, reads every long one once, and lets go of what it does not need: it is
   idle and warm, and nothing is cached.
3. The requests about the long series run, eight at a time. The process's high-water mark less what it held when idle
   is the engine's peak. They run again while the cache is full: that is reported beside it.
4. `measure` does this in as many processes as asked, both engines side by side, and keeps the smallest of each.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from candlewick.benchmarks.mix import CALENDAR
from candlewick.benchmarks.resident import resident, settle, watched_peak
from candlewick.errors import EngineError
from candlewick.service.request import Request
from candlewick.service.service import ENGINES, AnalyticsService
from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store

AT_ONCE = 8
SEED = 8
START = "2020-01-02"
WARM = "WARM"
WARM_SESSIONS = 5
TIMEFRAMES = ("1m", "5m", "15m")
INDICATORS = ("desk", "sma(9),bollinger(20,2)")


@dataclass(frozen=True)
class Peaks:
    """Bytes. ``growth``: the peak above idle, cache empty at first. ``full``: the same with the cache full.

    ``process``: the whole process at its peak. ``requests``: how many ran.
    """

    engine: str
    idle: int
    growth: int
    full: int
    process: int
    requests: int
    method: str


def write_history(path: Path, symbols: int, sessions: int) -> list[str]:
    """Store long series and the short one for warming up; the names of the long ones."""
    names = [f"LONG{number}" for number in range(symbols)]
    with open_store(path) as store:
        store.upsert_many(list(simulate([WARM], CALENDAR, WARM_SESSIONS, SEED, START)))
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
    """``repeats`` measurements of each engine, each in a process of its own, V1 and V2 side by side.

    ``factory``: text form of ``build(store) ->`` what has both engines. Raises EngineError when a process fails.
    """
    history = folder / "history.duckdb"
    names = write_history(history, symbols, sessions)
    found: dict[str, list[Peaks]] = {engine: [] for engine in ENGINES}
    with ThreadPoolExecutor(len(ENGINES)) as pool:
        for repeat in range(repeats):
            progress(f"memory: {repeat + 1} of {repeats}")
            waiting = [pool.submit(_in_process, factory, engine, history, folder, names) for engine in ENGINES]
            for one in waiting:
                peaks = one.result()
                found[peaks.engine].append(peaks)
    return found


def smallest(peaks: Sequence[Peaks]) -> Peaks:
    """The one with the smallest growth: the least disturbed."""
    return min(peaks, key=lambda one: one.growth)


def peaks_of(factory: str, engine: str, url: str, names: Sequence[str]) -> Peaks:
    """One measurement, in this process, which had better be a fresh one."""
    module, _, function = factory.partition(":")
    with tempfile.TemporaryDirectory() as folder:
        built = getattr(import_module(module), function)(url, Path(folder) / "control.sqlite")
        try:
            service: AnalyticsService = getattr(built, engine)
            with open_store(url) as store, ThreadPoolExecutor(AT_ONCE) as pool:
                for name in names:
                    store.read(name, "1m")
                _run(service, pool, requests_of([WARM]) * 2)
                wanted = requests_of(names)
                settle()
                idle = resident()
                with watched_peak() as peak:
                    _run(service, pool, wanted)
                settle()
                with watched_peak() as again:
                    _run(service, pool, wanted)
        finally:
            built.close()
    growth, full = max(0, peak.bytes - idle), max(0, again.bytes - idle)
    return Peaks(engine, idle, growth, full, peak.bytes, len(wanted), peak.method)


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


def _in_process(factory: str, engine: str, history: Path, folder: Path, names: Sequence[str]) -> Peaks:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        copy = Path(own) / history.name
        shutil.copyfile(history, copy)
        command = [sys.executable, "-m", __name__, factory, engine, str(copy), *names]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise EngineError(engine, f"exit code {done.returncode}", last[0])
    return Peaks(**json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """``factory engine store names...``: one line of JSON on standard output."""
    factory, engine, url, *names = sys.argv[1:]
    sys.stdout.write(json.dumps(asdict(peaks_of(factory, engine, url, names))) + "\n")


if __name__ == "__main__":
    main()
