"""Contest: contenders for one task, checked against each other, then timed in turn.

1. ``race`` prepares each contender whose packages are installed; an absent one is named as absent.
2. Each runs once; its answers are compared with the first of ours. One that computes something else is not timed.
3. ``take_turns`` times one run of each, round after round, in changing order, so that a slow spell meets all alike.
"""

from __future__ import annotations

import gc
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np

from candlewick.benchmarks.agreement import Answers, largest_difference
from candlewick.errors import InputError

COPY = "np.copyto of the same bytes"
Clock = Callable[[], int]
"""Nanoseconds since some moment."""


@dataclass(frozen=True)
class Contender:
    """One way to do the task.

    ``prepare`` builds what the task starts from, untimed, and returns the timed call; ``answers`` reads what that call
    returned. ``units``: candles (rows, symbols...) done by one call. ``packages``: modules that it needs.
    ``tolerance``: largest difference from ours, as a share of the column's largest value, from row ``settled`` on,
    where another seed of a recursion no longer shows. ``after`` tidies up behind each call, untimed. ``figures`` are
    asked for when all is timed: what the contender measured beside the time.
    """

    name: str
    units: int
    prepare: Callable[[], Callable[[], Any]]
    answers: Callable[[Any], Answers]
    packages: tuple[str, ...] = ()
    ours: bool = False
    tolerance: float = 1e-9
    settled: int = 0
    note: str = ""
    after: Callable[[], None] = lambda: None
    figures: Callable[[], Mapping[str, float]] = dict


@dataclass(frozen=True)
class LeftOut:
    """A peer that cannot do the task, and why: nothing else is measured in its stead."""

    name: str
    reason: str


@dataclass(frozen=True)
class Contest:
    """The contenders of one task; the first of ours gives the answers. ``bytes_per_unit``: read plus written."""

    contenders: Sequence[Contender]
    bytes_per_unit: float
    rounds: int
    left_out: Sequence[LeftOut] = ()
    about: str = ""

    def __post_init__(self) -> None:
        if not any(contender.ours for contender in self.contenders):
            raise InputError("contenders", [c.name for c in self.contenders], "one of them is ours", "has none of ours")


class Status(StrEnum):
    """What became of a contender."""

    MEASURED = "measured"
    ABSENT = "absent"
    LEFT_OUT = "left out"
    DIFFERS = "differs"


@dataclass(frozen=True)
class Result:
    """Times of one contender: nanoseconds a unit, one for each round, on the wall clock and of CPU time."""

    name: str
    status: Status
    ours: bool = False
    note: str = ""
    units: int = 0
    wall: tuple[float, ...] = field(default=(), repr=False)
    cpu: tuple[float, ...] = field(default=(), repr=False)
    difference: float | None = None
    tolerance: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def best(self) -> float:
        """Nanoseconds a unit of the quickest round: the least disturbed one."""
        return min(self.wall)

    @property
    def median(self) -> float:
        """Nanoseconds a unit of the middle round."""
        return statistics.median(self.wall)

    @property
    def cpu_median(self) -> float:
        """Nanoseconds of CPU time a unit, all threads together, of the middle round."""
        return statistics.median(self.cpu)


@dataclass(frozen=True)
class Call:
    """What is timed, and what tidies up behind it."""

    run: Callable[[], Any]
    after: Callable[[], None]


