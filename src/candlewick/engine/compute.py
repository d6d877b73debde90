"""compute: indicators over a whole series, or over many series with threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice

import numpy as np

from candlewick.aggregation.batch import aggregate, session_bars
from candlewick.bars import Bars
from candlewick.candles import Candles, check_candles
from candlewick.columnar import Floats
from candlewick.concurrency.task import Task
from candlewick.concurrency.worker_pool import WorkerPool
from candlewick.engine.catalogue import resolve
from candlewick.engine.frame import IndicatorFrame
from candlewick.engine.kernel_choice import warm_up_plan
from candlewick.engine.plan import Plan, plan
from candlewick.engine.run import frame_of, pass_group, run_plan
from candlewick.errors import EngineError, InputError
from candlewick.indicators import Specs
from candlewick.timeframe import Timeframe

BATCH_SERIES = 16
BATCH_ROWS = 200_000


def compute(candles_or_bars: Candles, specs: Specs, out: IndicatorFrame | None = None) -> IndicatorFrame:
    """Indicators over the session bars of a series, from its first bar on.

    Candles are taken at their own timeframe, those outside sessions left out. ``out`` is a frame of the same columns
    and number of bars to write into: fresh memory costs as much time as the computation. Values are float64, NaN where
    undefined. Raises UnknownNameError or InputError for specs that do not fit, InputError for an ``out`` that does not.
    """
    check_candles(candles_or_bars)
    bars = as_bars(candles_or_bars)
    made = plan(resolve(specs))
    values = _output(made, bars, out)
    run_plan(made, bars, values)
    return frame_of(made, bars, values)


def compute_many(
    series: Iterable[Candles],
    specs: Specs,
    *,
    timeframe: str | Timeframe | None = None,
    last: bool = False,
    threads: int | None = None,
) -> Iterator[IndicatorFrame]:
    """``compute`` over many series, on ``threads`` threads (default: one a core), in the order given, lazily.

    ``timeframe`` aggregates each first. ``last`` keeps only the newest bar of each, as a scan of a universe needs, and
    is faster, since the rest is never written to memory. A series without bars gives a frame without rows. Raises what
    ``compute`` raises.
    """
    made = plan(resolve(specs))
    length = None if timeframe is None else Timeframe.parse(timeframe)
    if threads is not None and threads < 1:
        raise InputError("threads", threads, "give a whole number above 0")
    workers = threads or os.cpu_count() or 1

    def one(candles: Candles) -> IndicatorFrame:
        bars = as_bars(candles) if length is None else aggregate(candles, length)
        if last:
            return _last_values(made, bars)
        values = np.empty((len(made.columns), len(bars)))
        run_plan(made, bars, values)
        return frame_of(made, bars, values)

    def several(batch: list[Candles]) -> list[IndicatorFrame]:
        return [one(candles) for candles in batch]

    batches = _batches(series)
    begun = list(islice(batches, 2))
    if len(begun) < 2:  # a thread would cost more than it brings
        for batch in begun:
            yield from several(batch)
        return
    ahead = 2 * workers  # batches: a generator of 5,000 series is not read at once
    waiting: deque[Task[list[IndicatorFrame]]] = deque()
    pool = WorkerPool(workers, ahead + 1, "candlewick-compute")
    try:
        for batch in chain(begun, batches):
            waiting.append(pool.submit(several, batch))
            if len(waiting) > ahead:
                yield from _frames(waiting.popleft())
        while waiting:
            yield from _frames(waiting.popleft())
    finally:
        for task in waiting:
            task.cancel()
        pool.close()


def warm_up(specs: Specs) -> None:
    """Return when the fused kernels for these specs are compiled and in use, batch and live."""
    warm_up_plan(plan(resolve(specs)))


def as_bars(candles_or_bars: Candles) -> Bars:
    """Bars as they are; candles as the bars of their own timeframe."""
    return candles_or_bars if isinstance(candles_or_bars, Bars) else session_bars(candles_or_bars)


def _batches(series: Iterable[Candles]) -> Iterator[list[Candles]]:
    """Series in lists that are worth handing to a thread: that costs as much as a few thousand bars."""
    batch: list[Candles] = []
    rows = 0
    for candles in series:
        check_candles(candles)
        batch.append(candles)
        rows += len(candles)
        if len(batch) >= BATCH_SERIES or rows >= BATCH_ROWS:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _frames(task: Task[list[IndicatorFrame]]) -> list[IndicatorFrame]:
    try:
        return task.result()
    except EngineError as error:
        raise (error.__cause__ or error) from None  # what ``compute`` of that series raises


def _last_values(made: Plan, bars: Bars) -> IndicatorFrame:
    newest = bars.rows(max(0, len(bars) - 1), len(bars))
    values = np.empty((len(made.columns), len(newest)))
    row = 0
    for group in made.groups if len(bars) else ():
        outputs = group.shape.outputs
        values[row : row + outputs, 0] = pass_group(group, bars, group.new_state())
        row += outputs
    return frame_of(made, newest, values)


def _output(made: Plan, bars: Bars, out: IndicatorFrame | None) -> Floats:
    wanted = (len(made.columns), len(bars))
    if out is None:
        return np.empty(wanted)
    if not isinstance(out, IndicatorFrame) or out.columns != made.columns:
        shown = out.columns if isinstance(out, IndicatorFrame) else type(out).__name__
        raise InputError("out", shown, f"give a frame with the columns {', '.join(made.columns)}")
    if out.matrix.shape != wanted or not out.matrix.flags.c_contiguous:
        raise InputError("out", f"frame of {out.rows} bars", f"give a whole frame of {len(bars)} bars")
    return out.matrix
