"""Growth: bytes in use after each block of requests, in a process of its own (this module, run as a script).

The process runs with ``PYTHONMALLOC=malloc``: then every object of Python and every array comes from the C library's
allocator, whose own count (`mallinfo2`: in use in all arenas, and mapped) is exact, sees native leaks too, and is not
disturbed by free memory that the process keeps, as its resident size is. Where the C library has no such count,
`tracemalloc` counts what Python allocates.

1. Every request of the load is answered until caches and pools are full.
2. Blocks of requests follow, with a correction in each, which never changes how many candles there are.
3. After each block garbage is collected and the bytes in use are noted.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

from candlewick.benchmarks.mix import Mix
from candlewick.benchmarks.resident import c_function, resident
from candlewick.candles import VALUES, Candles
from candlewick.errors import EngineError
from candlewick.service.request import Request
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository
from candlewick.validator.application import Application
from candlewick.validator.factory import find_factory

BLOCKS = 20
WARM = 3
"""Times that every request of the load is answered before the first one that counts."""
LOAD = {"symbols": 10, "sessions": 5, "minutes": 1, "requests": 200}
"""The mix's requests, of which so many differ; they come round again and again."""


@dataclass(frozen=True)
class Growth:
    """``requests``: done when each sample was taken; ``bytes``: in use then; ``resident``: of the whole process."""

    method: str
    requests: tuple[int, ...]
    bytes: tuple[int, ...]
    resident: tuple[int, ...]


_NAMES = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")


class _Counts(ctypes.Structure):
    """`struct mallinfo2`."""

    _fields_ = [(name, ctypes.c_size_t) for name in _NAMES]


def measure_growth(build: str, folder: Path, requests: int) -> Growth:
    """Bytes in use over ``requests`` requests to V2 in a process of its own. Raises EngineError when that fails."""
    command = [sys.executable, "-m", __name__, build, str(folder), str(requests)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONMALLOC": "malloc"}
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise EngineError("optimized", f"exit code {done.returncode}", last[0])
    found = json.loads(done.stdout.splitlines()[-1])
    return Growth(found["method"], *(tuple(found[name]) for name in ("requests", "bytes", "resident")))


def growth_of(build: str, folder: Path, requests: int) -> Growth:
    """The same in this process, which had better be a fresh one."""
    mix = Mix(**LOAD)
    size = max(1, requests // BLOCKS)
    with open_store(folder / "growth.duckdb") as store:
        store.upsert_many(mix.history())
        application: Application = find_factory(build)(store.url, folder / "growth-control.sqlite")
        try:
            wanted = [one.request for one in mix.asks(LOAD["requests"])]
            asked, pairs = cycle(wanted), cycle(_both_ways(mix))
            for _ in range(WARM):
                _block(application, store, wanted, next(pairs))
            method, in_use = counter()
            samples = []
            for block in range(BLOCKS):
                _block(application, store, islice(asked, size), next(pairs))
                gc.collect()
                samples.append(((block + 1) * size, in_use(), resident()))
        finally:
            application.close()
    done, used, held = zip(*samples, strict=True)
    return Growth(method, done, used, held)


def counter() -> tuple[str, Callable[[], int]]:
    """How bytes in use are known here, and the function that tells them."""
    info = c_function("mallinfo2")
    if info is None or os.environ.get("PYTHONMALLOC") != "malloc":
        tracemalloc.start()
        return "tracemalloc", lambda: tracemalloc.get_traced_memory()[0]
    info.restype = _Counts  # type: ignore[attr-defined]

    def in_use() -> int:
        counts = info()
        return int(counts.uordblks + counts.hblkhd)  # type: ignore[attr-defined]

    return "mallinfo2 with PYTHONMALLOC=malloc", in_use


def _block(application: Application, store: CandleRepository, asked: Iterable[Request], corrected: Candles) -> None:
    store.upsert(corrected)
    for request in asked:
        application.candles(request, "optimized").answer.json()


def _both_ways(mix: Mix) -> list[Candles]:
    """A stored candle as corrected, and as it was."""
    original = mix.history()[0].rows(100, 101)
    values = {name: getattr(original, name) for name in VALUES} | {"volume": original.volume + 1}
    return [
        Candles.trusted(original.symbol, original.timeframe, original.calendar, original.microseconds, values),
        original,
    ]


def main() -> None:
    """``build folder requests``: one line of JSON on standard output."""
    build, folder, requests = sys.argv[1:]
    sys.stdout.write(json.dumps(asdict(growth_of(build, Path(folder), int(requests)))) + "\n")


if __name__ == "__main__":
    main()
