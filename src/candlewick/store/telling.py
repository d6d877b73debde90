"""Telling: a store that says, after each committed write, of which symbols the candles changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from candlewick.candles import Candles
from candlewick.store.repository import CandleRepository, QuarantinedRow, Series, Snapshot, Upserted


class TellingRepository(CandleRepository):
    """Passes every call on to ``store`` as it is; ``told`` gets the symbols that a write changed, in the writer's
    thread, once the write is committed. A write that changes nothing is not told. ``told`` must be quick and must not
    raise."""

    def __init__(self, store: CandleRepository, told: Callable[[Sequence[str]], None]) -> None:
        self.url = store.url
        self._store: Any = store
        self._told = told

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        done: list[Upserted] = self._store.upsert_many(batch)
        changed = [candles.symbol for candles, one in zip(batch, done, strict=True) if one.changed]
        if changed:
            self._told(list(dict.fromkeys(changed)))
        return done

    def delete(self, symbol: str, *rest: Any, **named: Any) -> int:
        gone: int = self._store.delete(symbol, *rest, **named)
        if gone:
            self._told([symbol])
        return gone

    def series(self, *given: Any, **named: Any) -> list[Series]:
        return self._store.series(*given, **named)  # type: ignore[no-any-return]

    def find(self, *given: Any, **named: Any) -> Series:
        return self._store.find(*given, **named)  # type: ignore[no-any-return]

    def series_of(self, *given: Any, **named: Any) -> list[Series]:
        return self._store.series_of(*given, **named)  # type: ignore[no-any-return]

    def read(self, *given: Any, **named: Any) -> Candles:
        return self._store.read(*given, **named)  # type: ignore[no-any-return]

    def snapshot(self, *given: Any, **named: Any) -> Snapshot:
        return self._store.snapshot(*given, **named)  # type: ignore[no-any-return]

    def count(self, *given: Any, **named: Any) -> int:
        return self._store.count(*given, **named)  # type: ignore[no-any-return]

    def revision_before(self, *given: Any, **named: Any) -> int:
        return self._store.revision_before(*given, **named)  # type: ignore[no-any-return]

    def first_changed(self, *given: Any, **named: Any) -> int | None:
        return self._store.first_changed(*given, **named)  # type: ignore[no-any-return]

    def revision_at(self, *given: Any, **named: Any) -> int:
        return self._store.revision_at(*given, **named)  # type: ignore[no-any-return]

    def writes(self, *given: Any, **named: Any) -> list[Any]:
        return self._store.writes(*given, **named)  # type: ignore[no-any-return]

    def purge(self, *given: Any, **named: Any) -> int:
        return self._store.purge(*given, **named)  # type: ignore[no-any-return]

    def quarantine(self, rows: Sequence[QuarantinedRow]) -> int:
        return self._store.quarantine(rows)  # type: ignore[no-any-return]

    def quarantined(self, symbol: str | None = None) -> list[QuarantinedRow]:
        return self._store.quarantined(symbol)  # type: ignore[no-any-return]

    def compact(self) -> None:
        self._store.compact()

    def close(self) -> None:
        self._store.close()

    @property
    def staging(self) -> Path | None:
        return self._store.staging  # type: ignore[no-any-return]

    def announce(self, address: str | None) -> None:
        self._store.announce(address)
