"""Chunk: candles folded onto what earlier chunks left open, as bars. Batch is one chunk, a live feed many."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from candlewick.aggregation.edges import Edges
from candlewick.aggregation.fold import NEVER, PARTIAL, STATE, kernel
from candlewick.bars import Bars
from candlewick.candles import VALUES, Candles
from candlewick.columnar import Floats, Integers
from candlewick.timeframe import Timeframe

FEW = 64
"""Candles for which to count the buckets would take longer than room for one bar each."""

_ONE_EACH = np.empty(0, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Carry:
    """What one chunk leaves to the next; the fold writes into the arrays. Layout: ``fold.STATE``, ``fold.PARTIAL``."""

    state: Integers
    partial: Floats

    @classmethod
    def empty(cls) -> Carry:
        """Before the first candle."""
        state = np.zeros(STATE, dtype=np.int64)
        state[5:] = NEVER
        return cls(state, np.zeros(PARTIAL))

    def copy(self) -> Carry:
        """The same, to be written to apart."""
        return Carry(self.state.copy(), self.partial.copy())

    @property
    def open(self) -> bool:
        """True while a bar is open."""
        return bool(self.state[0])

    @property
    def start(self) -> int:
        """Where the open bar's bucket begins."""
        return int(self.state[1])

    @property
    def end(self) -> int:
        """Where the open bar's bucket ends."""
        return int(self.state[2])

    def close(self) -> None:
        """The open bar was given out."""
        self.state[0] = 0


@dataclass(frozen=True, eq=False)
class Columns:
    """Room for bars that a fold writes."""

    time: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    n: npt.NDArray[np.int32]
    anchor: npt.NDArray[np.uint8]

    @classmethod
    def room(cls, bars: int) -> Columns:
        """Columns for that many bars; memory that is never written is never taken."""
        values = {name: np.empty(bars) for name in VALUES}
        return cls(np.empty(bars, np.int64), **values, n=np.empty(bars, np.int32), anchor=np.empty(bars, np.uint8))

    def put(self, row: int, carry: Carry) -> None:
        """Write the open bar."""
        self.time[row], self.n[row], self.anchor[row] = carry.start, carry.state[3], carry.state[4]
        self.open[row], self.high[row], self.low[row], self.close[row], self.volume[row] = carry.partial

    def bars(self, candles: Candles, timeframe: Timeframe, rows: int, final: int) -> Bars:
        """The first ``rows`` as bars of the candles' series, ``final`` of them final."""
        return Bars.made(
            candles.symbol,
            timeframe,
            candles.calendar,
            self.time[:rows],
            {name: getattr(self, name)[:rows] for name in VALUES},
            n=self.n[:rows],
            final=np.arange(rows) < final,
            anchor=self.anchor[:rows],
            source=candles.source if isinstance(candles, Bars) else candles.timeframe,
        )


def fold_chunk(candles: Candles, edges: Edges, carry: Carry, *, drop: bool) -> tuple[Columns, int]:
    """Fold candles (one or more) onto ``carry``: room with the bars that a later bucket closed, and how many.

    There is a row left for the bar that is still open.
    """
    times = np.ascontiguousarray(candles.microseconds)
    start, end = int(times[0]), int(times[-1]) + 1
    rows = len(times)
    columns = Columns.room((rows if rows < FEW else min(rows, edges.most(start, end))) + 2)
    table, groups = edges.table, edges.groups
    made = kernel().fold(
        times,
        *(np.ascontiguousarray(getattr(candles, name)) for name in VALUES),
        np.ascontiguousarray(candles.n) if isinstance(candles, Bars) else _ONE_EACH,
        table.open,
        table.close,
        groups.open,
        groups.close,
        table.label,
        table.week,
        table.month,
        edges.place(start),
        edges.step,
        int(drop),
        carry.state,
        carry.partial,
        columns.time,
        columns.open,
        columns.high,
        columns.low,
        columns.close,
        columns.volume,
        columns.n,
        columns.anchor,
    )
    return columns, int(made)


def count_final(columns: Columns, rows: int, edges: Edges, until: int) -> int:
    """How many of the first ``rows`` bars end at or before ``until``; their ends ascend."""

    def over(row: int) -> bool:
        bucket = edges.bucket(int(columns.time[row]))
        return bucket is None or bucket[1] > until

    if not rows or not over(rows - 1):
        return rows
    if rows == 1 or not over(rows - 2):
        return rows - 1
    return bisect_left(range(rows), True, key=over)
