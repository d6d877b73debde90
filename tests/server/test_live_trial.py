"""Everything at once: 64 clients follow 500 symbols that are appended to and corrected, while others ask over HTTP.

``LIVE_TRIAL_SECONDS`` says how long; 60 when left out.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from tests.ready import wait_until_ready
from websockets.asyncio.client import ClientConnection, connect

from candlewick.candles import Candles
from candlewick.engine.query import query
from candlewick.sources.simulated import simulate
from candlewick.store.memory import MemoryStore
from candlewick.store.open import open_store

SECONDS = float(os.environ.get("LIVE_TRIAL_SECONDS", "60"))
CLIENTS, SERIES = 64, 10
SYMBOLS = [f"T{k:03d}" for k in range(500)]
HISTORY = 300
MINUTE = 60_000_000
INDICATORS = "sma(9),ema(5),rsi(14)"
READERS, WRITERS = 4, 2
CHECKED = 100
"""Every so many answers one is compared with a rebuild."""


class Market:
    """The candles as they should be stored, and a server that stores them."""

    def __init__(self, folder: Path) -> None:
        self.random = random.Random(7)
        self.asked = 0
        self.store = MemoryStore()
        self.locks = {symbol: asyncio.Lock() for symbol in SYMBOLS}
        self.rest: dict[str, Candles] = {}
        path = folder / "candles.duckdb"
        made = list(simulate(SYMBOLS, "24/7", 1, seed=3))
        self.store.upsert_many([one.rows(0, HISTORY) for one in made])
        self.rest = {one.symbol: one.rows(HISTORY, len(one)) for one in made}
        with open_store(path) as store:
            store.upsert_many([one.rows(0, HISTORY) for one in made])
        command = [sys.executable, "-m", "candlewick.cli.main", "serve", "--store", str(path), "--port", "0", "--json"]
        self.log = (folder / "log").open("w")
        environment = os.environ | {"CANDLEWICK_ROLLOUT_PERCENTAGE": "50"}  # both engines have their part
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, env=environment, text=True)
        self.address = self._address()

    def _address(self) -> str:
        assert self.server.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            line = self.server.stdout.readline()
            assert line, "the server did not start"
            text += line
        address = str(json.loads(text)["address"])
        wait_until_ready(address, seconds=240)
        return address

    def change(self) -> Candles:
        """What comes next of a symbol: a minute or two, or now and then another value of an earlier one."""
        symbol = self.random.choice(SYMBOLS)
        if self.random.random() < 0.2 or not len(self.rest[symbol]):
            stored = self.store.read(symbol, "1m")
            at = self.random.randrange(max(0, len(stored) - 200), len(stored))
            old = stored.rows(at, at + 1)
            values = {name: getattr(old, name) * 1.01 for name in ("open", "high", "low", "close")}
            return Candles(symbol=symbol, timeframe="1m", calendar="24/7", time=old.time, **values, volume=old.volume)
        count = self.random.randint(1, 2)
        found, self.rest[symbol] = self.rest[symbol].rows(0, count), self.rest[symbol].rows(count, 10_000)
        return found

    def stop(self) -> int:
        self.server.terminate()
        code = self.server.wait(20)
        self.log.close()
        if self.server.stdout is not None:
            self.server.stdout.close()
        return code


@dataclass
class Follower:
    """A client of the stream: what it has of each of its series."""

    http: httpx.AsyncClient
    symbols: list[str]
    bars: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)

    async def run(self, socket: ClientConnection) -> None:
        asked = [
            {"id": symbol, "symbol": symbol, "timeframe": "5m", "indicators": INDICATORS, "bars": 20}
            for symbol in self.symbols
        ]
        await socket.send(json.dumps({"subscribe": asked}))
        async for text in socket:
            await self.take(json.loads(text))

    async def take(self, message: dict[str, Any]) -> None:
        kind, name = message["kind"], message.get("id", "")
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if kind == "snapshot":
            self.bars[name] = rows(message["columns"])
        elif kind in ("forming", "final"):
            self.bars[name][message["bar"]["time"]] = message["bar"]
        elif kind == "revision":
            since = max(message["from"], min(self.bars[name]))
            kept = {time: bar for time, bar in self.bars[name].items() if time < since}
            self.bars[name] = kept | await fresh(self.http, name, since)
        elif kind == "gap":
            self.bars[name] |= await fresh(self.http, name, message["from"], message["to"])
        else:
            raise AssertionError(message)


async def fresh(http: httpx.AsyncClient, symbol: str, start: int, end: int | None = None) -> dict[int, dict[str, Any]]:
    """Bars by GET."""
    asked = {"timeframe": "5m", "indicators": INDICATORS, "start": iso(start)} | (
        {} if end is None else {"end": iso(end)}
    )
    answer = await http.get(f"/v1/candles/{symbol}", params=asked)
    assert answer.status_code == 200, answer.text
    return rows(answer.json()["columns"])


def rows(columns: dict[str, list[Any]]) -> dict[int, dict[str, Any]]:
    return {row[0]: dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)}


def iso(milliseconds: int) -> str:
    return f"{np.datetime64(milliseconds, 'ms')}Z"


async def write(market: Market, http: httpx.AsyncClient, ends: float) -> int:
    """Write some series at a time."""
    count = 0
    while time.monotonic() < ends:
        batch = {one.symbol: one for one in (market.change() for _ in range(20))}
        lines = ["symbol,time,open,high,low,close,volume\n"]
        for one in batch.values():
            columns = (one.open, one.high, one.low, one.close, one.volume)
            for at, *values in zip(one.microseconds.tolist(), *(column.tolist() for column in columns), strict=True):
                lines.append(f"{one.symbol},{at // 1_000_000},{','.join(map(repr, values))}\n")
        for symbol in sorted(batch):
            await market.locks[symbol].acquire()
        try:
            about = {"params": {"calendar": "24/7"}, "headers": {"Content-Type": "text/csv"}}
            answer = await http.post("/v1/candles", content="".join(lines), **about)  # type: ignore[arg-type]
            assert answer.status_code == 200, answer.text
            assert answer.json()["quarantined"] == 0
            market.store.upsert_many(list(batch.values()))
        finally:
            for symbol in batch:
                market.locks[symbol].release()
        count += 1
        await asyncio.sleep(0.1)
    return count


async def read(market: Market, http: httpx.AsyncClient, ends: float) -> tuple[int, int]:
    """Ask for some of everything; every hundredth answer is what a rebuild from scratch gives."""
    asked = checked = 0
    while time.monotonic() < ends:
        symbol = market.random.choice(SYMBOLS)
        timeframe = market.random.choice(["1m", "5m", "1h"])
        params = {"timeframe": timeframe, "indicators": INDICATORS}
        asked += 1
        market.asked += 1
        if market.asked % CHECKED:
            answer = await http.get(f"/v1/candles/{symbol}", params=params)
            assert answer.status_code == 200, answer.text
        else:
            async with market.locks[symbol]:
                answer = await http.get(f"/v1/candles/{symbol}", params=params)
                assert answer.status_code == 200, answer.text
                right = query(market.store, symbol, timeframe, INDICATORS)
            check(answer.json(), right)
            checked += 1
        await asyncio.sleep(0.005)
    return asked, checked


def check(answer: dict[str, Any], right: Any) -> None:
    """V2 gives the bits of a rebuild, V1 what differs by no more than two engines may."""
    columns = {name: getattr(right.bars, name) for name in ("open", "high", "low", "close", "volume")}
    for name, values in (columns | dict(right.indicators or {})).items():
        found = np.array([np.nan if one is None else one for one in answer["columns"][name]])
        exact = answer["engine"] == "optimized" or name in columns
        assert (
            np.array_equal(found, values, equal_nan=True)
            if exact
            else np.allclose(found, values, rtol=1e-9, atol=1e-7, equal_nan=True)
        )


async def trial(market: Market) -> dict[str, Any]:
    process = psutil.Process(market.server.pid)
    limits = httpx.Limits(max_connections=200)
    async with (
        httpx.AsyncClient(base_url=market.address, trust_env=False, timeout=60, limits=limits) as http,
        AsyncExitStack() as opened,
    ):
        url = market.address.replace("http", "ws") + "/v1/stream"
        sockets = [
            await opened.enter_async_context(connect(url, proxy=None, compression=None, max_size=None))
            for _ in range(CLIENTS)
        ]
        followers = [Follower(http, market.random.sample(SYMBOLS, SERIES)) for _ in sockets]
        running = [asyncio.create_task(one.run(socket)) for one, socket in zip(followers, sockets, strict=True)]
        ends = time.monotonic() + SECONDS
        work = [asyncio.create_task(write(market, http, ends)) for _ in range(WRITERS)]
        work += [asyncio.create_task(read(market, http, ends)) for _ in range(READERS)]
        await asyncio.sleep(SECONDS / 3)
        memory = process.memory_info().rss
        done = await asyncio.gather(*work)
        heard = -1
        while heard != (heard := sum(sum(one.kinds.values()) for one in followers)):  # until nothing more comes
            await asyncio.sleep(2.0)
        after = process.memory_info().rss
        for task in running:
            assert not task.done(), task.exception()
        wrong = []
        for one in followers:
            for symbol, bars in one.bars.items():
                if dict(sorted(bars.items())) != await fresh(http, symbol, min(bars)):
                    wrong.append(symbol)
        figures = (await http.get("/v1/status")).json()["figures"]["live"]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    kinds = {
        kind: sum(one.kinds.get(kind, 0) for one in followers) for kind in ("snapshot", "final", "revision", "gap")
    }
    return {
        "writes": sum(done[:WRITERS]),
        "asked": sum(one[0] for one in done[WRITERS:]),
        "checked": sum(one[1] for one in done[WRITERS:]),
        "wrong": wrong,
        "dropped": figures["dropped_clients"],
        "memory": memory,
        "after": after,
    } | kinds


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_everything_at_once(tmp_path: Path) -> None:
    async def run() -> dict[str, Any]:
        market = Market(tmp_path)
        try:
            return await trial(market)
        finally:
            assert market.stop() == 0

    found = asyncio.run(run())
    assert found["snapshot"] == CLIENTS * SERIES, found
    assert (found["wrong"], found["dropped"]) == ([], 0), found
    assert min(found["writes"], found["final"], found["revision"]) > 0, found
    assert found["checked"] >= min(1, found["asked"] // CHECKED), found
    if SECONDS >= 30:
        assert found["after"] < 1.15 * found["memory"] + 20e6, found
    assert "Traceback" not in (tmp_path / "log").read_text()
