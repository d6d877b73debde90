"""Forwarding: what stands before a store and passes its calls on; a subclass says what is otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from candlewick.candles import Candles
from candlewick.moments import Moment
from candlewick.store.repository import CandleRepository, QuarantinedRow, Series, Snapshot, Upserted, Written
from candlewick.store.splits import Split
from candlewick.timeframe import Timeframe


class Forwarding(CandleRepository):
    """Passes each call about candles, refused rows and split factors on to ``store``, as of the moment it names."""

    def __init__(self, store: CandleRepository) -> None:
        self.url = store.url
        self._store = store

    @property
    def staging(self) -> Path | None:
        return self._store.staging

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        return self._asked("upsert_many").upsert_many(batch)

    def series(self, *, as_of: Moment | None = None) -> list[Series]:
        return self._asked("series").series(as_of=self._moment(as_of))

    def find(self, symbol: str, timeframe: str | Timeframe, *, as_of: Moment | None = None) -> Series:
        return self._asked("find").find(symbol, timeframe, as_of=self._moment(as_of))

    def series_of(self, symbol: str, *, as_of: Moment | None = None) -> list[Series]:
        return self._asked("series_of").series_of(symbol, as_of=self._moment(as_of))

    def read(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Candles:
        return self._asked("read").read(symbol, timeframe, start, end, as_of=self._moment(as_of))

    def snapshot(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Snapshot:
        return self._asked("snapshot").snapshot(symbol, timeframe, start, end, as_of=self._moment(as_of))

    def revision_at(self, symbol: str, timeframe: str | Timeframe, at: Moment) -> int:
        return self._asked("revision_at").revision_at(symbol, timeframe, at)

    def writes(self, symbol: str, timeframe: str | Timeframe) -> list[Written]:
        return self._asked("writes").writes(symbol, timeframe)

    def revision_before(
        self, symbol: str, timeframe: str | Timeframe, end: int | None = None, *, as_of: Moment | None = None
    ) -> int:
        return self._asked("revision_before").revision_before(symbol, timeframe, end, as_of=self._moment(as_of))

    def first_changed(
        self, symbol: str, timeframe: str | Timeframe, since: int, *, as_of: Moment | None = None
    ) -> int | None:
        return self._asked("first_changed").first_changed(symbol, timeframe, since, as_of=self._moment(as_of))

    def delete(
        self,
        symbol: str,
        timeframe: str | Timeframe | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        for_good: bool = False,
    ) -> int:
        return self._asked("delete").delete(symbol, timeframe, start, end, for_good=for_good)

    def purge(self, before: Moment, symbol: str | None = None, timeframe: str | Timeframe | None = None) -> int:
        return self._asked("purge").purge(before, symbol, timeframe)

    def quarantine(self, rows: Sequence[QuarantinedRow]) -> int:
        return self._asked("quarantine").quarantine(rows)

    def quarantined(self, symbol: str | None = None) -> list[QuarantinedRow]:
        return self._asked("quarantined").quarantined(symbol)

    def splits(self) -> Mapping[str, tuple[Split, ...]]:
        return self._asked("splits").splits()

    def _keep_split(self, symbol: str, time: int, factor: float | None) -> None:
        self._asked("remove_split" if factor is None else "set_split")._keep_split(symbol, time, factor)

    def compact(self) -> None:
        self._asked("compact").compact()

    def close(self) -> None:
        self._asked("close").close()

    def _asked(self, method: str) -> CandleRepository:  # noqa: ARG002
        """Whom a call of this method is passed on to; every one comes here first."""
        return self._store

    def _moment(self, as_of: Moment | None) -> Moment | None:
        """As of which moment a question is answered that names this one."""
        return as_of
