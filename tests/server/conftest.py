"""A small application over a few symbols, and a client of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from candlewick.candles import Candles
from candlewick.server.http import create_app
from candlewick.server.lane import Limits
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository
from candlewick.testing.small_application import SmallApplication

OPEN = np.datetime64("2024-01-02T14:30", "us")
ADDRESS = "http://127.0.0.1:8787"


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
def candles() -> Candles:
    """A session of AAPL."""
    return minutes("AAPL", 390)


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
