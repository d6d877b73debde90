"""Collector: everything that is counted, in the families of Prometheus, read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from candlewick.monitoring.figures import figure_of, hit_ratio, numbers, utilisation
from candlewick.monitoring.memory import Usage
from candlewick.monitoring.tally import BOUNDS, Line
from candlewick.monitoring.windows import ArmWindow

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

PREFIX = "candlewick_"


def request_families(lines: Iterable[Line], detailed: bool) -> Iterator[Metric]:
    """Requests, errors, fallbacks and latency by engine and arm, since the start."""
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    names = ("engine", "arm")
    requests = CounterMetricFamily(f"{PREFIX}requests", "Requests, by the engine tried first.", labels=names)
    errors = CounterMetricFamily(
        f"{PREFIX}request_errors",
        "Requests whose engine failed, also where the other one then answered.",
        labels=(*names, "kind"),
    )
    fallbacks = CounterMetricFamily(
        f"{PREFIX}request_fallbacks", "Requests that the classic engine answered instead.", labels=names
    )
    caches = CounterMetricFamily(
        f"{PREFIX}request_cache", "Requests by what the cache did for them.", labels=(*names, "outcome")
    )
    latency = HistogramMetricFamily(
        f"{PREFIX}request_seconds", "From the request to its answer, in seconds.", labels=names
    )
    for line in lines:
        key = (line.engine, line.arm)
        requests.add_metric(key, line.requests)
        fallbacks.add_metric(key, line.fallbacks)
        for kind, count in sorted(line.errors.items()):
            errors.add_metric((*key, kind), count)
        for outcome, count in sorted(line.caches.items()):
            caches.add_metric((*key, outcome), count)
        edges = [*(repr(bound) for bound in BOUNDS), "+Inf"]
        steps = list(zip(edges, map(float, accumulate(line.buckets)), strict=True))
        latency.add_metric(key, steps, line.seconds)
    yield from (requests, errors, fallbacks, caches)
    if detailed:
        yield latency


def response_family(responses: Mapping[tuple[str, str, int], int]) -> Iterator[Metric]:
    """HTTP responses by method, route and status, since the start."""
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(
        f"{PREFIX}http_responses", "HTTP responses sent.", labels=("method", "route", "status")
    )
    for (method, route, status), count in responses.items():
        family.add_metric((method, route, str(status)), count)
    yield family


def window_families(windows: Mapping[str, ArmWindow]) -> Iterator[Metric]:
    """The last seconds of each arm."""
    from prometheus_client.core import GaugeMetricFamily

    requests = GaugeMetricFamily(f"{PREFIX}window_requests", "Requests in the arm's window.", labels=("arm",))
    fallbacks = GaugeMetricFamily(f"{PREFIX}window_fallbacks", "Fallbacks in the arm's window.", labels=("arm",))
    covers = GaugeMetricFamily(f"{PREFIX}window_covers_seconds", "How far the arm's window reaches.", labels=("arm",))
    errors = GaugeMetricFamily(f"{PREFIX}window_errors", "Errors in the arm's window.", labels=("arm", "kind"))
    latency = GaugeMetricFamily(
        f"{PREFIX}window_latency_seconds",
        "Latency in the arm's window, of requests without an error.",
        labels=("arm", "quantile"),
    )
    for arm, window in windows.items():
        requests.add_metric((arm,), window.requests)
        fallbacks.add_metric((arm,), window.fallbacks)
        covers.add_metric((arm,), window.covers)
        for kind, count in window.errors.items():
            errors.add_metric((arm, kind), count)
        for part, value in window.latency.items():
            latency.add_metric((arm, repr(part)), value)
    yield from (requests, fallbacks, covers, errors, latency)


def figure_families(group: str, snapshot: Mapping[str, Any]) -> Iterator[Metric]:
    """The snapshot of one stage, with what follows from it."""
    for key, value in numbers(snapshot).items():
        figure = figure_of(group, key)
        yield _family(figure.name, figure.help, value, rises=figure.rises)
    if group == "cache" and (ratio := hit_ratio(snapshot)) is not None:
        yield _family("cache_hit_ratio", "Hits and extensions of all look-ups, from 0 to 1.", ratio)
    if group == "pool" and (share := utilisation(snapshot)) is not None:
        yield _family("pool_utilisation_ratio", "Busy threads of all, from 0 to 1.", share)


def process_families(usage: Usage) -> Iterator[Metric]:
    """Memory, processor time and threads of this process."""
    yield _family("process_resident_memory_bytes", "Bytes of the process that are in memory.", usage.resident)
    yield _family("process_cpu_seconds", "Processor time so far, user and system.", usage.processor, rises=True)
    yield _family("process_threads", "Threads of the process.", usage.threads)
    yield _family("process_start_time_seconds", "Start of the process, in seconds since 1970, UTC.", usage.started)


def source_family(read: Mapping[str, bool]) -> Iterator[Metric]:
    """Which stages could be read at this scrape: a stage that cannot is seen, and takes no other with it."""
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(
        f"{PREFIX}figures_read", "1 when the figures of a stage could be read at this scrape.", labels=("group",)
    )
    for group, well in read.items():
        family.add_metric((group,), float(well))
    yield family


def _family(name: str, text: str, value: float, *, rises: bool = False) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    if rises:
        return CounterMetricFamily(f"{PREFIX}{name}", text, value=value)
    return GaugeMetricFamily(f"{PREFIX}{name}", text, value=value)
