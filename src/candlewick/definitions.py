"""Definitions: every flag and number that can be set, each with its default, its check and its reason."""

from __future__ import annotations

import os
from dataclasses import dataclass

from candlewick.errors import InputError, UnknownNameError

Value = bool | int | float | str

TRUE = ("true", "1", "yes", "on")
FALSE = ("false", "0", "no", "off")


@dataclass(frozen=True)
class Definition:
    """One value that can be set. Its type is that of ``default``; numbers lie in ``low <= value <= high``.

    ``about``: what it does and why the default is what it is, a line of the documents. A text is a comma-separated
    list of keys.
    """

    name: str
    default: Value
    about: str
    low: float = 0
    high: float = 0

    @property
    def right(self) -> str:
        """What would be right, for an error."""
        if isinstance(self.default, bool):
            return "give true or false"
        if isinstance(self.default, str):
            return "give keys separated by commas, or nothing"
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        return f"give {kind} from {_number(self.low)} to {_number(self.high)}"

    def parse(self, value: object, parameter: str | None = None) -> Value:
        """``value`` (text, or already of the right type) as this one's type. Raises InputError naming ``parameter``."""
        found = self._typed(value)
        bounded = isinstance(found, int | float) and not isinstance(found, bool)
        if found is None or (bounded and not self.low <= float(found) <= self.high):
            raise InputError(parameter or self.name, value, self.right)
        return found

    def _typed(self, value: object) -> Value | None:
        if isinstance(self.default, bool):
            return _switch(value)
        if isinstance(self.default, str):
            return _keys(value)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        try:
            if isinstance(self.default, float):
                return float(value)
            return int(value) if isinstance(value, str) or float(value).is_integer() else None
        except (ValueError, OverflowError):
            return None


def _number(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:g}"


def _switch(value: object) -> bool | None:
    text = str(value).strip().casefold() if isinstance(value, bool | str) else ""
    return True if text in TRUE else False if text in FALSE else None


def _keys(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return ",".join(dict.fromkeys(key.strip() for key in value.split(",") if key.strip()))


def text_of(value: Value) -> str:
    """The value as it is shown and read back."""
    return str(value).lower() if isinstance(value, bool) else str(value).removesuffix(".0")


def cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


FLAGS: dict[str, Definition] = {
    one.name: one
    for one in (
        Definition("use_optimized_analytics", False, "everything is answered by V2, whatever the percentage says"),
        Definition("cache_enabled", True, "V2 keeps what it computed"),
        Definition("concurrency_enabled", True, "V2 spreads many requests over its pool of workers"),
        Definition("rollout_percentage", 0.0, "share of the keys that V2 answers; halves and hundredths work", 0, 100),
        Definition("fallback_to_v1_on_error", True, "where V2 fails or overruns, V1 answers; the failure still counts"),
        Definition("detailed_metrics", True, "latency histograms by engine and arm beside the totals"),
        Definition("max_cache_mb", 512, "bytes that V2's cache may hold, in MiB", 1, 1_048_576),
        Definition("worker_pool_size", cpus(), "threads of the worker pool; the CPUs, since they compute", 1, 1024),
        Definition("v2_deadline_ms", 1000, "after this V1 answers instead of V2: what a person waits for", 1, 600_000),
        Definition("rollout_allow", "", "keys that V2 answers at any percentage, unless killed"),
        Definition("rollout_deny", "", "keys that V1 always answers; before the allowed ones"),
        Definition(
            "guard_window_seconds",
            20.0,
            "a key counts at most once in this time: a caller that tries again after 1, 2, 4 and 8 s is one incident",
            1,
            3600,
        ),
        Definition(
            "guard_minimum",
            5,
            "incidents before the guards of failures and slowness may act: fewer are an anecdote",
            1,
            1000,
        ),
        Definition(
            "guard_alpha", 0.05, "chance, over a whole rollout, that a V2 no worse than V1 is rolled back", 1e-6, 0.5
        ),
        Definition(
            "guard_mismatches",
            3,
            "wrong answers, each of another key or window, that roll back: one may be a fault of the store",
            1,
            1000,
        ),
        Definition(
            "shadow_sample",
            0.1,
            "share of all requests that both engines compute, as far as V2 answers so many: at 10% all of its answers "
            "are checked, at 100% each tenth, so that V1 never works more than before the rollout",
            0.001,
            1,
        ),
        Definition("slow_factor", 1.5, "V2 is slow where it takes this many times as long as V1", 1, 100),
        Definition("slow_floor_ms", 5.0, "and longer by at least this: less is the machine's own noise", 0, 60_000),
        Definition(
            "memory_ceiling_mb",
            4096,
            "memory of the process, in MiB, above which V2 is rolled back: eight times the cache's default",
            64,
            16_777_216,
        ),
    )
}
"""The flags, by name: they can change while the service runs."""

NUMBERS: dict[str, Definition] = {
    one.name: one
    for one in (
        Definition(
            "grace_seconds",
            2.0,
            "how long after its end the service still calls a bar forming: feeds send the last trade late",
            0,
            3600,
        ),
        Definition(
            "rate_limit_per_second",
            200.0,
            "requests that one key may send in a second; 0 is no limit. A screen of 50 charts asks for less",
            0,
            1_000_000,
        ),
    )
}
"""Numbers that are set at start."""


def find_flag(name: str) -> Definition:
    """The flag of that name. Raises UnknownNameError with the nearest ones."""
    if name not in FLAGS:
        raise UnknownNameError("flag", name, FLAGS)
    return FLAGS[name]
