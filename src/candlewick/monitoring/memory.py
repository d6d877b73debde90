"""Memory: what this process takes of the machine."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Usage:
    """``resident``: bytes in memory. ``processor``: seconds of processor time so far, user and system.
    ``threads``: how many there are. ``started``: seconds since 1970, UTC."""

    resident: int
    processor: float
    threads: int
    started: float


def resident_bytes() -> int:
    """Bytes of this process that are in memory now."""
    return int(_process().memory_info().rss)


def usage() -> Usage:
    """What this process takes now."""
    process = _process()
    with process.oneshot():
        times = process.cpu_times()
        return Usage(
            int(process.memory_info().rss),
            float(times.user + times.system),
            int(process.num_threads()),
            float(process.create_time()),
        )


@functools.cache
def _process() -> Any:
    import psutil

    return psutil.Process()
