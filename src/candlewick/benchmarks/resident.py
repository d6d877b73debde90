"""Resident: how much of this process is in memory now, and at most since the last look."""

from __future__ import annotations

import ctypes
import gc
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_STEP = 0.002
"""Seconds between two looks, where the kernel does not keep the peak itself."""


def settle() -> None:
    """Hand back what is free: garbage, and what the C library keeps for later."""
    gc.collect()
    trim = c_function("malloc_trim")
    if trim is not None:
        trim(0)


def resident() -> int:
    """Bytes in memory now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


class Peak:
    """``bytes``: the most that was in memory while it was watched. ``method``: how that is known."""

    def __init__(self) -> None:
        self.bytes = 0
        self.method = ""


@contextmanager
def watched_peak() -> Iterator[Peak]:
    """The peak of what runs inside: by the kernel's own high-water mark, else by looking every two milliseconds."""
    peak = Peak()
    if _reset():
        peak.method = "VmHWM after clear_refs 5"
        yield peak
        peak.bytes = _high_water()
        return
    peak.method = f"a look every {_STEP * 1000:g} ms"
    with _sampled(lambda: setattr(peak, "bytes", max(peak.bytes, resident()))):
        yield peak


def c_function(name: str) -> Callable[..., int] | None:
    """A function of the C library, where it has it."""
    if sys.platform == "win32":
        return None
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except AttributeError:
        return None
    return found


def _reset() -> bool:
    """Let the high-water mark begin anew; False where the system has none, or does not let us."""
    try:
        _CLEAR.write_text("5")
        return "VmHWM" in _STATUS.read_text()
    except OSError:
        return False


def _high_water() -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
    return 0 if found is None else int(found[1]) * 1024


@contextmanager
def _sampled(look: Callable[[], None]) -> Iterator[None]:
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_STEP):
            look()

    look()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        look()
        done.set()
        watcher.join()
