"""Catalogue: what a store knows about its series, as one frozen value that readers take as a whole.

A write puts a new catalogue into the place of the old one, so a reader never waits and never sees half of a write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Self, TypeVar

from candlewick.store.history import History
from candlewick.store.repository import Series, unknown
from candlewick.store.revisions import NEW, Trail
from candlewick.store.splits import Split
from candlewick.timeframe import Timeframe

Key = tuple[str, Timeframe]
Place = TypeVar("Place")


@dataclass(frozen=True)
class Entry(Generic[Place]):
    """One series: its record, the days its writes touched, where its candles are (which the store decides), and from
    when on its writes are known."""

    series: Series
    history: History
    place: Place
    trail: Trail = NEW

    @property
    def key(self) -> Key:
        """(symbol, timeframe)."""
        return self.series.symbol, self.series.timeframe


@dataclass(frozen=True)
class Catalogue(Generic[Place]):
    """Every series that was ever written, also those without candles, the stored timeframes of each symbol, and the
    split factors of those symbols that have any."""

    entries: Mapping[Key, Entry[Place]]
    timeframes: Mapping[str, tuple[Timeframe, ...]]
    splits: Mapping[str, tuple[Split, ...]] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> Self:
        """Nothing was written yet."""
        return cls({}, {})

    def changed(self, fresh: Mapping[Key, Entry[Place]]) -> Self:
        """The catalogue with entries added or replaced."""
        moved = {
            symbol
            for (symbol, length), entry in fresh.items()
            if (length in self.timeframes.get(symbol, ())) != (entry.series.rows > 0)
        }
        entries = {**self.entries, **fresh}
        if not moved:
            return replace(self, entries=entries)
        lengths: dict[str, set[Timeframe]] = {symbol: set(self.timeframes.get(symbol, ())) for symbol in moved}
        for (symbol, length), entry in fresh.items():
            if symbol in moved:
                (lengths[symbol].add if entry.series.rows else lengths[symbol].discard)(length)
        timeframes = {**self.timeframes, **{symbol: tuple(sorted(held)) for symbol, held in lengths.items()}}
        return replace(self, entries=entries, timeframes={name: held for name, held in timeframes.items() if held})

    def with_split(self, symbol: str, time: int, factor: float | None) -> Self:
        """The catalogue with one factor set, or removed where it is None."""
        kept = [one for one in self.splits.get(symbol, ()) if one.time != time]
        if factor is not None:
            kept.append(Split(time, factor))
        splits = {**self.splits, symbol: tuple(sorted(kept))}
        return replace(self, splits={name: held for name, held in splits.items() if held})

    def find(self, symbol: str, timeframe: Timeframe) -> Entry[Place]:
        """The entry of a stored series; raises UnknownSeriesError naming what is stored."""
        found = self.entries.get((symbol, timeframe))
        if found is None or not found.series.rows:
            raise unknown(self.series(), symbol, timeframe)
        return found

    def ever(self, symbol: str, timeframe: Timeframe) -> Entry[Place]:
        """The entry of a series that was ever written, also when it holds no candle now; else UnknownSeriesError."""
        found = self.entries.get((symbol, timeframe))
        if found is None:
            raise unknown(self.series(), symbol, timeframe)
        return found

    def ever_of(self, symbol: str) -> list[Entry[Place]]:
        """The entries of a symbol's series that were ever written, finest first. Looks at every series."""
        return [self.entries[key] for key in sorted(key for key in self.entries if key[0] == symbol)]

    def chosen(self, symbol: str | None, timeframe: Timeframe | None) -> list[Entry[Place]]:
        """The entries that were ever written: of one symbol, of one timeframe, or all.

        Raises UnknownSeriesError for a symbol that never was.
        """
        names = {name for name, _ in self.entries}
        if symbol is not None and symbol not in names:
            raise unknown(self.series(), symbol, None)
        return [
            entry
            for (name, length), entry in self.entries.items()
            if symbol in (None, name) and timeframe in (None, length)
        ]

    def to_delete(self, symbol: str, timeframe: Timeframe | None, *, for_good: bool) -> list[Entry[Place]]:
        """The series that a deletion is about: stored ones, and where it is for good also those that once were.

        Raises UnknownSeriesError when there are none.
        """
        held = self.ever_of(symbol) if for_good else self.of(symbol)
        found = [one for one in held if timeframe in (None, one.series.timeframe)]
        if not found:
            raise unknown(self.series(), symbol, timeframe)
        return found

    def of(self, symbol: str) -> list[Entry[Place]]:
        """The entries of a symbol's stored series, finest first."""
        return [self.entries[symbol, length] for length in self.timeframes.get(symbol, ())]

    def series(self) -> list[Series]:
        """Every stored series, by symbol, then from the finest timeframe to the coarsest."""
        return [entry.series for symbol in sorted(self.timeframes) for entry in self.of(symbol)]

    def calendar_of(self, key: Key) -> str | None:
        """The calendar of a stored series; None for one without candles, which may come with another."""
        entry = self.entries.get(key)
        return None if entry is None or not entry.series.rows else entry.series.calendar
