"""A small real application: one store, one engine over `engine.query`, flags in a dictionary."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import httpx
import numpy as np
import pytest

from candlewick.candles import Candles
from candlewick.engine.query import query
from candlewick.errors import CandlewickError, InputError, LimitError, UnknownNameError
from candlewick.monitoring.health import Health, examine
from candlewick.monitoring.monitor import Monitor
from candlewick.server.http import create_app
from candlewick.server.lane import Limits
from candlewick.service.answer import Answer
from candlewick.service.request import Request
from candlewick.service.served import Served
from candlewick.service.service import AnalyticsService
from candlewick.sources.ingest import ingest
from candlewick.sources.summary import IngestSummary
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository, Series

OPEN = np.datetime64("2024-01-02T14:30", "us")
ADDRESS = "http://127.0.0.1:8787"


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
        )
        if len(found.bars) > request.limit:
            raise LimitError(request.limit, len(found.bars))
        revision = self.store.find(request.symbol, found.source).revision
        mark = f"{hash(request) & (1 << 64) - 1:016x}{revision:016x}"
        return Answer(
            found.bars,
            dict(found.indicators or {}),
            found.source,
            self.engine,
            revision,
            mark,
            time.perf_counter() - started,
        )

    def candles_many(
        self, requests: Sequence[Request], *, deadline: float | None = None
    ) -> list[Answer | CandlewickError]:
        raise NotImplementedError

    def symbols(self) -> list[Series]:
        return self.store.series()


class SmallApplication:
    """``hooks`` runs before a call of that name: a test makes it slow or lets it raise."""

    def __init__(self, store: CandleRepository) -> None:
        self.store = store
        self.service = QueryService(store)
        self.monitor = Monitor({"cache": lambda: {"hits": 3, "extensions": 1, "misses": 4}})
        self.hooks: dict[str, Callable[..., Any]] = {}
        self.remembered: dict[Request, Served] = {}
        self.values: dict[str, Any] = {"use_optimized_analytics": False, "rollout_percentage": 0.0}
        self.journal: list[tuple[str, Any, str, str]] = []
        self.clients: list[str | None] = []
        self.addresses: list[str | None] = []
        self.warm = True
        self.closed = 0

    @property
    def url(self) -> str:
        return getattr(self.store, "url", "memory:")

    @property
    def staging(self) -> Path | None:
        return self.store.staging

    def quick(self, request: Request, engine: str = "auto", client: str | None = None) -> Served | None:
        self._hook("quick", request)
        return self.remembered.get(request)

    def candles(self, request: Request, engine: str = "auto", client: str | None = None) -> Served:
        self._hook("candles", request, engine, client)
        self.clients.append(client)
        answer = self.service.candles(request)
        arm = "classic" if engine == "auto" else "explicit"
        self.monitor.record("classic", arm, answer.seconds)
        return Served(answer, arm, False, answer.seconds)

    def candles_many(self, requests: Sequence[Request], engine: str = "auto") -> list[Served | CandlewickError]:
        raise NotImplementedError

    def symbols(self) -> list[Series]:
        self._hook("symbols")
        return self.service.symbols()

    def ingest_csv(self, path: Path, **about: Any) -> IngestSummary:
        self._hook("ingest_csv", path)
        return ingest(self.store, path, **about)

    def flags(self) -> list[dict[str, Any]]:
        return [{"name": name, "value": value, "origin": "default"} for name, value in self.values.items()]

    def set_flag(self, name: str, value: Any, who: str, why: str) -> None:
        self._hook("set_flag", name, value)
        if name not in self.values:
            raise UnknownNameError("flag", name, self.values)
        if name == "rollout_percentage" and not 0 <= value <= 100:
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

    def close(self) -> None:
        self.closed += 1
        self.store.close()

    def _warm(self) -> str | None:
        return None if self.warm else "warming up"

    def _hook(self, name: str, *arguments: Any) -> None:
        if name in self.hooks:
            self.hooks[name](*arguments)


def minutes(symbol: str, rows: int, calendar: str = "XNYS") -> Candles:
    """Minute candles that wander."""
    chance = np.random.default_rng(11)
    close = np.round(100 + np.cumsum(chance.normal(0, 0.05, rows)), 2)
    start = np.concatenate([[100.0], close[:-1]])
    return Candles(
        symbol=symbol,
        timeframe="1m",
        calendar=calendar,
        time=OPEN + np.arange(rows) * np.timedelta64(60, "s"),
        open=start,
        high=np.maximum(start, close) + 0.01,
        low=np.minimum(start, close) - 0.01,
        close=close,
        volume=chance.integers(1, 1000, rows).astype(float),
    )


def filled(store: CandleRepository) -> CandleRepository:
    """A session of AAPL and 100 minutes each of two symbols whose names need encoding."""
    store.upsert_many(
        [minutes("AAPL", 390), minutes("BTC/USD", 100, "24/7"), minutes("ES|Z 24%", 100, "24/7")],
    )
    return store


@pytest.fixture
def application() -> Iterator[SmallApplication]:
    made = SmallApplication(filled(MemoryStore()))
    yield made
    made.close()


Ask = Callable[..., httpx.Response]


@pytest.fixture
def serve() -> Iterator[Callable[..., Any]]:
    """Make an asynchronous client of an application; lanes are closed at the end."""
    made = []

    def client(application: SmallApplication, limits: Limits | None = None, **about: Any) -> httpx.AsyncClient:
        app = create_app(application, limits)
        made.append(app.state.serving)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        about = {"base_url": ADDRESS, "timeout": 30} | about
        one = httpx.AsyncClient(transport=transport, **about)
        one.serving = app.state.serving  # type: ignore[attr-defined]
        return one

    yield client
    for serving in made:
        serving.close()


@pytest.fixture
def ask(application: SmallApplication, serve: Callable[..., Any]) -> Ask:
    """One request to the small application."""
    import asyncio

    def request(method: str, url: str, **about: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            async with serve(application) as client:
                return await client.request(method, url, **about)

        return asyncio.run(once())

    return request