def race(
    contest: Contest,
    *,
    clock: Clock = time.perf_counter_ns,
    cpu_clock: Clock = time.process_time_ns,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    installed: Callable[[str], bool] = lambda module: importlib.util.find_spec(module) is not None,
) -> list[Result]:
    """Every contender's result in the order given, then those left out, then the copy.

    ``progress`` is told how many of the runs are done.
    """
    present = [c for c in contest.contenders if all(map(installed, c.packages))]
    total = (contest.rounds + 1) * (len(present) + 1)
    results = {c.name: _absent(c, installed) for c in contest.contenders if c not in present}
    calls = {}
    for result, call in _first_calls(present, lambda done: progress(done, total)):
        results[result.name] = result
        if result.status is Status.MEASURED:
            calls[result.name] = call

    copy = copier(contest)
    calls[COPY] = Call(copy.prepare(), copy.after)
    results[COPY] = Result(COPY, Status.MEASURED, units=copy.units)
    start = len(present) + 1
    times = take_turns(calls, contest.rounds, clock, cpu_clock, lambda done: progress(start + done, total))
    progress(total, total)
    for name, (wall, cpu) in times.items():
        units = results[name].units
        results[name] = replace(
            results[name], wall=tuple(taken / units for taken in wall), cpu=tuple(taken / units for taken in cpu)
        )
    for contender in present:
        if results[contender.name].status is Status.MEASURED:
            results[contender.name] = replace(results[contender.name], figures=contender.figures())
    left_out = [Result(peer.name, Status.LEFT_OUT, note=peer.reason) for peer in contest.left_out]
    return [*(results[c.name] for c in contest.contenders), *left_out, results[COPY]]


def take_turns(
    calls: Mapping[str, Call],
    rounds: int,
    clock: Clock,
    cpu_clock: Clock,
    progress: Callable[[int], None],
) -> dict[str, tuple[list[int], list[int]]]:
    """Wall and CPU nanoseconds of one call of each in every round, with garbage collection held back during a call."""
    times: dict[str, tuple[list[int], list[int]]] = {name: ([], []) for name in calls}
    for number in range(rounds):
        for place, name in enumerate(order(list(calls), number)):
            call = calls[name]
            gc.collect()
            gc.disable()
            try:
                cpu, start = cpu_clock(), clock()
                answer = call.run()
                stop, cpu_stop = clock(), cpu_clock()
            finally:
                gc.enable()
            del answer  # given back outside the timed part, as a caller does who goes on to use it
            call.after()
            times[name][0].append(stop - start)
            times[name][1].append(cpu_stop - cpu)
            progress(number * len(calls) + place + 1)
    return times


def order(names: Sequence[str], number: int) -> list[str]:
    """Who runs in which order in a round: another one begins each time, and every second round goes backwards."""
    start = number % len(names) if names else 0
    turned = [*names[start:], *names[:start]]
    return turned[::-1] if number % 2 else turned


def copier(contest: Contest) -> Contender:
    """The floor: as many bytes as the first of ours reads and writes, moved by ``np.copyto``."""
    first = next(contender for contender in contest.contenders if contender.ours)
    size = max(1, round(first.units * contest.bytes_per_unit / 16))

    def prepare() -> Callable[[], Any]:
        source, target = np.ones(size), np.zeros(size)
        return lambda: np.copyto(target, source)

    return Contender(COPY, first.units, prepare, lambda _: {})


def _absent(contender: Contender, installed: Callable[[str], bool]) -> Result:
    missing = ", ".join(name for name in contender.packages if not installed(name))
    return Result(contender.name, Status.ABSENT, contender.ours, f"{missing} is not installed")


def _first_calls(present: Sequence[Contender], progress: Callable[[int], None]) -> Iterator[tuple[Result, Call]]:
    """Each contender's call, made once, and how its answers compare; ours first, since the rest are held to them.

    The answers are let go at the end: those of the widest contest are as large as all its inputs and outputs.
    """
    reference: Answers | None = None
    for done, contender in enumerate(sorted(present, key=lambda c: not c.ours)):
        progress(done)
        call = Call(contender.prepare(), contender.after)
        answers = contender.answers(call.run())
        call.after()
        reference = answers if reference is None else reference
        yield _checked(contender, reference, answers), call


def _checked(contender: Contender, reference: Answers, answers: Answers) -> Result:
    difference = largest_difference(reference, answers, contender.settled)
    return Result(
        contender.name,
        Status.MEASURED if difference <= contender.tolerance else Status.DIFFERS,
        contender.ours,
        contender.note,
        contender.units,
        difference=difference,
        tolerance=contender.tolerance,
    )
