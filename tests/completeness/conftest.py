"""Stores of candles, and twelve kinds of damage to one series, each with what must be found of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from candlewick.candles import PRICES, VALUES, Candles
from candlewick.completeness.asked import Asked
from candlewick.completeness.finding import Kind
from candlewick.completeness.grid import Grid
from candlewick.completeness.scan import Scan, scan
from candlewick.moments import moment
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository, QuarantinedRow, iso
from candlewick.timeframe import MINUTE

LONG_AFTER = 2_000_000_000_000_000
"""2033: every simulated market is over."""


def at(text: str) -> int:
    """ISO text as microseconds UTC."""
    return moment(text, "at")


def stored(series: Sequence[Candles]) -> CandleRepository:
    """A store in memory that holds these; empty series are not there."""
    store = open_store("memory:")
    store.upsert_many([one for one in series if len(one)])
    return store


def kept(candles: Candles, chosen: Any, **columns: Any) -> Candles:
    """The chosen rows, with some columns replaced before the choice."""
    values = {name: columns.get(name, getattr(candles, name)) for name in VALUES}
    return Candles(
        symbol=candles.symbol,
        timeframe=candles.timeframe,
        calendar=candles.calendar,
        time=columns.get("time", candles.microseconds)[chosen],
        **{name: column[chosen] for name, column in values.items()},
    )


def found(
    series: Sequence[Candles],
    start: int | None = None,
    end: int | None = None,
    refused: Sequence[QuarantinedRow] = (),
    **about: Any,
) -> Scan:
    """What a scan of these finds."""
    store = stored(series)
    store.quarantine(refused)
    return scan(store, Asked(**({"start": start, "end": end, "now": LONG_AFTER} | about)))


def rows(candles: Candles, start: int, end: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which candles open in a range."""
    return (candles.microseconds >= start) & (candles.microseconds < end)


@dataclass(frozen=True)
class Damaged:
    """A series after damage, and where a finding of a kind must lie: it begins and ends within ``leeway`` of there."""

    candles: Candles
    kind: Kind
    start: int
    end: int
    leeway: int = 0
    refused: tuple[QuarantinedRow, ...] = field(default=())


@dataclass(frozen=True)
class Whole:
    """An undamaged series with its slots: at least four whole sessions."""

    candles: Candles
    grid: Grid

    def session(self, number: int) -> tuple[int, int]:
        """Where a session begins and ends."""
        first = self.grid.first
        return int(self.grid.open[first[number]]), int(self.grid.close[first[number + 1] - 1])

    def minutes(self, number: int, since: int, many: int) -> tuple[int, int]:
        """Where a stretch of slots in a session begins and ends."""
        low = int(self.grid.first[number]) + since
        return int(self.grid.open[low]), int(self.grid.close[low + many - 1])


def no_session(whole: Whole) -> Damaged:
    start, end = whole.session(1)
    return Damaged(kept(whole.candles, ~rows(whole.candles, start, end)), Kind.MISSING_SESSIONS, start, end)


def no_minutes(whole: Whole) -> Damaged:
    start, end = whole.minutes(1, 60, 45)
    return Damaged(kept(whole.candles, ~rows(whole.candles, start, end)), Kind.MISSING_MINUTES, start, end, 3 * MINUTE)


def no_symbol(whole: Whole) -> Damaged:
    start, end = whole.session(0)[0], whole.session(whole.grid.sessions - 1)[1]
    return Damaged(kept(whole.candles, rows(whole.candles, 0, 0)), Kind.MISSING_SYMBOL, start, end)


def late(whole: Whole) -> Damaged:
    start, _ = whole.minutes(whole.grid.sessions - 2, 200, 1)
    end = whole.session(whole.grid.sessions - 1)[1]
    return Damaged(kept(whole.candles, whole.candles.microseconds < start), Kind.LATE, start, end, 3 * MINUTE)


def stale(whole: Whole) -> Damaged:
    start, end = whole.minutes(2, 30, 150)
    mine = rows(whole.candles, start, end)
    price = whole.candles.close[np.flatnonzero(mine)[0]]
    same = {name: np.where(mine, price, getattr(whole.candles, name)) for name in PRICES}
    return Damaged(kept(whole.candles, slice(None), **same), Kind.STALE_PRICE, start, end, 5 * MINUTE)


def flat(whole: Whole) -> Damaged:
    start, end = whole.minutes(2, 30, 120)
    mine = rows(whole.candles, start, end)
    close = whole.candles.close.copy()
    close[mine] += 0.01 * (np.arange(int(mine.sum())) % 2)  # whatever the price did, it moved
    same = {name: np.where(mine, close, getattr(whole.candles, name)) for name in PRICES}
    return Damaged(kept(whole.candles, slice(None), **same), Kind.FLAT_BARS, start, end, 3 * MINUTE)


def no_volume(whole: Whole) -> Damaged:
    start, end = whole.session(2)
    volume = np.where(rows(whole.candles, start, end), 0.0, whole.candles.volume)
    return Damaged(kept(whole.candles, slice(None), volume=volume), Kind.ZERO_VOLUME, start, end, 3 * MINUTE)


def split(whole: Whole) -> Damaged:
    _, before = whole.session(1)
    start, _ = whole.session(2)
    new = whole.candles.microseconds >= start
    prices = {name: np.where(new, getattr(whole.candles, name) / 4, getattr(whole.candles, name)) for name in PRICES}
    return Damaged(kept(whole.candles, slice(None), **prices), Kind.JUMP, before, start + MINUTE, 4 * MINUTE)


def half_session(whole: Whole) -> Damaged:
    start, end = whole.session(2)
    place = (whole.candles.microseconds - start) // MINUTE
    lost = rows(whole.candles, start, end) & (place % 5 < 3)
    return Damaged(kept(whole.candles, ~lost), Kind.SHORT_SESSION, start, end)


def off_grid(whole: Whole) -> Damaged:
    start, end = whole.minutes(1, 100, 15)
    time = whole.candles.microseconds + np.where(rows(whole.candles, start, end), 20_000_000, 0)
    return Damaged(kept(whole.candles, slice(None), time=time), Kind.OFF_GRID, start, end, 2 * MINUTE)


def twice(whole: Whole) -> Damaged:
    start, end = whole.minutes(1, 10, 3)
    refused = tuple(
        QuarantinedRow("c", line, "f.csv", whole.candles.symbol, "conflicting duplicate", f"X,{iso(time)},1,1,1,1,1", 0)
        for line, time in enumerate(range(start, end, MINUTE))
    )
    return Damaged(whole.candles, Kind.DUPLICATES, start, end, 0, refused)


def not_sound(whole: Whole) -> Damaged:
    candles = whole.candles
    row = int(np.flatnonzero(rows(candles, *whole.minutes(1, 10, 8)))[0])
    time = int(candles.microseconds[row])
    refused = QuarantinedRow("c", 7, "f.csv", candles.symbol, "not a number", f"X,{time // 10**6},1,?,1,1,1", 0)
    without = kept(candles, np.arange(len(candles)) != row)
    return Damaged(without, Kind.REFUSED, time, time + MINUTE, 0, (refused,))


DAMAGE: dict[str, Callable[[Whole], Damaged]] = {
    one.__name__: one
    for one in (
        no_session,
        no_minutes,
        no_symbol,
        late,
        stale,
        flat,
        no_volume,
        split,
        half_session,
        off_grid,
        twice,
        not_sound,
    )
}
