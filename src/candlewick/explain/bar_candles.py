"""Bar candles: the source candles of each bar, and bars told with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from candlewick.aggregation.edges import Edges
from candlewick.bars import Bars
from candlewick.candles import VALUES, Candles
from candlewick.explain.explanation import Bar, Candle, Window

BARS_SHOWN = 40
"""Bars of a window that are told one by one: half of them the first, half the last."""
CANDLES_SHOWN = 10
"""Source candles of a bar, likewise."""


@dataclass(frozen=True, eq=False)
class BarCandles:
    """The bars of one series, at least one, and the candles that they are made of."""

    candles: Candles
    bars: Bars
    edges: Edges
    zero_volume: str

    @classmethod
    def between(cls, candles: Candles, bars: Bars, zero_volume: str) -> BarCandles:
        """With the edges of the bars' buckets."""
        times = bars.microseconds
        edges = Edges.between(bars.calendar, bars.timeframe, int(times[0]), int(times[-1]) + 1)
        return cls(candles, bars, edges, zero_volume)

    def end(self, row: int) -> int:
        """Where a bar's bucket ends."""
        time = int(self.bars.microseconds[row])
        return int(min(time + self.edges.step, self.edges.groups.close[self.edges.place(time)]))

    def of(self, row: int) -> Candles:
        """The candles of one bar: those that open in its bucket, inside trading periods, and count."""
        found = self.candles.between(int(self.bars.microseconds[row]), self.end(row))
        times, table = found.microseconds, self.edges.table
        kept = times < table.close[np.searchsorted(table.open, times, side="right") - 1]
        if self.zero_volume == "drop":
            flat = (found.open == found.high) & (found.open == found.low) & (found.open == found.close)
            kept &= ~(flat & (found.volume == 0.0))
        values = {name: getattr(found, name)[kept] for name in VALUES}
        return Candles.trusted(found.symbol, found.timeframe, found.calendar, times[kept], values)

    def told(self, row: int) -> Bar:
        """One bar with the first and last of its candles."""
        bars, own, end = self.bars, self.of(row), self.end(row)
        time = int(bars.microseconds[row])
        place = self.edges.place(time)
        return Bar(
            time=time,
            end=end,
            session=str(np.datetime64(int(self.edges.table.label[place]), "D")),
            period_open=int(self.edges.groups.open[place]),
            period_close=int(self.edges.groups.close[place]),
            final=bool(bars.final[row]),
            **{name: float(getattr(bars, name)[row]) for name in VALUES},
            n=int(bars.n[row]),
            possible=len(Edges.between(bars.calendar, self.candles.timeframe, time, end).starts(time, end)[0]),
            candles=tuple(_candle(own, place) for place in ends(0, len(own), CANDLES_SHOWN)),
            left_out=max(0, len(own) - CANDLES_SHOWN),
        )

    def window(self, first: int, row: int) -> Window:
        """The bars from ``first`` to ``row``, both included."""
        count = row + 1 - first
        return Window(
            bars=count,
            first=int(self.bars.microseconds[first]),
            last=int(self.bars.microseconds[row]),
            shown=tuple(self.told(one) for one in ends(first, row + 1, BARS_SHOWN)),
            left_out=max(0, count - BARS_SHOWN),
        )


def ends(first: int, stop: int, count: int) -> list[int]:
    """The first and last of ``first <= row < stop``, ``count`` in all, or all of them where there are no more."""
    if stop - first <= count:
        return list(range(first, stop))
    half = count // 2
    return [*range(first, first + half), *range(stop - half, stop)]


def _candle(candles: Candles, place: int) -> Candle:
    values = {name: float(getattr(candles, name)[place]) for name in VALUES}
    return Candle(time=int(candles.microseconds[place]), **values)
