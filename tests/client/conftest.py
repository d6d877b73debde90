"""A real server over a small store in memory, its application, and a client whose requests a function answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest

from candlewick.app import Application, build
from candlewick.candles import Candles
from candlewick.client import Client, connect
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository
from candlewick.validator.temporary_server import served

OPEN = np.datetime64("2024-01-02T14:30", "us")
ADDRESS = "http://127.0.0.1:8787"


def minutes(symbol: str, rows: int, calendar: str = "XNYS", **about: Any) -> Candles:
    """Minute candles that wander, some of them flat and without volume."""
    chance = np.random.default_rng(5)
    close = np.round(100 + np.cumsum(chance.normal(0, 0.05, rows)), 2)
    start = np.concatenate([[100.0], close[:-1]])
    volume = chance.integers(0, 4, rows).astype(float)
    start = np.where(volume == 0, close, start)
    return Candles(
        symbol=symbol,
        timeframe="1m",
        calendar=calendar,
        time=OPEN + np.arange(rows) * np.timedelta64(60, "s"),
        open=start,
        high=np.maximum(start, close),
        low=np.minimum(start, close),
        close=close,
        volume=volume,
    )


@dataclass(frozen=True)
class Serving:
    """A server, what it serves, and a client of it."""

    address: str
    application: Application
    store: CandleRepository
    client: Client


@pytest.fixture(scope="package")
def serving() -> Iterator[Serving]:
    """Both engines over a session and a half of SPY and 100 minutes of two symbols whose names need encoding."""
    store = MemoryStore()
    store.upsert_many([minutes("SPY", 600), minutes("BTC/USD", 100, "24/7"), minutes("ES|Z 24%", 100, "24/7")])
    with build(store) as application, served(application, "candlewick.server.http:create_app") as plain:
        address = str(plain.base_url).rstrip("/")
        with connect(address) as client:
            yield Serving(address, application, store, client)
    store.close()


class Clock:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the retries of a client wait by."""
    import tenacity.nap

    one = Clock()
    monkeypatch.setattr(tenacity.nap.time, "sleep", one.sleep)
    monkeypatch.setattr(time, "monotonic", lambda: one.now)
    return one


Told = Callable[..., tuple[Client, list[httpx.Request]]]


@pytest.fixture
def told() -> Iterator[Told]:
    """Make a client whose requests get these answers, one after the other, the last one again and again; and the list
    of those requests."""
    made: list[Client] = []

    def client(*answers: Any, **about: Any) -> tuple[Client, list[httpx.Request]]:
        seen: list[httpx.Request] = []

        def handle(request: httpx.Request) -> httpx.Response:
            request.read()
            seen.append(request)
            answer = answers[min(len(seen), len(answers)) - 1]
            if isinstance(answer, Exception):
                raise answer
            if callable(answer):
                answer = answer(request)
            return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

        one = Client(f"{ADDRESS}/", transport=httpx.MockTransport(handle), **about)
        made.append(one)
        return one, seen

    yield client
    for one in made:
        one.close()
