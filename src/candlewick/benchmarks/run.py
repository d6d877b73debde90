"""Run: the benchmarks one after the other, and the report on them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from candlewick.benchmarks.benchmark import Benchmark
from candlewick.benchmarks.contest import race
from candlewick.benchmarks.machine import Machine, this_machine
from candlewick.benchmarks.registry import find_benchmarks
from candlewick.benchmarks.report import Report, Row

Progress = Callable[[str], None]
"""Told now and then what is being measured."""


def run_benchmarks(
    names: Sequence[str] = (), progress: Progress | None = None, *, quick: bool = False, folder: Path | None = None
) -> Report:
    """Measure the benchmarks named (all without names), on this machine, one after the other.

    ``quick``: small sizes that only prove that everything runs. Files go into ``folder`` (default: the system's for
    temporary ones) and are removed. Raises UnknownNameError.
    """
    wanted = find_benchmarks(names)
    say = progress or (lambda _: None)
    say("copy speed")
    return measure(wanted, this_machine(), say, quick=quick, folder=folder)


def measure(
    benchmarks: Iterable[Benchmark],
    machine: Machine,
    progress: Progress,
    *,
    quick: bool = False,
    folder: Path | None = None,
) -> Report:
    """A report on these benchmarks, on a machine whose copy speed is known."""
    rows = []
    for benchmark in benchmarks:
        progress(f"{benchmark.name}: preparing")
        with tempfile.TemporaryDirectory(prefix="candlewick-bench-", dir=folder) as files:
            contest = (benchmark.quick if quick else benchmark.full)(Path(files))
            results = race(contest, progress=_counted(benchmark.name, progress))
        rows.append(Row(benchmark, results, machine.copy_speed))
        del contest  # the next one needs the memory
    return Report(machine, rows, quick)


def _counted(name: str, progress: Progress) -> Callable[[int, int], None]:
    return lambda done, total: progress(f"{name}: {done} of {total} runs")
