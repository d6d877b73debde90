"""Adjusted: a store whose candles are read as they would have been after all splits. It is never written to."""

from __future__ import annotations

from collections.abc import Mapping

from candlewick.candles import Candles
from candlewick.moments import Moment
from candlewick.store.read_only import ReadOnly
from candlewick.store.repository import CandleRepository, Snapshot
from candlewick.store.splits import Split, adjusted
from candlewick.timeframe import Timeframe


def adjusted_view(store: CandleRepository, splits: Mapping[str, tuple[Split, ...]] | None = None) -> CandleRepository:
    """The store with its candles adjusted by these factors, by default those that it keeps now; itself without any.

    Factors that are set later do not change what the view gives.
    """
    held = {symbol: found for symbol, found in (store.splits() if splits is None else splits).items() if found}
    return Adjusted(store, held) if held else store


class Adjusted(ReadOnly):
    """Divides the prices before a factor's moment by it and multiplies the volumes, symbol by symbol.

    Records, revisions and times are those of the store, whose candles stay as they are.
    """

    how = "adjusted for splits"

    def __init__(self, store: CandleRepository, splits: Mapping[str, tuple[Split, ...]]) -> None:
        super().__init__(store)
        self._splits = splits

    def splits(self) -> Mapping[str, tuple[Split, ...]]:
        """Those that this view adjusts by."""
        return self._splits

    def read(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Candles:
        return adjusted(super().read(symbol, timeframe, start, end, as_of=as_of), self.splits_of(symbol))

    def snapshot(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Snapshot:
        found = super().snapshot(symbol, timeframe, start, end, as_of=as_of)
        return Snapshot(found.series, adjusted(found.candles, self.splits_of(symbol)))
