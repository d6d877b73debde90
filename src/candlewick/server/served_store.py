"""Served store: those calls of an application that concern its store alone, for whatever is an application."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from candlewick.moments import Moment
from candlewick.store.repository import CandleRepository, Series
from candlewick.store.splits import Split
from candlewick.store.telling import TellingRepository
from candlewick.timeframe import Timeframe

if TYPE_CHECKING:
    from candlewick.backup import BackedUp
    from candlewick.sources.summary import IngestSummary


class ServedStore:
    """`candlewick.server.application` says what is promised. ``store`` tells of writes, whatever store was given."""

    def __init__(self, store: CandleRepository) -> None:
        self._told = store if isinstance(store, TellingRepository) else TellingRepository(store)
        self.store: CandleRepository = self._told

    @property
    def url(self) -> str:
        return self.store.url

    @property
    def staging(self) -> Path | None:
        return self.store.staging

    def symbols(self) -> list[Series]:
        return self.store.series()

    def series_of(self, symbol: str) -> list[Series]:
        return self.store.series_of(symbol)

    def first_changed(self, symbol: str, timeframe: Timeframe, since: int) -> int | None:
        return self.store.first_changed(symbol, timeframe, since)

    def listen(self, called: Callable[[Sequence[str]], None]) -> Callable[[], None]:
        return self._told.listen(called)

    def ingest(
        self,
        path: Path,
        *,
        calendar: str,
        timeframe: str,
        symbol: str | None = None,
        timezone: str | None = None,
        name: str | None = None,
    ) -> IngestSummary:
        self._store_answers()  # of a store that is away this is told before anything is read
        from candlewick.sources.ingest import ingest

        return ingest(
            self.store, path, calendar=calendar, timeframe=timeframe, symbol=symbol, timezone=timezone, name=name
        )

    def backup(self, path: Path, *, control: bool = True) -> BackedUp:
        from candlewick.backup import backup

        return backup(self.store, path, beside=self._beside() if control else {})

    def splits(self) -> Mapping[str, tuple[Split, ...]]:
        return self.store.splits()

    def set_split(self, symbol: str, at: Moment, factor: float | str, calendar: str | None = None) -> Split:
        return self.store.set_split(symbol, at, factor, calendar=calendar)

    def remove_split(self, symbol: str, at: Moment, calendar: str | None = None) -> Split | None:
        return self.store.remove_split(symbol, at, calendar=calendar)

    def announce(self, address: str | None) -> None:
        self.store.announce(address)

    def _beside(self) -> dict[str, bytes]:
        """The control journal, as it lies in a backup beside the candles: the bytes of each file by its name."""
        return {}

    def _store_answers(self) -> None:
        """Raises what the store raises, which is then the reason."""
        self.store.symbols()
