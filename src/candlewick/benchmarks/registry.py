"""The benchmarks by name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence

from candlewick.benchmarks.benchmark import Benchmark
from candlewick.benchmarks.delivery_cost import DELIVERY, ROUTING
from candlewick.benchmarks.desk import DESK
from candlewick.benchmarks.ingest import INGEST
from candlewick.benchmarks.live import LIVE
from candlewick.benchmarks.minutes import MINUTES_TO_FIVE
from candlewick.benchmarks.scan import SCAN
from candlewick.benchmarks.service import SERVICE
from candlewick.benchmarks.wide import WIDE
from candlewick.errors import UnknownNameError

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (DESK, WIDE, SCAN, MINUTES_TO_FIVE, LIVE, INGEST, ROUTING, DELIVERY, SERVICE)
}


def find_benchmarks(names: Sequence[str] = ()) -> list[Benchmark]:
    """Those named, each once, in the order of the registry; all of them without names. Raises UnknownNameError."""
    for name in names:
        if name not in BENCHMARKS:
            raise UnknownNameError("benchmark", name, BENCHMARKS)
    return [benchmark for name, benchmark in BENCHMARKS.items() if not names or name in names]
