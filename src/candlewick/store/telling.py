"""Telling: a store that says, after each committed write, of which symbols the candles changed, and has them at hand.

Whoever is told reads what came at once, and all of them the same: the newest candles are given from memory as long as
the record of the series is the one that they were written with (`newest`).
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from threading import Lock
from typing import Any

from candlewick.candles import Candles
from candlewick.errors import UnknownSeriesError
from candlewick.moments import Moment
from candlewick.store.check import Problem
from candlewick.store.forwarding import Forwarding
from candlewick.store.newest import Newest, newest_after
from candlewick.store.repository import CandleRepository, Series, Snapshot, Upserted
from candlewick.store.stats import Stats
from candlewick.timeframe import Timeframe

log = logging.getLogger(__name__)

MOST = 8192
"""Series whose newest candles are at hand."""

Listener = Callable[[Sequence[str]], None]


class TellingRepository(Forwarding):
    """Passes calls on to ``store``. What listeners do after a write never looks like a failure of it."""

    def __init__(self, store: CandleRepository) -> None:
        super().__init__(store)
        self._lock = Lock()
        self._listeners: tuple[Listener, ...] = ()
        self._newest: OrderedDict[tuple[str, Timeframe], Newest] = OrderedDict()
        store.hear_others(self._tell)

    def listen(self, called: Listener) -> Callable[[], None]:
        """``called`` gets the symbols that a write changed, in the writer's thread, once it is committed; it must be
        quick. A write that changes nothing is not told. Returns how to stop that."""
        with self._lock:
            self._listeners = (*self._listeners, called)

        def stop() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not called)

        return stop

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        before = [self._record(candles) for candles in batch]
        done = self._store.upsert_many(batch)
        changed = [candles.symbol for candles, one in zip(batch, done, strict=True) if one.changed]
        if changed:
            for record, candles, one in zip(before, batch, done, strict=True):
                if one.changed:  # else a revision that came meanwhile is somebody else's
                    self._remember(record, candles)
            self._tell(list(dict.fromkeys(changed)))
        return done

    def delete(self, symbol: str, *rest: Any, **named: Any) -> int:
        gone = self._store.delete(symbol, *rest, **named)
        if gone:
            self._tell([symbol])
        return gone

    def snapshot(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Snapshot:
        if isinstance(start, int) and (end is None or isinstance(end, int)) and as_of is None:
            length = Timeframe.parse(timeframe)
            held = self._newest.get((symbol, length))
            if held is not None and start >= held.since and held.series == self._store.find(symbol, length):
                return Snapshot(held.series, held.between(start, end))
        return self._store.snapshot(symbol, timeframe, start, end, as_of=as_of)

    def count(self, symbol: str, timeframe: str | Timeframe, *rest: Any, **named: Any) -> int:
        return self._store.count(symbol, timeframe, *rest, **named)

    def stats(self) -> Stats:
        return self._store.stats()

    def check(self) -> list[Problem]:
        return self._store.check()

    def tables(self, *, writing: bool = False) -> AbstractContextManager[Any]:
        return self._store.tables(writing=writing)

    @property
    def degraded(self) -> str | None:
        return self._store.degraded

    def announce(self, address: str | None) -> None:
        self._store.announce(address)

    def _record(self, candles: Candles) -> Series | None:
        try:
            return self._store.find(candles.symbol, candles.timeframe)
        except UnknownSeriesError:
            return None

    def _remember(self, before: Series | None, candles: Candles) -> None:
        key = candles.symbol, candles.timeframe
        now = self._record(candles)
        with self._lock:
            held = self._newest.pop(key, None)
            known = None if now is None else newest_after(held, before, now, candles)
            if known is not None:
                self._newest[key] = known
                if len(self._newest) > MOST:
                    self._newest.popitem(last=False)

    def _tell(self, symbols: Sequence[str]) -> None:
        for called in self._listeners:
            try:
                called(symbols)
            except Exception:
                log.exception("a listener failed after a write to %s", ", ".join(symbols[:5]))
