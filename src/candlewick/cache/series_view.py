"""SeriesView: the bars of one stored series at one timeframe and their indicators, which follow what is written.

1. An append closes bars and moves the newest one: the aggregation goes on where it was, and so does each block.
2. A correction at some day leaves every bar before it as it was: bars are cut, aggregation begins again at the last bar
   that is unchanged, blocks go back to their checkpoints.
3. What reaches back before the bars that are kept is a rebuild from the first candle. Bars before ``kept_from`` are
   aggregated and passed over, not kept: most questions are about the end of a series.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from contextlib import AbstractContextManager
from threading import Lock

import numpy as np

from candlewick.aggregation.edges import Edges
from candlewick.aggregation.growing import Growing
from candlewick.bars import Bars
from candlewick.cache.block import Block
from candlewick.cache.buffer_pool import BufferPool
from candlewick.cache.depth import FEWEST, deeper, first_kept
from candlewick.cache.kept_bars import KeptBars, bytes_of
from candlewick.cache.look import Cut, Look
from candlewick.cache.reading import Readable, pieces
from candlewick.columnar import Floats
from candlewick.engine.kernel_choice import choose, ready
from candlewick.engine.plan import plan
from candlewick.engine.shape import Group
from candlewick.indicators.indicator import Indicator
from candlewick.store.repository import Series


class SeriesView:
    """Bars and indicators of a series. Every use stands under ``lock``. What is handed out are copies.

    A value is that of the whole series from its first candle, whatever is kept.
    """

    def __init__(self, fresh: Growing, buffers: BufferPool, *, lasting: bool = True) -> None:
        """``lasting``: other questions will follow, so more is kept than the first one needs."""
        self.lock = Lock()
        self._buffers = buffers
        self._fewest = FEWEST if lasting else 0
        self.record: Series | None = None
        self._fresh = fresh
        self._growing = fresh
        self._kept = KeptBars()
        self._kept_from: int | None = None
        self._tail = fresh.newest()
        self._blocks: dict[Group, Block] = {}
        self._layouts: dict[tuple[Indicator, ...], list[tuple[Block, dict[str, int]]]] = {}
        self._edges: Edges | None = None
        self._until: int | None = None

    @property
    def nbytes(self) -> int:
        """Bytes held in arrays; 0 before the first use."""
        if self.record is None:
            return 0
        bars = self._kept.nbytes + self._growing.nbytes + bytes_of(self._tail)
        return bars + sum(block.nbytes for block in self._blocks.values())

    @property
    def blocks(self) -> list[Block]:
        """The groups of indicators held."""
        return list(self._blocks.values())

    def bring_up(
        self,
        store: Readable,
        record: Series,
        low: int | None,
        indicators: tuple[Indicator, ...],
        cold: AbstractContextManager[object],
    ) -> Look:
        """Know the series at ``record`` or newer, keep the bars from ``low`` on, and hold these indicators.

        ``cold`` is entered around what reads the whole series. Raises Moved when the series changed meanwhile, and
        whatever the store and the calendar raise; then the view is what it was, or begins again.
        """
        look = Look.HIT
        groups = self._missing(indicators)
        known = self.record
        if known is not None and record.revision > known.revision:
            look = Look.EXTENSION if self._follow(store, known, record) else Look.MISS
        if known is None or look is Look.MISS or not self._reaches(low):
            with cold:
                self._build(store, record if known is None or look is Look.MISS else self.known, low, groups)
            look = Look.MISS
        elif groups:
            with cold:
                self._add(store, groups)
            look = Look.MISS
        return look

    def cut(self, low: int | None, high: int | None, until: int | None, *, final_only: bool) -> Cut:
        """The bars of ``low <= time < high``; ``until``: up to when bars are final, None: the newest candle's close."""
        kept, tail = self._kept, self._tail
        times = kept.times
        total = kept.count + len(tail)
        newest = int(tail.microseconds[0]) if len(tail) else 0
        first = kept.first if low is None else kept.first + int(np.searchsorted(times, low))
        if low is not None and first == kept.count and len(tail) and newest < low:
            first = total
        last = total
        if high is not None and not (len(tail) and newest < high):
            last = kept.first + int(np.searchsorted(times, high))
        last = max(first, last)
        final = max(first, min(last, self._final(self.until if until is None else until)))
        starts = ends = 0
        if last > first:
            starts = newest if last > kept.count else int(times[last - 1 - kept.first])
            ends = self._growing.end if last > kept.count else self._end_of(starts)
        return Cut(first, final if final_only else last, final - first, last - final, starts, ends)

    def bars(self, cut: Cut) -> Bars:
        """A copy of the bars of a cut."""
        return self._kept.joined(cut.first, cut.last, self._tail, cut.final, self._growing)

    def columns(self, cut: Cut, indicators: tuple[Indicator, ...]) -> dict[str, Floats]:
        """A copy of the indicators' columns, in the order of ``indicators``, all of which are held."""
        values: dict[str, Floats] = {}
        for block, places in self._layout(indicators):
            block.advance(self._kept, self._growing, self._buffers)
            table = block.columns(list(places.values()), cut.first, cut.last, self._tail)
            table.flags.writeable = False
            values.update(zip(places, table, strict=True))
        return {name: values[name] for name in plan(indicators).columns} if values else values

    @property
    def known(self) -> Series:
        """The record of the series as the view has it. ValueError before the first use."""
        if self.record is None:
            raise ValueError("the view knows no series yet: bring it up first")
        return self.record

    def _reaches(self, low: int | None) -> bool:
        return not self._kept.first or (low is not None and self._kept_from is not None and low >= self._kept_from)

    def _layout(self, indicators: tuple[Indicator, ...]) -> list[tuple[Block, dict[str, int]]]:
        """The blocks that hold these, and which rows of each they need by column name. Remembered."""
        found = self._layouts.get(indicators)
        if found is None:
            rows: dict[Block, dict[str, int]] = {}
            for one in indicators:
                block = next(block for block in self._blocks.values() if one in block.rows)
                rows.setdefault(block, {}).update(block.rows[one])
            found = self._layouts[indicators] = list(rows.items())
        return found

    def _missing(self, indicators: tuple[Indicator, ...]) -> list[Group]:
        """Groups that compute what no block holds: of these definitions alone, or of all that are asked for together
        where only that kernel needs no compiling."""
        if indicators in self._layouts:
            return []
        held = {one for block in self._blocks.values() for one in block.rows}
        missing = tuple(one for one in indicators if one not in held)
        if not missing:
            return []
        groups = plan(missing).groups
        if len(missing) < len(indicators) and not all(ready(group) for group in groups):
            together = [group for group in plan(indicators).groups if not held.issuperset(group.indicators)]
            if all(ready(group) for group in together):
                return together
        rows = self._kept.count if self.record is None else self.record.rows
        return [part for group in groups for part in choose(group, rows)]

    def _follow(self, store: Readable, known: Series, record: Series) -> bool:
        """Take over what was written; False when nothing of what is kept can stay."""
        count, growing, start = self._kept.count, self._growing.copy(), known.last + 1
        if record.generation != known.generation:
            changed = store.first_changed(record.symbol, record.timeframe, known.revision)
            count = self._unchanged(changed)
            if count < self._kept.first:
                return False
            start = int(self._kept.times[count - self._kept.first])
            growing = self._growing.again_from(self._kept.anchor(count))
        closed = [growing.take(candles) for candles in pieces(store, record, start)]
        if count < self._kept.count:
            self._kept.cut(count)
        for block in self._blocks.values():
            block.go_back(count)
        for bars in closed:
            self._kept.append(bars)
        self._take(record, growing)
        return True

    def _unchanged(self, changed: int | None) -> int:
        """Number of the last bar that is over at ``changed`` for certain, as a later one begins by then; -1: none."""
        if changed is None:
            return -1
        if len(self._tail) and self._tail.microseconds[0] <= changed:
            return self._kept.count - 1
        return self._kept.first + int(np.searchsorted(self._kept.times, changed, side="right")) - 2

    def _build(self, store: Readable, record: Series, low: int | None, groups: Sequence[Group]) -> None:
        """Everything anew from the first candle, for the blocks that were there too."""
        if self.record is None:
            kept_from = first_kept(record, self._fresh.about.timeframe, low, self._fewest)
        else:
            kept_from = deeper(record, self._fresh.about.timeframe, low, self._fewest, self._kept_from)
        blocks = [Block(group) for group in (*self._blocks, *groups)]
        growing = self._fresh.copy()
        kept: KeptBars | None = None
        passed = 0
        for candles in pieces(store, record):
            bars = growing.take(candles)
            split = 0
            if kept is None:
                split = 0 if kept_from is None else int(np.searchsorted(bars.microseconds, kept_from))
                _pass_over(blocks, bars.rows(0, split))
                passed += split
            if split < len(bars):
                kept = kept or KeptBars(passed)
                kept.append(bars.rows(split, len(bars)), more=True)
            del candles, bars
        self._kept = kept or KeptBars(passed)
        self._kept.fit()
        self._kept_from = kept_from
        self._blocks = {}
        self._put(blocks)
        self._take(record, growing)

    def _add(self, store: Readable, groups: Sequence[Group]) -> None:
        """New blocks beside those held."""
        blocks = [Block(group) for group in groups]
        if self._kept.first:
            growing = self._fresh.copy()
            end = int((self._kept.times if len(self._kept.times) else self._tail.microseconds)[0])
            for candles in pieces(store, self.known, None, end):
                _pass_over(blocks, growing.take(candles))
            _pass_over(blocks, growing.newest())
        self._put(blocks)

    def _put(self, blocks: Sequence[Block]) -> None:
        """Hold these blocks, and let go of those that hold nothing that these do not."""
        self._layouts = {}
        for block in blocks:
            mine = set(block.group.indicators)
            self._blocks = {group: one for group, one in self._blocks.items() if not set(group.indicators) <= mine}
            self._blocks[block.group] = block

    def _take(self, record: Series, growing: Growing) -> None:
        self.record, self._growing, self._tail, self._until = record, growing, growing.newest(), None

    def _final(self, until: int) -> int:
        """How many bars end at or before ``until``, those before the kept ones included."""
        kept, tail = self._kept, self._tail
        if not len(tail):
            return kept.count
        if self._growing.end <= until:
            return kept.count + 1
        if int(tail.microseconds[0]) <= until:
            return kept.count
        times = kept.times
        return kept.first + bisect_left(range(len(times)), True, key=lambda row: self._end_of(int(times[row])) > until)

    @property
    def until(self) -> int:
        """Up to when bars are final by what is stored: the close of the newest candle."""
        if self._until is None:
            newest = self.known.last
            about = self._fresh.about
            self._until = Edges.between(about.calendar, about.source, newest, newest + 1).close_of(newest)
        return self._until

    def _end_of(self, start: int) -> int:
        """Where the bucket of a bar that begins at ``start`` ends."""
        if self._edges is None or not self._edges.table.covers(start, start + 1):
            self._edges = Edges.between(self._fresh.about.calendar, self._fresh.about.timeframe, start, start + 1)
        return self._edges.close_of(start)


def _pass_over(blocks: Sequence[Block], bars: Bars) -> None:
    for block in blocks:
        block.pass_over(bars)
