"""Monitor: requests are told to it, every other figure it reads when somebody looks.

1. `Monitor.record` takes one request, in about two microseconds (`tally.py`, `windows.py`).
2. At a scrape the stages' own snapshots are read (`figures.py`) and put into words (`collector.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from candlewick.clock import Clock, SystemClock
from candlewick.monitoring.collector import (
    figure_families,
    process_families,
    request_families,
    response_family,
    source_family,
    window_families,
)
from candlewick.monitoring.figures import Source, hit_ratio, plain, utilisation
from candlewick.monitoring.memory import usage
from candlewick.monitoring.tally import Tally
from candlewick.monitoring.windows import ArmWindow, Windows

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Monitor:
    """What the service shows of itself, in a registry of its own. Any number of threads may use it.

    ``sources``: for each group of `candlewick.monitoring.figures.FIGURES`, what gives its snapshot. ``window``:
    seconds that an arm's window reaches back. ``detailed``: False drops the latency histograms.
    """

    def __init__(
        self,
        sources: Mapping[str, Source] | None = None,
        *,
        window: float = 300.0,
        detailed: bool = True,
        clock: Clock | None = None,
    ) -> None:
        from prometheus_client import CollectorRegistry

        self.detailed = detailed
        self._sources = dict(sources or {})
        self._clock = clock or SystemClock()
        self._tally = Tally()
        self._windows = Windows(window)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def watch(self, group: str, source: Source) -> None:
        """Read a further stage at each scrape."""
        self._sources[group] = source

    def record(
        self,
        engine: str,
        arm: str,
        seconds: float,
        error: str | None = None,
        fallback: bool = False,
        cache: str = "none",
    ) -> None:
        """One request, told once. ``engine``: the one tried first, and ``error`` the kind of its failure, also when
        the other one then answered (``fallback``). ``seconds``: the whole request. ``cache``: of the answer."""
        self._tally.add(engine, arm, seconds, error, fallback, cache, self.detailed)
        self._windows.add(self._clock.monotonic(), arm, seconds, error, fallback)

    def respond(self, method: str, route: str, status: int) -> None:
        """One HTTP response, told by the server."""
        self._tally.respond(method, route, status)

    def begin(self, step: str) -> bool:
        """The rollout went to another step: windows begin anew. False when it is the step that is under way."""
        return self._windows.begin(step, self._clock.monotonic())

    def windows(self) -> dict[str, ArmWindow]:
        """The last seconds of each arm, within this step."""
        return self._windows.now(self._clock.monotonic())

    def figures(self) -> dict[str, dict[str, Any] | None]:
        """Every group's snapshot as plain values, with cache hit ratio and pool utilisation; None of a group that
        cannot be read."""
        found = {group: self._read(group) for group in self._sources}
        for group, name, derived in (("cache", "hit_ratio", hit_ratio), ("pool", "utilisation", utilisation)):
            snapshot = found.get(group)
            if snapshot is not None:
                snapshot[name] = derived(snapshot)
        return found

    def render(self) -> bytes:
        """The text that Prometheus scrapes (`CONTENT_TYPE`)."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Every family, read now. A stage that cannot be read is missing, and ``figures_read`` shows that."""
        yield from request_families(self._tally.lines(), self.detailed)
        yield from response_family(self._tally.responses())
        yield from window_families(self.windows())
        yield from process_families(usage())
        read = {group: self._read(group) for group in self._sources}
        for group, snapshot in read.items():
            if snapshot is not None:
                yield from figure_families(group, snapshot)
        yield from source_family({group: snapshot is not None for group, snapshot in read.items()})

    def _read(self, group: str) -> dict[str, Any] | None:
        try:
            return plain(self._sources[group]())
        except Exception:  # one stage that fails must not blind us for all others; the scrape shows it
            log.warning("the figures of %s cannot be read", group, exc_info=True)
            return None
