"""The sessions law, with split and prefix for forming bars, as a base class: one small subclass per calendar."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from types import FunctionType
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from candlewick.aggregation import Forming, aggregate
from candlewick.aggregation.edges import Edges
from candlewick.bars import Bars
from candlewick.candles import Candles
from candlewick.columnar import Integers
from candlewick.kernels.build import jit_disabled
from candlewick.sessions.calendar import find_calendar
from candlewick.sessions.table import DAY
from candlewick.timeframe import MINUTE, Span, Timeframe

FIRST, LAST = (dt.date(2000, 1, 10).toordinal() - 719_163, dt.date(2026, 6, 30).toordinal() - 719_163)
ROWS = 60 if jit_disabled() else 400

TIMEFRAMES = st.one_of(
    st.integers(1, 1440).map(lambda n: f"{n}m"), st.sampled_from(["5m", "1h", "4h", "1d", "1w", "1mo"])
)
DAYS = st.integers(FIRST, LAST)
SEEDS = st.integers(0, 2**32 - 1)


def trial_candles(calendar: str, day: int, seed: int, *, rows: int = ROWS, symbol: str = "TRIAL") -> Candles:
    """One-minute candles of some days from ``day`` (since 1970) on: gaps, minutes outside sessions, whole volumes."""
    draw = np.random.default_rng(seed)
    stretch = int(draw.choice([rows + 10, 3 * 1440, 10 * 1440]))
    minutes = np.sort(draw.choice(max(stretch, rows), size=rows, replace=False))
    opened = find_calendar(calendar).periods(day * DAY, (day + 14) * DAY).open
    start = int(opened[0]) - int(draw.integers(0, 90)) * MINUTE
    opens, closes = np.round(draw.normal(100, 3, rows), 2), np.round(draw.normal(100, 3, rows), 2)
    flat = draw.random(rows) < 0.1
    closes[flat] = opens[flat]
    spread = np.where(flat, 0.0, np.round(draw.random(rows), 2))
    return Candles(
        symbol=symbol,
        timeframe="1m",
        calendar=calendar,
        time=start + minutes * MINUTE,
        open=opens,
        high=np.maximum(opens, closes) + spread,
        low=np.minimum(opens, closes) - spread,
        close=closes,
        volume=np.where(flat & (draw.random(rows) < 0.7), 0.0, draw.integers(0, 10_000, rows).astype(float)),
    )


def same_bars(left: Bars, right: Bars) -> bool:
    """Equal in every column, anchors included."""
    return left == right and np.array_equal(left.anchor, right.anchor)


Law = Callable[..., None]


def law(**strategies: st.SearchStrategy[Any]) -> Callable[[Law], Law]:
    """Marks a test whose arguments are drawn; each subclass gets a copy of its own, as hypothesis needs it."""

    def mark(test: Law) -> Law:
        test.__dict__["strategies"] = strategies
        return test

    return mark


class SessionLaws:
    """Tests of one calendar: its buckets partition its periods and lose no volume; live gives the same bars."""

    calendar: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, test in list(vars(SessionLaws).items()):
            strategies = getattr(test, "strategies", None)
            if strategies is not None and name not in vars(cls):
                own = FunctionType(test.__code__, test.__globals__, name, test.__defaults__, test.__closure__)
                own.__annotations__, own.__qualname__ = test.__annotations__, f"{cls.__name__}.{name}"
                setattr(cls, name, given(**strategies)(own))

    @law(day=DAYS, timeframe=TIMEFRAMES)
    def test_edges_partition_each_period(self, day: int, timeframe: str) -> None:
        calendar, length = find_calendar(self.calendar), Timeframe.parse(timeframe)
        start, end = day * DAY, (day + 9) * DAY
        periods = calendar.periods(start, end, length.span)
        if not len(periods):
            return
        opened, closed = Edges.between(calendar, length, start, end).starts(
            int(periods.open[0]), int(periods.close[-1])
        )
        assert np.all(opened < closed)
        if length.span is not Span.PERIOD:
            assert np.all(closed[:-1] <= opened[1:])
            assert np.isin(opened, periods.open).all()
            assert np.isin(closed, periods.close).all()
            assert (opened[0], closed[-1]) == (periods.open[0], periods.close[-1])
            return
        assert np.all(closed - opened <= length.microseconds)
        for begin, finish in zip(periods.open, periods.close):
            mine = (opened >= begin) & (opened < finish)
            assert opened[mine][0] == begin
            assert closed[mine][-1] == finish
            assert np.array_equal(closed[mine][:-1], opened[mine][1:])
            assert np.all(np.diff(opened[mine]) == length.microseconds)
        assert len(opened) == sum(
            -(-int(finish - begin) // length.microseconds) for begin, finish in zip(periods.open, periods.close)
        )

    @law(day=DAYS, seed=SEEDS, timeframe=TIMEFRAMES)
    def test_volume_inside_is_volume_out(self, day: int, seed: int, timeframe: str) -> None:
        candles = trial_candles(self.calendar, day, seed)
        bars = aggregate(candles, timeframe)
        within = find_calendar(self.calendar).inside(candles.microseconds)
        assert math.fsum(bars.volume) == math.fsum(candles.volume[within])
        assert int(bars.n.sum()) == int(np.count_nonzero(within))
        assert bool(np.all(np.diff(bars.microseconds) > 0))

    @law(day=DAYS, seed=SEEDS, timeframe=TIMEFRAMES)
    def test_every_bar_stands_in_its_own_bucket(self, day: int, seed: int, timeframe: str) -> None:
        candles = trial_candles(self.calendar, day, seed)
        bars = aggregate(candles, timeframe)
        times = candles.microseconds
        edges = Edges.between(find_calendar(self.calendar), bars.timeframe, int(times[0]), int(times[-1]) + 1)
        for row, opened in enumerate(bars.microseconds):
            bucket = edges.bucket(int(opened))
            assert bucket is not None
            assert bucket[0] == opened
            mine = (times >= bucket[0]) & (times < bucket[1]) & find_calendar(self.calendar).inside(times)
            assert bars.n[row] == np.count_nonzero(mine) > 0
            assert (bars.open[row], bars.close[row]) == (candles.open[mine][0], candles.close[mine][-1])
            assert (bars.high[row], bars.low[row]) == (candles.high[mine].max(), candles.low[mine].min())

    @law(year=st.integers(2001, 2025), minutes=st.sampled_from([1, 5, 7, 60, 240]))
    def test_clock_changes_change_nothing(self, year: int, minutes: int) -> None:
        """Sessions that show the same hours on the exchange's clock have the same buckets, counted from their open."""
        calendar = find_calendar(self.calendar)
        zone = ZoneInfo(calendar.timezone)
        first, last = ((dt.date(y, 1, 1).toordinal() - 719_163) * DAY for y in (year, year + 1))
        periods = calendar.periods(first, last)
        edges = Edges.between(calendar, Timeframe.parse(f"{minutes}m"), first, last)
        patterns: dict[tuple[str, str], Integers] = {}
        for opened, closed in zip(periods.open.tolist(), periods.close.tolist()):
            begin, finish = (dt.datetime.fromtimestamp(at / 1_000_000, zone) for at in (opened, closed))
            if begin.utcoffset() != finish.utcoffset():
                continue
            offsets = edges.starts(opened, closed)[0] - opened
            shown = (begin.strftime("%H:%M"), finish.strftime("%H:%M"))
            assert np.array_equal(patterns.setdefault(shown, offsets), offsets), shown
        assert patterns

    @law(day=DAYS, seed=SEEDS, timeframe=TIMEFRAMES, zero_volume=st.sampled_from(["keep", "drop"]), data=st.data())
    def test_split_law(self, day: int, seed: int, timeframe: str, zero_volume: str, data: st.DataObject) -> None:
        candles = trial_candles(self.calendar, day, seed)
        whole = aggregate(candles, timeframe, zero_volume=zero_volume)
        cuts = data.draw(st.lists(st.integers(0, len(candles)), max_size=6).map(sorted))
        forming = Forming("1m", timeframe, self.calendar, "TRIAL", zero_volume)
        at = 0
        for start, stop in zip([0, *cuts], [*cuts, len(candles)]):
            if data.draw(st.booleans()):
                forming = Forming.load(forming.save())
            given_out = forming.update(candles.rows(start, stop))
            assert same_bars(given_out, whole.rows(at, at + len(given_out)))
            at += len(given_out)
        assert same_bars(forming.peek(), whole.rows(at, len(whole)))
        assert at == np.count_nonzero(whole.final)

    @law(day=DAYS, seed=SEEDS, timeframe=TIMEFRAMES, data=st.data())
    def test_prefix_law(self, day: int, seed: int, timeframe: str, data: st.DataObject) -> None:
        candles = trial_candles(self.calendar, day, seed)
        whole = aggregate(candles, timeframe)
        stop = data.draw(st.integers(0, len(candles)))
        before = aggregate(candles.rows(0, stop), timeframe).only_final()
        assert same_bars(before, whole.rows(0, len(before)))
        assert len(before) <= np.count_nonzero(whole.final)

    @law(day=DAYS, seed=SEEDS, timeframe=st.sampled_from(["5m", "15m"]))
    def test_bars_of_bars_are_bars_of_candles(self, day: int, seed: int, timeframe: str) -> None:
        candles = trial_candles(self.calendar, day, seed)
        finer = aggregate(candles, timeframe)
        for coarser in ("30m", "1h", "1d", "1w"):
            twice, once = aggregate(finer, coarser), aggregate(candles, coarser)
            assert same_bars(twice.rows(0, len(twice.only_final())), once.rows(0, len(twice.only_final())))
            for name in ("time", "open", "high", "low", "close", "volume", "n", "anchor"):
                assert np.array_equal(getattr(twice, name), getattr(once, name)), name

    def test_sessions_are_known_without_a_gap(self) -> None:
        """Every part of the calendar is found again by asking for it alone."""
        calendar = find_calendar(self.calendar)
        all_of_it = calendar.periods(FIRST * DAY, LAST * DAY)
        assert np.all(all_of_it.open < all_of_it.close)
        assert np.all(all_of_it.close[:-1] <= all_of_it.open[1:])
        assert np.all(np.diff(all_of_it.label) >= 0)
        for row in range(0, len(all_of_it), max(1, len(all_of_it) // 50)):
            alone = calendar.periods(int(all_of_it.open[row]), int(all_of_it.open[row]) + 1)
            assert set(alone.label) == {all_of_it.label[row]}
            assert all_of_it.open[row] in alone.open
        first = np.unique(all_of_it.label, return_index=True)
        assert np.array_equal(calendar.label_opens(first[0]), all_of_it.open[first[1]])
