"""The fold in each of its forms against a plain Python reference that shares nothing with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.aggregation import chunk, fold
from candlewick.aggregation.chunk import Carry, fold_chunk
from candlewick.aggregation.edges import Edges
from candlewick.candles import Candles
from candlewick.sessions import find_calendar
from candlewick.sessions.table import DAY
from candlewick.testing.session_law import DAYS, SEEDS, TIMEFRAMES, trial_candles
from candlewick.timeframe import MINUTE, Timeframe

pytestmark = pytest.mark.kernel

CALENDARS = ["XNYS", "XTKS", "CMES", "24/7", "09:00-11:30,12:30-15:00@Asia/Tokyo"]
FORMS = ["as built", "checked", "uncompiled"]
Row = list[Any]


def form_of(name: str) -> Any:
    """``uncompiled``: the functions themselves, which is what coverage sees."""
    return {"as built": fold.kernel, "checked": lambda: fold.kernel(plain=True), "uncompiled": lambda: fold}[name]()


def reference(candles: Candles, timeframe: str, drop: bool) -> list[Row]:
    """Bars by asking each candle's bucket alone: time, open, high, low, close, volume, n, anchor."""
    calendar, length = candles.calendar, Timeframe.parse(timeframe)
    rows: dict[int, Row] = {}
    keys: set[object] = set()
    columns = (candles.open, candles.high, candles.low, candles.close, candles.volume)
    for t, *values in zip(candles.microseconds.tolist(), *(column.tolist() for column in columns)):
        o, h, l, c, v = values  # noqa: E741
        group = calendar.periods(t, t + 1, length.span)
        session = [k for k in range(len(group)) if group.open[k] <= t < group.close[k]]
        if not session or (drop and o == h == l == c and v == 0):
            continue
        start = int(group.open[0])
        if length.intraday:
            start += (t - start) // length.microseconds * length.microseconds
        if start in rows:
            row = rows[start]
            row[2:7] = [max(row[2], h), min(row[3], l), c, row[5] + v, row[6] + 1]
            continue
        date = np.datetime64(int(group.label[session[0]]), "D").item()
        mine = [("session", date), ("week", date.isocalendar()[:2]), ("month", (date.year, date.month))]
        rows[start] = [start, o, h, l, c, v, 1, sum(2**k for k in range(3) if mine[k] not in keys)]
        keys.update(mine)
    return list(rows.values())


def rows_of(columns: chunk.Columns, made: int) -> list[Row]:
    named = ("time", "open", "high", "low", "close", "volume", "n", "anchor")
    return [list(row) for row in zip(*(getattr(columns, name)[:made].tolist() for name in named))]


@pytest.mark.parametrize("form", FORMS)
@given(
    calendar=st.sampled_from(CALENDARS),
    day=DAYS,
    seed=SEEDS,
    timeframe=TIMEFRAMES,
    drop=st.booleans(),
    cut=st.integers(1, 59),
)
def test_fold_equals_the_reference(
    form: str, calendar: str, day: int, seed: int, timeframe: str, drop: bool, cut: int
) -> None:
    candles = trial_candles(calendar, day, seed, rows=60)
    times = candles.microseconds
    edges = Edges.between(find_calendar(calendar), Timeframe.parse(timeframe), int(times[0]), int(times[-1]) + 1)
    kernel, carry, found = form_of(form), Carry.empty(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunk, "kernel", lambda: kernel)
        for part in (candles.rows(0, cut), candles.rows(cut, 60)):
            columns, made = fold_chunk(part, edges, carry, drop=drop)
            found += rows_of(columns, made)
    if carry.open:
        columns.put(0, carry)
        found += rows_of(columns, 1)
    assert found == reference(candles, timeframe, drop)


@pytest.mark.parametrize("form", FORMS)
def test_fold_goes_on_to_the_end_of_the_table_and_no_further(form: str) -> None:
    calendar = find_calendar("XBOM")
    until = calendar.known[1]
    table = calendar.table(until - DAY, until)
    times = np.array([table.close[-1] - MINUTE, until - MINUTE])
    ones = {name: np.ones(2) for name in ("open", "high", "low", "close", "volume")}
    candles = Candles.trusted("S", Timeframe.parse("1m"), calendar, times, ones)
    edges = Edges.between(calendar, Timeframe.parse("5m"), int(times[0]), until)
    kernel, carry = form_of(form), Carry.empty()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunk, "kernel", lambda: kernel)
        assert fold_chunk(candles, edges, carry, drop=False)[1] == 0
    assert carry.open
    assert carry.end == table.close[-1]


@pytest.mark.parametrize("form", FORMS)
@given(
    calendar=st.sampled_from(CALENDARS),
    day=DAYS,
    keep=st.floats(0.1, 1.0),
    shift=st.sampled_from([0, 0, 1, 90 * 24 * 60]),
)
def test_survey_counts_the_rows_on_the_grid(form: str, calendar: str, day: int, keep: float, shift: int) -> None:
    found = find_calendar(calendar)
    opened = found.periods(day * DAY, (day + 20) * DAY).open
    edges = Edges.between(found, Timeframe.parse("30m"), int(opened[0]), int(opened[-1]))
    draw = np.random.default_rng(day)
    starts, _ = edges.starts(int(opened[0]), int(opened[-1]))
    times = np.sort(draw.choice(starts, max(1, int(len(starts) * keep)), replace=False))[:80]
    times[int(draw.integers(0, len(times)))] += shift * MINUTE  # off the grid, or far on
    times = np.unique(times)
    anchor = np.full(len(times), 255, dtype=np.uint8)
    table = edges.table
    count = form_of(form).survey(
        times,
        table.open,
        table.close,
        edges.groups.open,
        table.label,
        table.week,
        table.month,
        edges.place(int(times[0])),
        edges.step,
        anchor,
    )
    buckets = [edges.bucket(int(t)) for t in times]
    on_grid = [bucket is not None and bucket[0] == t for bucket, t in zip(buckets, times)]
    assert count == (on_grid.index(False) if False in on_grid else len(times))
    keys: set[object] = set()
    for row in range(count):
        period = edges.place(int(times[row]))
        mine = [(k, int(ids[period])) for k, ids in enumerate((table.label, table.week, table.month))]
        assert anchor[row] == sum(2**k for k in range(3) if mine[k] not in keys)
        keys.update(mine)
