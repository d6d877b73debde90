"""Batch: a whole series of candles as session-true bars."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from candlewick.aggregation.chunk import Carry, Columns, count_final, fold_chunk
from candlewick.aggregation.edges import Edges
from candlewick.aggregation.fold import kernel
from candlewick.bars import Bars
from candlewick.candles import VALUES, Candles, check_candles
from candlewick.errors import InputError, UnknownNameError
from candlewick.moments import Moment, moment
from candlewick.timeframe import Timeframe

ZERO_VOLUME = ("keep", "drop")
"""What may happen to a flat candle without volume."""


def aggregate(
    candles: Candles, timeframe: str | Timeframe, *, zero_volume: str = "keep", complete_until: Moment | None = None
) -> Bars:
    """Bars of ``timeframe`` from the candles inside sessions; a bucket without a candle makes no bar.

    A candle belongs to the bucket that holds its open. ``n`` counts its candles (of Bars: the sum of their ``n``).
    ``final``: the bucket ends at or before ``complete_until``, by default the close of the newest candle given, inside
    a session or not. ``zero_volume="drop"`` leaves out flat candles without volume.

    Raises InputError for a timeframe that the candles' own does not divide, UnknownNameError for another
    ``zero_volume``, HorizonError for candles beyond the calendar's sessions.
    """
    check_candles(candles)
    target = Timeframe.parse(timeframe)
    check_timeframes(candles.timeframe, target)
    drop = check_zero_volume(zero_volume)
    labels = candles.calendar.label_opens
    until = None if complete_until is None else moment(complete_until, "complete_until", labels=labels)
    if not len(candles):
        return no_bars(candles, target)
    edges = Edges.between(candles.calendar, target, int(candles.microseconds[0]), int(candles.microseconds[-1]) + 1)
    carry = Carry.empty()
    columns, made = fold_chunk(candles, edges, carry, drop=drop)
    if carry.open:
        columns.put(made, carry)
        made += 1
    final = count_final(columns, made, edges, known_until(candles) if until is None else until)
    return columns.bars(candles, target, made, final)


def aggregate_many(
    series: Sequence[Candles],
    timeframe: str | Timeframe,
    *,
    zero_volume: str = "keep",
    complete_until: Moment | None = None,
    threads: int | None = None,
) -> list[Bars]:
    """``aggregate`` of many series at once, in their order; ``threads`` defaults to the number of CPUs."""
    if threads is not None and threads < 1:
        raise InputError("threads", threads, "give 1 or more")

    def several(part: Sequence[Candles]) -> list[Bars]:
        return [aggregate(each, timeframe, zero_volume=zero_volume, complete_until=complete_until) for each in part]

    workers = min(threads or os.cpu_count() or 1, len(series))
    if workers < 2:
        return several(series)
    size = max(1, len(series) // (8 * workers))  # waking a thread costs as much as a few thousand rows
    parts = [series[first : first + size] for first in range(0, len(series), size)]
    with ThreadPoolExecutor(workers) as pool:
        return [bars for part in pool.map(several, parts) for bars in part]


def session_bars(candles: Candles) -> Bars:
    """The series at its own timeframe, candles outside sessions left out. Bars are returned as they are.

    Shares memory when every candle stands at the start of a bucket of its own. Remembered on the candles.
    """
    if isinstance(candles, Bars):
        return candles
    made: Bars = candles.memo("session_bars", _session_bars)
    return made


def _session_bars(candles: Candles) -> Bars:
    rows = len(candles)
    if not rows:
        return no_bars(candles, candles.timeframe)
    times = candles.microseconds
    edges = Edges.between(candles.calendar, candles.timeframe, int(times[0]), int(times[-1]) + 1)
    anchor = np.empty(rows, dtype=np.uint8)
    table = edges.table
    on_grid = kernel().survey(
        np.ascontiguousarray(times), table.open, table.close, edges.groups.open, table.label, table.week, table.month,
        edges.place(int(times[0])), edges.step, anchor,
    )  # fmt: skip
    if on_grid < rows:
        return aggregate(candles, candles.timeframe)
    return Bars.made(
        candles.symbol,
        candles.timeframe,
        candles.calendar,
        times,
        {name: getattr(candles, name) for name in VALUES},
        n=np.ones(rows, dtype=np.int32),
        final=np.ones(rows, dtype=np.bool_),  # the newest candle's bucket ends with it
        anchor=anchor,
        source=candles.timeframe,
    )


def check_timeframes(source: Timeframe, target: Timeframe) -> None:
    """Raise InputError unless whole candles of ``source`` make bars of ``target``."""
    if not source.divides(target):
        expected = f"give {source}, or a timeframe that whole {source} candles fill"
        raise InputError("timeframe", str(target), expected, f"cannot be made of {source} candles")


def check_zero_volume(zero_volume: str) -> bool:
    """True for ``drop``, False for ``keep``, UnknownNameError otherwise."""
    if zero_volume not in ZERO_VOLUME:
        raise UnknownNameError("zero_volume", zero_volume, ZERO_VOLUME)
    return zero_volume == "drop"


def known_until(candles: Candles) -> int:
    """The close of the newest candle; of bars, where the first one begins that can still change."""
    newest = int(candles.microseconds[-1])
    if isinstance(candles, Bars) and not candles.final[-1]:
        return int(candles.microseconds[np.count_nonzero(candles.final)])
    return Edges.between(candles.calendar, candles.timeframe, newest, newest + 1).close_of(newest)


def no_bars(candles: Candles, target: Timeframe) -> Bars:
    """Bars of a series, none of them."""
    return Columns.room(0).bars(candles, target, 0, 0)
