"""Series: what a store tells about one, beside its candles: its record, its writes, and what a write did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from candlewick.candles import Candles
from candlewick.errors import InputError, UnknownSeriesError
from candlewick.moments import Moment, iso, moment
from candlewick.sessions.calendar import Calendar, find_calendar
from candlewick.timeframe import Timeframe


@dataclass(frozen=True)
class Upserted:
    """What a write did to one series: candles that were new, that replaced a different one, that were there already."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    @property
    def changed(self) -> bool:
        """True when the write left the series different from before."""
        return bool(self.inserted or self.updated)

    def __add__(self, other: Upserted) -> Upserted:
        return Upserted(self.inserted + other.inserted, self.updated + other.updated, self.unchanged + other.unchanged)


@dataclass(frozen=True)
class Series:
    """What a store knows about one series. ``first`` and ``last``: open times, int64 microseconds UTC.

    ``revision`` rises with every write that changes the series; ``generation`` when its past changes: a candle
    replaced or deleted, or one inserted before the newest.
    """

    symbol: str
    timeframe: Timeframe
    calendar: str
    rows: int
    first: int
    last: int
    revision: int
    generation: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times in ISO UTC with Z."""
        return {
            "symbol": self.symbol,
            "timeframe": str(self.timeframe),
            "calendar": self.calendar,
            "rows": self.rows,
            "first": iso(self.first),
            "last": iso(self.last),
            "revision": self.revision,
            "generation": self.generation,
        }


@dataclass(frozen=True)
class Snapshot:
    """A series' record and candles of it, both of the same moment."""

    series: Series
    candles: Candles


class Written(NamedTuple):
    """One write to a series. ``written_at``: microseconds UTC, above that of the write before it.

    ``kind``: ``append`` (only candles after the newest), ``change`` (of the past: candles replaced, or inserted before
    the newest), ``delete``, ``retire`` (deleted with all earlier versions), ``upgrade`` (what an older store held).
    """

    revision: int
    written_at: int
    kind: str
    inserted: int
    updated: int
    removed: int


def bounds(calendar: str | Calendar, start: Moment | None, end: Moment | None) -> tuple[int | None, int | None]:
    """A range in microseconds; a date means the open of that session of the series' calendar."""
    if start is None and end is None:
        return None, None
    labels = find_calendar(calendar).label_opens
    low, high = (
        None if at is None else moment(at, name, labels=labels) for name, at in (("start", start), ("end", end))
    )
    return low, high


def check_batch(batch: Sequence[Candles], calendar_of: Callable[[tuple[str, Timeframe]], str | None]) -> None:
    """Raise InputError for a series that stands in a batch twice, or whose calendar is not the stored one.

    ``calendar_of`` gives the calendar of a stored series by (symbol, timeframe), None for one that is not stored.
    """
    seen: set[tuple[str, Timeframe]] = set()
    for candles in batch:
        key = (candles.symbol, candles.timeframe)
        if key in seen:
            raise InputError("batch", f"{key[0]} {key[1]}", "give each series once in a batch", "stands in it twice")
        seen.add(key)
        stored = calendar_of(key)
        if stored is not None and stored != candles.calendar.name:
            expected = f"{key[0]} {key[1]} is stored with {stored}: use it, or delete the series first"
            raise InputError("calendar", candles.calendar.name, expected, "is not the calendar of the series")


def unknown(series: Sequence[Series], symbol: str, timeframe: Timeframe | None) -> UnknownSeriesError:
    """The error for a series that is not stored: it names the symbol, or the timeframe when the symbol is there."""
    lengths = [str(one.timeframe) for one in series if one.symbol == symbol]
    if lengths and timeframe is not None:
        return UnknownSeriesError("timeframe", str(timeframe), lengths)
    return UnknownSeriesError("symbol", symbol, (one.symbol for one in series))
