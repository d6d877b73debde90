"""Parity: whether two engines gave the same numbers, and who is to blame where they did not.

1. Answers of different revisions, sources or split factors are about different candles: ``void``.
2. ``compare_answers`` finds where they differ by more than rounding may: most often nowhere, which is ``equal``.
3. Where they do, the exact value decides (``Judge``). The optimized engine outside its own stated bound is a
   ``mismatch``; the classic engine outside that and the tolerance is ``v1 inexact`` and blames nobody.
4. Was the store written to since the answers were made, nothing can be judged: ``void``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, isnan

from candlewick.errors import InputError, UnknownSeriesError
from candlewick.indicators.exact import Exact
from candlewick.service.answer import Answer
from candlewick.service.comparison import JUDGED, Apart, Comparison, compare_answers
from candlewick.service.judge import Judge
from candlewick.service.request import Request
from candlewick.service.scale import definitions_of
from candlewick.store.adjusted import adjusted_view
from candlewick.store.repository import CandleRepository, bounds, iso
from candlewick.store.then import known_at

EQUAL, MISMATCH, INEXACT, VOID = "equal", "mismatch", "v1 inexact", "void"


@dataclass(frozen=True)
class Difference:
    """One value that an engine has wrong; ``time``: open of its bar, microseconds UTC.

    ``v1``, ``v2``: None where undefined, or without that bar (column ``time``). ``exact``: what it should be within
    ``bound``; None: undefined, or no such bar. ``blames``: ``optimized`` or ``classic``.
    """

    column: str
    time: int
    v1: float | None
    v2: float | None
    exact: float | None
    bound: float
    blames: str

    def __str__(self) -> str:
        right = "undefined" if self.exact is None else f"{self.exact!r} within {self.bound:.3g}"
        return f"{self.column} at {iso(self.time)}: classic {self.v1!r}, optimized {self.v2!r}, exactly {right}"


@dataclass(frozen=True)
class Parity:
    """The verdict on two answers: ``equal``, ``mismatch``, ``v1 inexact``, or ``void``, which must not be counted."""

    verdict: str
    differences: tuple[Difference, ...] = ()


def compare(v1: Answer, v2: Answer, store: CandleRepository, request: Request | None = None) -> Parity:
    """The verdict on the classic and the optimized answer to one request.

    ``request``: what was asked; without it the answers are taken to be of ``zero_volume="keep"``, final up to the
    newest candle. Raises InputError for answers about different bars, StoreError when the store fails.
    """
    asked1, asked2 = ((answer.bars.symbol, answer.bars.timeframe) for answer in (v1, v2))
    if asked1 != asked2:
        expected = f"give two answers to one request ({asked1[0]} {asked1[1]})"
        raise InputError("v2", f"{asked2[0]} {asked2[1]}", expected, "is about other bars")
    if (v1.revision, v1.source, v1.splits) != (v2.revision, v2.source, v2.splits):
        return Parity(VOID)
    comparison = compare_answers(v1, v2, definitions_of(() if request is None else request.indicators))
    if comparison.equal:
        return Parity(EQUAL)
    bars = v1.bars if len(v1.bars) else v2.bars
    judge = Judge(
        adjusted_view(known_at(store, None if request is None else request.as_of), {v1.bars.symbol: v1.splits}),
        bars,
        v1.source,
        "keep" if request is None else request.zero_volume,
        None if request is None else request.complete_until,
    )
    try:
        differences = tuple(_differences(v1, comparison, judge, request))
        newest = max(int(one.bars.microseconds[-1]) for one in (v1, v2) if len(one.bars))
        if not judge.unchanged(v1.revision, judge.end(newest)):
            return Parity(VOID)
    except (_Unknowable, UnknownSeriesError):
        return Parity(VOID)
    blamed = {difference.blames for difference in differences}
    return Parity(MISMATCH if "optimized" in blamed else INEXACT if blamed else EQUAL, differences)


class _Unknowable(Exception):  # never leaves this file
    """What was true when the answers were made cannot be told any more."""


def _differences(v1: Answer, comparison: Comparison, judge: Judge, request: Request | None) -> Iterator[Difference]:
    for time in comparison.one_sided[:JUDGED].tolist():
        yield _presence(time, time in v1.bars.microseconds, v1, judge, request)
    last = int(comparison.times[-1]) if len(comparison.times) else 0
    for apart in comparison.apart:
        times = comparison.times[apart.rows]
        if apart.indicator is not None:
            found = judge.values(apart.indicator, times)
            part = apart.indicator.columns.index(apart.column)
            truths: list[tuple[int, Exact | None]] = [
                (row, found[at][part]) for row, at in enumerate(times.tolist()) if at in found
            ]
        else:
            truths = [(row, _true_bar(apart.column, at, last, judge)) for row, at in enumerate(times.tolist())]
        for row, truth in truths:
            yield from _judged(apart, row, int(times[row]), truth)


def _judged(apart: Apart, row: int, time: int, truth: Exact | None) -> Iterator[Difference]:
    """Who is wrong at one point, if anybody: the optimized engine first."""
    x, y = float(apart.v1[row]), float(apart.v2[row])
    bound = 0.0 if truth is None else truth.bound
    tolerated = max(bound, float(apart.tolerated[row]))
    blames = "optimized" if _outside(y, truth, bound) else "classic" if _outside(x, truth, tolerated) else None
    if blames is not None:
        exact = None if truth is None else float(truth.value)
        yield Difference(apart.column, time, _shown(x), _shown(y), exact, bound, blames)


def _presence(time: int, first: bool, v1: Answer, judge: Judge, request: Request | None) -> Difference:
    """Who is wrong about a bar that only one answer has (``first``: the classic one)."""
    bar = judge.bar(time)
    expected = bar is not None
    if bar is not None and (request is None or request.final_only):
        final = judge.final(int(bar["end"].value))
        if final is None or (request is None and not final):
            raise _Unknowable
        expected = final
    if request is not None:
        low, high = bounds(v1.bars.calendar, request.start, request.end)
        expected = expected and (low is None or low <= time) and (high is None or time < high)
    at = float(time)
    blames = "optimized" if first == expected else "classic"  # the one who lacks it, or has it
    return Difference("time", time, at if first else None, None if first else at, at if expected else None, 0.0, blames)


def _true_bar(column: str, time: int, last: int, judge: Judge) -> Exact | None:
    """What one column of a bar should be; None where there should be no bar."""
    bar = judge.bar(time)
    if bar is None or column != "final":
        return None if bar is None else bar[column]
    final = time < last or judge.final(int(bar["end"].value))
    if final is None:
        raise _Unknowable
    return Exact(Fraction(final), 0.0)


def _outside(value: float, truth: Exact | None, bound: float) -> bool:
    if truth is None or not isfinite(value):
        return truth is not None or not isnan(value)
    return abs(Fraction(value) - truth.value) > bound


def _shown(value: float) -> float | None:
    return None if isnan(value) else value
