"""Windows: the last seconds of each arm, never a total over arms, steps or the whole life of the process.

An arm's samples lie in a ring of fixed size; when more requests come within the window than it holds, the window
reaches less far back and says so (``covers``). Quantiles are exact over the samples: the smallest sample that at least
this part of all are at or below.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

QUANTILES = (0.5, 0.95, 0.99)
CAPACITY = 16_384
"""Samples that one arm's ring holds: 21 bytes each, whether used or not."""


@dataclass(frozen=True)
class ArmWindow:
    """One arm in the last ``covers`` seconds of a step.

    ``errors``: by kind, also those that a fallback hid from the caller. ``latency``: seconds by quantile, over the
    requests without an error; empty when there was none.
    """

    arm: str
    step: str
    covers: float
    requests: int
    fallbacks: int
    errors: dict[str, int]
    latency: dict[float, float]

    @property
    def failed(self) -> int:
        """Requests whose engine failed."""
        return sum(self.errors.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; latencies in seconds as ``p50``, ``p95``, ``p99``."""
        return {
            "requests": self.requests,
            "failed": self.failed,
            "errors": self.errors,
            "fallbacks": self.fallbacks,
            "latency_seconds": {f"p{part * 100:g}": value for part, value in self.latency.items()},
            "covers_seconds": self.covers,
            "step": self.step,
        }


class _Ring:
    """The samples of one arm; the oldest gives way."""

    def __init__(self, capacity: int) -> None:
        self.at = array("d", bytes(8 * capacity))
        self.seconds = array("d", bytes(8 * capacity))
        self.kind = array("i", bytes(4 * capacity))
        self.fallback = array("b", bytes(capacity))
        self.count = 0

    def add(self, at: float, seconds: float, kind: int, fallback: bool) -> None:
        place = self.count % len(self.at)
        self.at[place] = at
        self.seconds[place] = seconds
        self.kind[place] = kind
        self.fallback[place] = fallback
        self.count += 1


class Windows:
    """A window for each arm. Time is handed in (seconds of a monotonic clock), so equal calls give equal windows."""

    def __init__(self, seconds: float = 300.0, capacity: int = CAPACITY, step: str = "") -> None:
        self.seconds = seconds
        self._capacity = capacity
        self._lock = Lock()
        self._step = step
        self._began: float | None = None
        self._rings: dict[str, _Ring] = {}
        self._kinds: list[str] = [""]  # 0: no error

    def begin(self, step: str, now: float) -> bool:
        """A new step: every window is empty again. The step that is under way already changes nothing: False."""
        with self._lock:
            if step == self._step:
                return False
            self._step, self._began, self._rings = step, now, {}
            return True

    def add(self, now: float, arm: str, seconds: float, error: str | None = None, fallback: bool = False) -> None:
        """One request of an arm that ended ``now`` after ``seconds``."""
        with self._lock:
            if self._began is None:
                self._began = now
            ring = self._rings.get(arm)
            if ring is None:
                ring = self._rings[arm] = _Ring(self._capacity)
            ring.add(now, seconds, 0 if error is None else self._number(error), fallback)

    def now(self, now: float) -> dict[str, ArmWindow]:
        """Each arm that had a request in this step, over ``now - seconds < time <= now``."""
        with self._lock:
            step, began = self._step, self._began
            rings = {arm: (ring.count, _copies(ring)) for arm, ring in self._rings.items()}
        return {
            arm: self._window(arm, step, now, now if began is None else began, count, columns)
            for arm, (count, columns) in sorted(rings.items())
        }

    def _number(self, kind: str) -> int:
        if kind not in self._kinds:
            self._kinds.append(kind)
        return self._kinds.index(kind)

    def _window(
        self, arm: str, step: str, now: float, began: float, count: int, columns: Sequence[np.ndarray[Any, Any]]
    ) -> ArmWindow:
        at, seconds, kind, fallback = columns
        inside = (at > now - self.seconds) & (at <= now)
        covers = min(self.seconds, max(0.0, now - began))
        if count > self._capacity and len(at):
            covers = min(covers, max(0.0, now - float(at.min())))
        kinds = Counter(self._kinds[number] for number in kind[inside].tolist() if number)
        sound = np.sort(seconds[inside & (kind == 0)])
        return ArmWindow(
            arm,
            step,
            covers,
            int(np.count_nonzero(inside)),
            int(np.count_nonzero(fallback[inside])),
            dict(sorted(kinds.items())),
            quantiles(sound),
        )


def quantiles(ascending: np.ndarray[Any, Any], parts: Sequence[float] = QUANTILES) -> dict[float, float]:
    """For each part the smallest value that at least this part of all are at or below; nothing of nothing."""
    count = len(ascending)
    if not count:
        return {}
    # The rounding keeps 0.95 * 20 from being a little more than 19.
    return {part: float(ascending[max(0, int(np.ceil(round(part * count, 9))) - 1)]) for part in parts}


def _copies(ring: _Ring) -> tuple[np.ndarray[Any, Any], ...]:
    held = min(ring.count, len(ring.at))
    return (
        np.frombuffer(ring.at, dtype=np.float64)[:held].copy(),
        np.frombuffer(ring.seconds, dtype=np.float64)[:held].copy(),
        np.frombuffer(ring.kind, dtype=np.int32)[:held].copy(),
        np.frombuffer(ring.fallback, dtype=np.int8)[:held].copy(),
    )
