"""Ground: our candles, and the bars that one or another way of building them makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from candlewick.aggregation.batch import aggregate
from candlewick.bars import Bars
from candlewick.candles import VALUES, Candles
from candlewick.columnar import Floats, Integers
from candlewick.errors import InputError
from candlewick.sessions.calendar import Calendar
from candlewick.sources.local_time import DAY, find_zone, offsets
from candlewick.timeframe import Timeframe

SESSION, CLOCK, ALL_HOURS = "session", "clock", "all hours"
"""Where buckets begin: at each period's open; at full multiples of the timeframe since midnight; the same, of every
stored candle, outside sessions too."""


@dataclass(frozen=True)
class Way:
    """How bars are made of candles. ``drop``: flat candles without volume are left out. ``minutes``: candles are put
    into the bucket so many minutes later than their open."""

    buckets: str = SESSION
    drop: bool = False
    minutes: int = 0


OURS = Way()


@dataclass(frozen=True, eq=False)
class Ground:
    """Candles of one series and the timeframe to compare at; bars are made once for each way."""

    candles: Candles
    timeframe: Timeframe
    _made: dict[Way, Bars] = field(default_factory=dict, repr=False)

    @property
    def calendar(self) -> Calendar:
        """The calendar of the series."""
        return self.candles.calendar

    def bars(self, way: Way = OURS) -> Bars:
        """The bars that ``way`` makes."""
        if way not in self._made:
            self._made[way] = self._make(way)
        return self._made[way]

    def ways(self) -> list[Way]:
        """Every other way worth trying on these candles."""
        found = [Way(drop=True)] if flat(self.candles).any() else []
        if self.timeframe.intraday and self.candles.timeframe != self.timeframe:
            minute = self.candles.timeframe.minutes
            found += [Way(minutes=minute), Way(minutes=-minute)]
        if self.timeframe.intraday and self.timeframe.minutes > 1:
            found += [Way(CLOCK), Way(ALL_HOURS)]
        elif self.timeframe.intraday:
            found.append(Way(ALL_HOURS))
        return found

    def sheet(self, time: Integers, values: Mapping[str, Floats], n: npt.NDArray[np.int32] | None = None) -> Bars:
        """Bars of these columns, with the anchors that the calendar gives them."""
        ones = np.ones(len(time), dtype=np.int32)
        return Bars.made(
            self.candles.symbol,
            self.timeframe,
            self.calendar,
            time,
            values,
            n=ones if n is None else n,
            final=np.ones(len(time), dtype=np.bool_),
            anchor=anchors(self.calendar, time),
            source=self.candles.timeframe,
        )

    def _make(self, way: Way) -> Bars:
        candles = self.candles
        if way.buckets == SESSION:
            if way.minutes:
                later = candles.microseconds + way.minutes * 60_000_000
                values = {name: getattr(candles, name) for name in VALUES}
                candles = Candles.trusted(candles.symbol, candles.timeframe, candles.calendar, later, values)
            return aggregate(candles, self.timeframe, zero_volume="drop" if way.drop else "keep")
        time = candles.microseconds
        chosen = np.ones(len(time), dtype=np.bool_) if way.buckets == ALL_HOURS else self.calendar.inside(time)
        if way.drop:
            chosen &= ~flat(candles)
        return self._clocked(time[chosen], {name: getattr(candles, name)[chosen] for name in VALUES})

    def _clocked(self, time: Integers, values: Mapping[str, Floats]) -> Bars:
        local = time + shifts(self.calendar, time)
        within = local % DAY
        start = time - within % self.timeframe.microseconds
        first = np.flatnonzero(np.diff(start, prepend=start[:1] - 1))
        last = np.append(first[1:], len(start)) - 1 if len(first) else first
        made = {
            "open": values["open"][first],
            "high": np.maximum.reduceat(values["high"], first) if len(first) else values["high"],
            "low": np.minimum.reduceat(values["low"], first) if len(first) else values["low"],
            "close": values["close"][last],
            "volume": np.add.reduceat(values["volume"], first) if len(first) else values["volume"],
        }
        return self.sheet(start[first], made, np.diff(np.append(first, len(start))).astype(np.int32))


def flat(candles: Candles) -> npt.NDArray[np.bool_]:
    """Which candles have no range and no volume, as `aggregate` would drop them: a vendor made them up."""
    level = (candles.open == candles.close) & (candles.high == candles.low)
    return np.asarray(level & (candles.volume == 0), dtype=np.bool_)


def shifts(calendar: Calendar, time: Integers) -> Integers:
    """How far the clock of the calendar is ahead of UTC at each time, in microseconds."""
    spans = offsets(find_zone(calendar.timezone))
    found: Integers = spans.offset[np.searchsorted(spans.start, time, side="right") - 1]
    return found


def anchors(calendar: Calendar, time: Integers) -> npt.NDArray[np.uint8]:
    """Bits of each time: 1 first of a session, 2 of an ISO week, 4 of a month; outside sessions the local date."""
    if not len(time):
        return np.empty(0, dtype=np.uint8)
    table = calendar.table(int(time[0]), int(time[-1]) + 1)
    place = np.searchsorted(table.close, time, side="right")
    place = np.minimum(place, len(table) - 1)
    label = np.where(table.open[place] <= time, table.label[place], (time + shifts(calendar, time)) // DAY)
    month = label.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    bits = np.zeros(len(time), dtype=np.uint8)
    for bit, key in ((1, label), (2, (label + 3) // 7), (4, month)):
        bits[np.diff(key, prepend=key[:1] - 1) != 0] |= bit
    return bits


def ground_of(candles: Candles, timeframe: Timeframe) -> Ground:
    """Raises InputError where there is nothing to compare with."""
    made = Ground(candles, timeframe)
    if not len(made.bars()):
        raise InputError("symbol", candles.symbol, "ingest candles inside sessions first", "has no bars")
    return made
