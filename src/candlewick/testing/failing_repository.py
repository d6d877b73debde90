"""A repository that fails on purpose: the n-th call of a chosen method raises a chosen error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from candlewick.candles import Candles
from candlewick.moments import Moment
from candlewick.store.repository import CandleRepository, QuarantinedRow, Series, Snapshot, Upserted, Written
from candlewick.store.splits import Split
from candlewick.timeframe import Timeframe


class FailingRepository(CandleRepository):
    """Passes every call on to ``store``, but raises ``error`` at call number ``at`` (from 1) of ``method``.

    The failing call does not reach the store; the ones after it do again. ``calls`` counts calls by method.
    """

    def __init__(self, store: CandleRepository, *, method: str, error: BaseException, at: int = 1) -> None:
        self.store = store
        self.url = store.url
        self.calls: Counter[str] = Counter()
        self._method, self._error, self._at = method, error, at

    @property
    def staging(self) -> Path | None:
        return self.store.staging

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        self._count("upsert_many")
        return self.store.upsert_many(batch)

    def series(self, *, as_of: Moment | None = None) -> list[Series]:
        self._count("series")
        return self.store.series(as_of=as_of)

    def find(self, symbol: str, timeframe: str | Timeframe, *, as_of: Moment | None = None) -> Series:
        self._count("find")
        return self.store.find(symbol, timeframe, as_of=as_of)

    def series_of(self, symbol: str, *, as_of: Moment | None = None) -> list[Series]:
        self._count("series_of")
        return self.store.series_of(symbol, as_of=as_of)

    def read(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Candles:
        self._count("read")
        return self.store.read(symbol, timeframe, start, end, as_of=as_of)

    def snapshot(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Snapshot:
        self._count("snapshot")
        return self.store.snapshot(symbol, timeframe, start, end, as_of=as_of)

    def revision_at(self, symbol: str, timeframe: str | Timeframe, at: Moment) -> int:
        self._count("revision_at")
        return self.store.revision_at(symbol, timeframe, at)

    def writes(self, symbol: str, timeframe: str | Timeframe) -> list[Written]:
        self._count("writes")
        return self.store.writes(symbol, timeframe)

    def revision_before(
        self, symbol: str, timeframe: str | Timeframe, end: int | None = None, *, as_of: Moment | None = None
    ) -> int:
        self._count("revision_before")
        return self.store.revision_before(symbol, timeframe, end, as_of=as_of)

    def first_changed(
        self, symbol: str, timeframe: str | Timeframe, since: int, *, as_of: Moment | None = None
    ) -> int | None:
        self._count("first_changed")
        return self.store.first_changed(symbol, timeframe, since, as_of=as_of)

    def delete(
        self,
        symbol: str,
        timeframe: str | Timeframe | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        for_good: bool = False,
    ) -> int:
        self._count("delete")
        return self.store.delete(symbol, timeframe, start, end, for_good=for_good)

    def purge(self, before: Moment, symbol: str | None = None, timeframe: str | Timeframe | None = None) -> int:
        self._count("purge")
        return self.store.purge(before, symbol, timeframe)

    def quarantine(self, rows: Sequence[QuarantinedRow]) -> int:
        self._count("quarantine")
        return self.store.quarantine(rows)

    def quarantined(self, symbol: str | None = None) -> list[QuarantinedRow]:
        self._count("quarantined")
        return self.store.quarantined(symbol)

    def splits(self) -> Mapping[str, tuple[Split, ...]]:
        self._count("splits")
        return self.store.splits()

    def _keep_split(self, symbol: str, time: int, factor: float | None) -> None:
        self._count("set_split" if factor is not None else "remove_split")
        self.store._keep_split(symbol, time, factor)

    def compact(self) -> None:
        self._count("compact")
        self.store.compact()

    def close(self) -> None:
        self._count("close")
        self.store.close()

    def _count(self, method: str) -> None:
        self.calls[method] += 1
        if method == self._method and self.calls[method] == self._at:
            raise self._error
