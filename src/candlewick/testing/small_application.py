"""A small application: one store, one engine over `engine.query`, flags in a dictionary.

For tests of whatever stands before an application: the server, its client, the command line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from candlewick.backup import BackedUp
from candlewick.cache.fingerprint import fingerprint
from candlewick.engine.query import query
from candlewick.errors import CandlewickError, DeadlineError, InputError, LimitError, UnknownNameError
from candlewick.explain.explain import explain_served
from candlewick.explain.explanation import Explanation
from candlewick.moments import Moment
from candlewick.monitoring.health import Health, examine
from candlewick.monitoring.monitor import Monitor
from candlewick.server.key_file import KeyFile
from candlewick.server.key_ring import KeyRing
from candlewick.server.served_store import ServedStore
from candlewick.service.answer import Answer
from candlewick.service.request import Request
from candlewick.service.served import Served
from candlewick.service.service import AnalyticsService
from candlewick.sources.summary import IngestSummary
from candlewick.store.repository import CandleRepository, Series

if TYPE_CHECKING:
    from candlewick.server.application import Application


class QueryService(AnalyticsService):
    """An engine without a cache."""

    engine: ClassVar[str] = "classic"

    def __init__(self, store: CandleRepository) -> None:
        self.store = store

    def candles(self, request: Request) -> Answer:
        started = time.perf_counter()
        found = query(
            self.store,
            request.symbol,
            request.timeframe,
            request.indicators or None,
            start=request.start,
            end=request.end,
            source=request.source,
            zero_volume=request.zero_volume,
            final_only=request.final_only,
            complete_until=request.complete_until,
            as_of=request.as_of,
            adjusted=request.adjusted,
        )
        if len(found.bars) > request.limit:
            raise LimitError(request.limit, len(found.bars))
        revision = self.store.find(request.symbol, found.source, as_of=request.as_of).revision
        mark = fingerprint(request=repr(request), revision=revision, engine=self.engine)
        return Answer(
            found.bars,
            dict(found.indicators or {}),
            found.source,
            self.engine,
            revision,
            mark,
            time.perf_counter() - started,
            splits=self.store.splits_of(request.symbol) if request.adjusted else (),
        )

    def candles_many(
        self, requests: Sequence[Request], *, deadline: float | None = None
    ) -> list[Answer | CandlewickError]:
        ends = float("inf") if deadline is None else time.monotonic() + deadline
        found: list[Answer | CandlewickError] = []
        for request in requests:
            late = time.monotonic() >= ends
            found.append(DeadlineError(deadline or 0.0) if late else _or_error(self.candles, request))
        return found

    def symbols(self) -> list[Series]:
        return self.store.series()


class SmallApplication(ServedStore):
    """An `candlewick.server.application.Application`.

    ``hooks`` runs before a call of that name, so that a test makes it slow or lets it raise; ``remembered`` is what
    ``quick`` has; ``journal``, ``clients``, ``addresses`` and ``closed`` are what was done to it. ``until``: up to when
    bars are final, None for the newest candle's close.
    """

    def __init__(self, store: CandleRepository) -> None:
        super().__init__(store)
        self.service = QueryService(store)
        self.until: int | None = None
        self.monitor = Monitor({"cache": lambda: {"hits": 3, "extensions": 1, "misses": 4}})
        self.hooks: dict[str, Callable[..., Any]] = {}
        self.remembered: dict[Request, Served] = {}
        self.values: dict[str, Any] = {"use_optimized_analytics": False, "rollout_percentage": 0.0}
        self.journal: list[tuple[str, Any, str, str]] = []
        self.keys = KeyRing(KeyFile(None, note=self._note))
        self.clients: list[str | None] = []
        self.addresses: list[str | None] = []
        self.warm = True
        self.busy: Callable[[], bool] = lambda: False
        self.closed = 0

    def quick(self, request: Request, engine: str = "auto", client: str | None = None) -> Served | None:
        self._hook("quick", request, engine, client)
        return self.remembered.get(request)

    def candles(self, request: Request, engine: str = "auto", client: str | None = None) -> Served:
        self._hook("candles", request, engine, client)
        self.clients.append(client)
        if request.complete_until is None:
            request = replace(request, complete_until=self.until)
        answer = self.service.candles(request)
        arm = "classic" if engine == "auto" else "explicit"
        self.monitor.record("classic", arm, answer.seconds)
        return Served(answer, arm, False, answer.seconds)

    def candles_many(self, requests: Sequence[Request], engine: str = "auto") -> list[Served | CandlewickError]:
        return [_or_error(self.candles, request, engine) for request in requests]

    def explain(
        self, request: Request, at: Moment, column: str, engine: str = "auto", client: str | None = None
    ) -> Explanation:
        self._hook("explain", request, at, column)
        return explain_served(lambda one: self.candles(one, engine, client), self.store, request, at, column)

    def symbols(self) -> list[Series]:
        self._hook("symbols")
        return super().symbols()

    def complete_until(self) -> int | None:
        return self.until

    def ingest(self, path: Path, **about: Any) -> IngestSummary:
        self._hook("ingest", path)
        return super().ingest(path, **about)

    def backup(self, path: Path, *, control: bool = True) -> BackedUp:
        self._hook("backup", path, control)
        return super().backup(path, control=control)

    def ease(self, busy: Callable[[], bool]) -> None:
        self.busy = busy

    def flags(self) -> list[dict[str, Any]]:
        return [{"name": name, "value": value, "origin": "default"} for name, value in self.values.items()]

    def set_flag(self, name: str, value: Any, who: str, why: str) -> None:
        self._hook("set_flag", name, value)
        if name not in self.values:
            raise UnknownNameError("flag", name, self.values)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name == "rollout_percentage" and not (number and 0 <= value <= 100):
            raise InputError(name, value, "give 0 to 100")
        self.values[name] = value
        self.journal.append((name, value, who, why))

    def rollout_status(self) -> dict[str, Any]:
        self._hook("rollout_status")
        return {"percentage": 0.0, "killed": False, "since": None, "arms": {}, "guards": {"slowness": float("nan")}}

    def health(self) -> Health:
        self._hook("health")
        return examine({"store": lambda: None if self.symbols() is not None else "", "warm_up": self._warm})

    def warm_up(self) -> None:
        self.warm = True

    def announce(self, address: str | None) -> None:
        self.addresses.append(address)
        super().announce(address)

    def close(self) -> None:
        self.closed += 1
        self.keys.close()
        self.store.close()

    def _beside(self) -> dict[str, bytes]:
        return {"control.json": b"{}"}

    def _note(self, name: str, old: object, new: object, *, who: str, why: str = "") -> None:  # noqa: ARG002
        self.journal.append((name, new, who, why))

    def _warm(self) -> str | None:
        return None if self.warm else "warming up"

    def _hook(self, name: str, *arguments: Any) -> None:
        if name in self.hooks:
            self.hooks[name](*arguments)


def _or_error(call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except CandlewickError as error:
        return error


if TYPE_CHECKING:

    def _kept(small: SmallApplication) -> Application:
        return small
