"""Tally: what became of every request since the start, by the engine that was tried and the arm it counted in."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram's buckets, in seconds; what took longer is in one more."""


@dataclass(frozen=True)
class Line:
    """The counts of one engine and arm. ``buckets``: requests by latency, one for each of `BOUNDS` and one beyond;
    empty when details are off. ``errors``: by kind, ``caches``: by what the cache did."""

    engine: str
    arm: str
    requests: int
    fallbacks: int
    seconds: float
    errors: dict[str, int]
    caches: dict[str, int]
    buckets: tuple[int, ...]


@dataclass
class _Open:
    """A line while it grows."""

    requests: int = 0
    fallbacks: int = 0
    seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    caches: Counter[str] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))


class Tally:
    """Counts that only rise. Adding takes about a microsecond; any number of threads may add."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lines: dict[tuple[str, str], _Open] = {}
        self._responses: Counter[tuple[str, str, int]] = Counter()

    def add(
        self,
        engine: str,
        arm: str,
        seconds: float,
        error: str | None = None,
        fallback: bool = False,
        cache: str = "none",
        detailed: bool = True,
    ) -> None:
        """One request: tried on ``engine``, where it failed with ``error`` or did not. ``seconds`` in all."""
        with self._lock:
            line = self._lines.get((engine, arm))
            if line is None:
                line = self._lines[engine, arm] = _Open()
            line.requests += 1
            line.seconds += seconds
            line.fallbacks += fallback
            if error is not None:
                line.errors[error] += 1
            if cache != "none":
                line.caches[cache] += 1
            if detailed:
                line.buckets[bisect_left(BOUNDS, seconds)] += 1

    def respond(self, method: str, route: str, status: int) -> None:
        """One HTTP response. ``route``: the pattern, never the address asked for."""
        with self._lock:
            self._responses[method, route, status] += 1

    def lines(self) -> list[Line]:
        """The counts now, by engine, then arm."""
        with self._lock:
            return [
                Line(
                    engine,
                    arm,
                    line.requests,
                    line.fallbacks,
                    line.seconds,
                    dict(line.errors),
                    dict(line.caches),
                    tuple(line.buckets),
                )
                for (engine, arm), line in sorted(self._lines.items())
            ]

    def responses(self) -> dict[tuple[str, str, int], int]:
        """HTTP responses by method, route and status."""
        with self._lock:
            return dict(sorted(self._responses.items()))
