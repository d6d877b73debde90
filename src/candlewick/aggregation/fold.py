"""Fold: one pass over ascending candles that closes a bar whenever a later bucket begins.

1. ``place`` walks over the periods with the candles; a candle in no period is passed over.
2. Inside a period buckets follow each other from the group's open in equal steps, the last one cut at its close. For
   sessions, weeks and months the step is longer than any group, so a group is one bucket, however many periods it has.
3. Rows up to the nearer of bucket end and period close are merged without asking further; the next bucket is worked
   out (by a division at most) only behind that limit.
4. What is still open at the end is left in ``state`` and ``partial``, where the next chunk takes it up: a batch is one
   chunk, a live feed many.
"""

from __future__ import annotations

import inspect
from typing import Any

from candlewick.aggregation.merge import merge, untraded
from candlewick.kernels import Kernel, build, emit
from candlewick.kernels.plain import address

STATE = 8
"""Length of ``state``: 1 while a bar is open, its start, end, n and anchor; session, week and month of the last bar."""

PARTIAL = 5
"""Length of ``partial``: open, high, low, close and volume of the open bar."""

NEVER = -(2**62)
"""A session, week or month that no bar belongs to."""


def fold(
    time: Any, open_: Any, high: Any, low: Any, close: Any, volume: Any, count: Any,
    period_open: Any, period_close: Any, group_open: Any, group_close: Any, session: Any, week: Any, month: Any,
    place: int, step: int, drop: int, state: Any, partial: Any,
    out_time: Any, out_open: Any, out_high: Any, out_low: Any, out_close: Any, out_volume: Any, out_n: Any,
    out_anchor: Any,
) -> int:  # fmt: skip
    """Merge candles into bars; returns how many were written. ``place``: first period not over before the candles."""
    rows, periods, counted = len(time), len(period_open), len(count) > 0
    at, begins, ends = address(time), address(period_open), address(period_close)
    opens, highs, lows, closes, volumes = address(open_), address(high), address(low), address(close), address(volume)
    counts = address(count)
    held, start, end, n, anchor = state[0], state[1], state[2], state[3], state[4]
    first, top, bottom, last, total = partial[0], partial[1], partial[2], partial[3], partial[4]
    to_time, to_open, to_high, to_low = address(out_time), address(out_open), address(out_high), address(out_low)
    to_close, to_volume, to_n, to_anchor = address(out_close), address(out_volume), address(out_n), address(out_anchor)
    row, made, bucket, limit = 0, 0, 0, -(1 << 62)
    while row < rows and place < periods:
        t = at[row]
        if limit > begins[place] and t < ends[place]:  # a later bucket of the same period
            ahead = t - bucket
            bucket += step if ahead < step + step else ahead // step * step
        else:
            while place < periods and ends[place] <= t:
                place += 1
            if place == periods:
                break
            if t < begins[place]:
                row += 1
                continue
            bucket = group_open[place] + (t - group_open[place]) // step * step
        finish = bucket + step if bucket + step < group_close[place] else group_close[place]
        limit = finish if finish < ends[place] else ends[place]
        if held == 0 or start != bucket:
            while drop and row < rows and at[row] < limit:
                if not untraded(opens[row], highs[row], lows[row], closes[row], volumes[row]):
                    break
                row += 1
            if row == rows or at[row] >= limit:
                continue
            if held:
                to_time[made], to_n[made], to_anchor[made] = start, n, anchor
                to_open[made], to_high[made], to_low[made], to_close[made] = first, top, bottom, last
                to_volume[made] = total
                made += 1
            held, start, end = 1, bucket, finish
            first, top, bottom, last = opens[row], highs[row], lows[row], closes[row]
            total, n = volumes[row], counts[row] if counted else 1
            anchor = (session[place] != state[5]) + 2 * (week[place] != state[6]) + 4 * (month[place] != state[7])
            state[5], state[6], state[7] = session[place], week[place], month[place]
            row += 1
        while row < rows and at[row] < limit:
            if not (drop and untraded(opens[row], highs[row], lows[row], closes[row], volumes[row])):
                weight = counts[row] if counted else 1
                first, top, bottom, last, total, n = merge(
                    first, top, bottom, total, n, highs[row], lows[row], closes[row], volumes[row], weight
                )
            row += 1
    state[0], state[1], state[2], state[3], state[4] = held, start, end, n, anchor
    partial[0], partial[1], partial[2], partial[3], partial[4] = first, top, bottom, last, total
    return made


def survey(
    time: Any, period_open: Any, period_close: Any, group_open: Any, session: Any, week: Any, month: Any,
    place: int, step: int, out_anchor: Any,
) -> int:  # fmt: skip
    """How many candles from the first on stand exactly at the start of a bucket; sets their anchors."""
    rows, periods = len(time), len(period_open)
    at, begins, ends, to_anchor = address(time), address(period_open), address(period_close), address(out_anchor)
    row, expected, last = 0, -1, -1
    while row < rows:
        t = at[row]
        if t != expected or t >= ends[place]:
            while place < periods and ends[place] <= t:
                place += 1
            if place == periods or t < begins[place] or (t - group_open[place]) % step != 0:
                break
        anchor = 0
        if place != last:
            anchor = 7
            if last >= 0:
                anchor = (session[place] != session[last]) + 2 * (week[place] != week[last])
                anchor += 4 * (month[place] != month[last])
            last = place
        to_anchor[row] = anchor
        expected = t + step
        row += 1
    return row


def kernel(*, plain: bool | None = None) -> Kernel:
    """``fold`` and ``survey``, compiled."""
    return build("aggregate", TEXT, plain=plain)


def _entry(function: Any, arrays: list[str], result: str) -> str:
    return f'@entry("{result}({", ".join(arrays)})")\n{inspect.getsource(function)}'


def _read(kind: str) -> str:
    return f"Array({kind}, 1, 'C', readonly=True)"


_INTEGERS, _FLOATS = _read("int64"), _read("float64")
_FOLD = [
    *[_INTEGERS, *[_FLOATS] * 5, _read("int32")],
    *[_INTEGERS] * 7,
    *["int64"] * 3,
    *["int64[::1]", "float64[::1]"],
    *["int64[::1]", *["float64[::1]"] * 5, "int32[::1]", "uint8[::1]"],
]
_SURVEY = [*[_INTEGERS] * 7, *["int64"] * 2, "uint8[::1]"]
TEXT = "\n".join([emit(merge, untraded), _entry(fold, _FOLD, "int64"), _entry(survey, _SURVEY, "int64")])
"""What the kernel is built of."""
