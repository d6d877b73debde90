"""Machine: where figures were taken, and how fast memory is there."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = (
    "candlewick",
    "numpy",
    "numba",
    "pyarrow",
    "duckdb",
    "pandas",
    "polars",
    "polars-talib",
    "TA-Lib",
    "talipp",
)
COPIED = 128_000_000
"""Bytes of the array that is copied to find the copy speed: far beyond a core's own cache."""


@dataclass(frozen=True)
class Machine:
    """CPU, cores, memory, versions, ``copy_speed`` (GB/s read plus written by ``np.copyto``), and how busy it was.

    ``load``: processes that wanted to run in the minute before, on average; None where the system does not say.
    """

    cpu: str
    cores: int
    memory_gb: float | None
    system: str
    python: str
    copy_speed: float
    load: float | None
    versions: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "cpu": self.cpu,
            "cores": self.cores,
            "memory_gb": self.memory_gb,
            "system": self.system,
            "python": self.python,
            "copy_gb_per_s": round(self.copy_speed, 2),
            "load": self.load,
            "versions": self.versions,
        }


def this_machine(*, bytes_copied: int = COPIED) -> Machine:
    """The machine that this runs on."""
    return Machine(
        cpu=cpu_name(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gb=_memory(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        copy_speed=copy_speed(bytes_copied),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        versions={name: found for name in PACKAGES if (found := _version(name))},
    )


def copy_speed(size: int = COPIED, rounds: int = 11, clock: Callable[[], int] = time.perf_counter_ns) -> float:
    """GB/s, read plus written, of the quickest of ``rounds`` copies of ``size`` bytes."""
    source, target = np.ones(size // 8), np.zeros(size // 8)
    best = None
    for _ in range(rounds):
        start = clock()
        np.copyto(target, source)
        taken = clock() - start
        best = taken if best is None else min(best, taken)
    return 2 * source.nbytes / max(1, best or 1)


def cpu_name(table: Path = Path("/proc/cpuinfo")) -> str:
    """The model's name, or as much as the system says."""
    if table.is_file():
        for line in table.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()


def _memory() -> float | None:
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
