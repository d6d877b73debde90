"""Bars as a pandas user makes them: the period of each candle, its bucket in there, and a groupby."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from candlewick.bars import Bars
from candlewick.candles import VALUES, Candles
from candlewick.columnar import Integers
from candlewick.sessions.calendar import Calendar, Periods
from candlewick.timeframe import Span, Timeframe

if TYPE_CHECKING:
    import pandas as pd

HOW = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum", "n": "sum"}
"""How candles become a bar."""


def group_keys(label: Integers, span: Span) -> Integers:
    """Number of the session, ISO week or calendar month that each session date (days since 1970) belongs to."""
    if span is Span.WEEK:
        return (label + 3) // 7  # 1970 began on a Thursday
    if span is Span.MONTH:
        return label.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return label


@dataclass(frozen=True, eq=False)
class Buckets:
    """Trading periods, and for each where its group opens and closes: the period itself, or its session, week, month.

    Buckets follow each other from ``begin`` in steps of ``step`` microseconds and are cut at ``finish``; a step of 0
    is the whole group.
    """

    periods: Periods
    begin: Integers
    finish: Integers
    step: int

    @classmethod
    def of(cls, calendar: Calendar, timeframe: Timeframe, start: int, end: int) -> Buckets:
        """The buckets that times ``start <= t < end`` may lie in. HorizonError beyond what the calendar knows."""
        periods = calendar.periods(start, end, timeframe.span)
        if timeframe.intraday or not len(periods):
            return cls(periods, periods.open, periods.close, timeframe.microseconds)
        key = group_keys(periods.label, timeframe.span)
        first = np.searchsorted(key, key, side="left")
        last = np.searchsorted(key, key, side="right") - 1
        return cls(periods, periods.open[first], periods.close[last], 0)

    def place(self, times: Integers) -> tuple[Integers, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        """The period that each time lies in, and whether it lies in one at all."""
        place = np.searchsorted(self.periods.open, times, side="right") - 1
        if not len(self.periods):
            return place, np.zeros(len(times), dtype=np.bool_)
        return place, (place >= 0) & (times < self.periods.close[np.maximum(place, 0)])

    def starts(self, times: Integers, place: Integers) -> Integers:
        """Start of the bucket of each time, given its period."""
        begin = self.begin[place]
        return begin + (times - begin) // self.step * self.step if self.step else begin

    def ends(self, starts: Integers, place: Integers) -> Integers:
        """End of the buckets that start there."""
        finish = self.finish[place]
        return np.minimum(starts + self.step, finish) if self.step else finish

    def end_of(self, time: int) -> int | None:
        """Where the bucket that holds ``time`` ends; None outside trading periods."""
        at = np.array([time], dtype=np.int64)
        place, inside = self.place(at)
        return int(self.ends(self.starts(at, place), place)[0]) if inside[0] else None


def candle_close(calendar: Calendar, timeframe: Timeframe, time: int) -> int:
    """When the candle that opened at ``time`` is over.

    Inside a period after its length or at the period's close; for 1d and coarser where its sessions end, also in a
    break. Outside: after its length (0 for 1d and coarser), at the next open at the latest.
    """
    length = timeframe.microseconds
    buckets = Buckets.of(calendar, timeframe, time, time + 1)
    if len(buckets.periods):
        return min(time + length, int(buckets.finish[0])) if length else int(buckets.finish[0])
    after = calendar.periods(time, min(time + length, calendar.known[1]), Span.PERIOD).open
    return int(min(time + length, after[0])) if len(after) else time + length


def bars_frame(candles: Candles, timeframe: Timeframe, *, zero_volume: str, until: int) -> pd.DataFrame:
    """Bars with the columns ``time open high low close volume n label end final``, ascending.

    ``label``: session date of the bar's first candle. ``end``: of its bucket; ``final`` when at or before ``until``.
    """
    import pandas as pd

    frame = pd.DataFrame({"time": candles.microseconds, **{name: getattr(candles, name) for name in VALUES}})
    if zero_volume == "drop":
        flat = (frame["high"] == frame["low"]) & (frame["open"] == frame["close"]) & (frame["open"] == frame["high"])
        frame = frame[~(flat & (frame["volume"] == 0.0))]
    times = frame["time"].to_numpy()
    start, end = (int(times[0]), int(times[-1]) + 1) if len(times) else (0, 0)
    buckets = Buckets.of(candles.calendar, timeframe, start, end)
    place, inside = buckets.place(times)
    frame, place = frame[inside], place[inside]
    starts = buckets.starts(frame["time"].to_numpy(), place)
    frame = frame.assign(
        time=starts,
        n=np.int32(1),
        label=buckets.periods.label[place],
        end=buckets.ends(starts, place),
    )
    if (np.diff(starts) <= 0).any():
        frame = frame.groupby("time", sort=False).agg({**HOW, "label": "first", "end": "first"})
    else:
        frame = frame.set_index("time")  # every candle is a bar
    return frame.assign(final=frame["end"] <= until).reset_index()


def as_bars(frame: pd.DataFrame, candles: Candles, timeframe: Timeframe) -> Bars:
    """The frame's rows as Bars of the candles' series."""
    label = frame["label"].to_numpy()
    anchor = np.zeros(len(frame), dtype=np.uint8)
    for bit, span in ((1, Span.SESSION), (2, Span.WEEK), (4, Span.MONTH)):
        anchor[np.flatnonzero(np.diff(group_keys(label, span), prepend=-1))] |= bit
    return Bars.made(
        candles.symbol,
        timeframe,
        candles.calendar,
        np.ascontiguousarray(frame["time"].to_numpy(dtype=np.int64)),
        {name: np.ascontiguousarray(frame[name].to_numpy(dtype=np.float64)) for name in VALUES},
        n=frame["n"].to_numpy(dtype=np.int32),
        final=frame["final"].to_numpy(dtype=np.bool_),
        anchor=anchor,
        source=candles.timeframe,
    )
