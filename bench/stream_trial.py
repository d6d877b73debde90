"""Live bars for many clients: a server on one core, what it delivers a second, how late, and what memory it takes.

    python bench/stream_trial.py [--clients 500] [--series 20] [--symbols 200] [--seconds 60] [--engine auto]
                                 [--indicators desk] [--json bench/results/stream.json]

Each second one minute of candles of all symbols is posted; each client follows some symbols' minute bars over one
WebSocket. The server is bound to one core, clients and poster to another. Late is a message that came so long after its
POST was begun. Ends with 1 when a client was dropped, a bar did not come, or memory grew by a quarter.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from candlewick.candles import Candles
from candlewick.store.open import open_store

HISTORY = 390
"""Minutes that are stored before the first POST."""
START = int(datetime(2024, 1, 2, tzinfo=UTC).timestamp()) * 1000
BAR = re.compile(rb'"bar":{"time":(\d+)')
MINUTE = 60_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, usual in (("clients", 500), ("series", 20), ("symbols", 200), ("seconds", 60)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--engine", choices=("auto", "classic", "optimized"), default="auto")
    parser.add_argument("--indicators", default="desk")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    result = trial(asked)
    for name, value in result.items():
        sys.stdout.write(f"{name:24} {value:,}\n" if isinstance(value, int) else f"{name:24} {value}\n")
    if asked.json is not None:
        asked.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if result["held"] else 1


def trial(asked: argparse.Namespace) -> dict[str, Any]:
    """The whole of it; what came of it as plain values."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="candlewick-stream-") as folder:
        store = Path(folder) / "candles.duckdb"
        filled(store, asked.symbols)
        environment = os.environ | {"CANDLEWICK_USE_OPTIMIZED_ANALYTICS": "true"}  # what auto follows
        command = ["taskset", "-c", str(cores[0]), sys.executable, "-m", "candlewick.cli.main", "serve"]
        with open(Path(folder) / "log", "w") as log:  # noqa: PTH123
            server = subprocess.Popen(
                [*command, "--store", str(store), "--port", "0", "--json"],
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                text=True,
            )
            try:
                address = told_address(server)
                os.sched_setaffinity(0, {cores[-1]})
                return asyncio.run(followed(asked, address, psutil.Process(server.pid)))
            finally:
                server.terminate()
                server.wait(20)


def filled(path: Path, symbols: int) -> None:
    """A store with some hours of each symbol."""
    with open_store(path) as store:
        store.upsert_many([candles(f"S{k:03d}", range(HISTORY)) for k in range(symbols)])


def candles(symbol: str, minutes: range) -> Candles:
    """Minutes of a symbol that go up and down."""
    at = np.array(minutes, dtype=np.int64)
    close = 100 + np.round(np.sin(at / 7 + len(symbol)) + at * 0.001, 2)
    columns = {"open": close - 0.01, "high": close + 0.05, "low": close - 0.05, "close": close, "volume": at + 100.0}
    return Candles(symbol=symbol, timeframe="1m", calendar="24/7", time=(START + at * MINUTE) * 1000, **columns)


def told_address(server: subprocess.Popen[str]) -> str:
    """Where the server is, once it is ready."""
    assert server.stdout is not None
    text = ""
    while not text.rstrip().endswith("}"):
        line = server.stdout.readline()
        if not line:
            raise SystemExit("the server did not start")
        text += line
    address = str(json.loads(text)["address"])
    until = time.monotonic() + 180
    while httpx.get(f"{address}/health/ready", trust_env=False).status_code != 200:
        if time.monotonic() > until:
            raise SystemExit("the server is not ready")
        time.sleep(0.2)
    return address


@dataclass
class Client(asyncio.Protocol):
    """A WebSocket client that does nothing but note when each bar came: others take as long as the server."""

    wanted: bytes
    posted: dict[int, float]
    snapshots: int = 0
    bars: int = 0
    byes: int = 0
    late: list[float] = field(default_factory=list)
    last: dict[bytes, int] = field(default_factory=dict)
    rest: bytes = b""
    up: bool = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        data = self.rest + data
        if not self.up:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.rest = data
                return
            if b" 101 " not in data[:20]:
                raise SystemExit(data[:200])
            self.up, data = True, data[end + 4 :]
            self.send(0x81, self.wanted)
        at = 0
        while len(data) - at >= 2:
            size, start = data[at + 1] & 127, at + 2
            if size > 125:
                wide = 2 if size == 126 else 8
                size, start = int.from_bytes(data[start : start + wide], "big"), start + wide
            if len(data) < start + size:
                break
            self.frame(data[at] & 15, data[start : start + size], now)
            at = start + size
        self.rest = data[at:]

    def frame(self, kind: int, text: bytes, now: float) -> None:
        if kind == 9:
            self.send(0x8A, text)
        elif text.startswith((b'{"kind":"final"', b'{"kind":"forming"')):
            found = BAR.search(text)
            assert found is not None
            minute = int(found[1])
            self.bars += 1
            self.last[text[: text.index(b",", 17)]] = minute
            if minute in self.posted:
                self.late.append(now - self.posted[minute])
        elif text.startswith(b'{"kind":"snapshot"'):
            self.snapshots += 1
        elif kind == 1:
            self.byes += 1
            sys.stderr.write(f"{text[:200]!r}\n")

    def send(self, first: int, payload: bytes) -> None:
        """A masked frame; the mask is 0, which changes nothing."""
        size = len(payload)
        head = bytes((first, 128 | size)) if size < 126 else bytes((first, 254)) + size.to_bytes(2, "big")
        self.transport.write(head + bytes(4) + payload)


async def followed(asked: argparse.Namespace, address: str, server: psutil.Process) -> dict[str, Any]:
    """Connect everybody, post minute after minute, count what comes."""
    loop = asyncio.get_running_loop()
    host, port = address.removeprefix("http://").split(":")
    posted: dict[int, float] = {}
    clients: list[Client] = []
    began = time.perf_counter()
    for k in range(asked.clients):
        wanted = [
            {
                "id": f"{n}",
                "symbol": f"S{(k * 7 + n) % asked.symbols:03d}",
                "timeframe": "1m",
                "indicators": asked.indicators,
                "bars": 100,
                "engine": asked.engine,
            }
            for n in range(asked.series)
        ]
        client = Client(json.dumps({"subscribe": wanted}).encode(), posted)
        clients.append(client)
        await loop.create_connection(lambda one=client: one, host, int(port))  # type: ignore[misc]
    series = asked.clients * asked.series
    while sum(client.snapshots for client in clients) < series:
        await asyncio.sleep(0.05)
        if time.perf_counter() - began > 300:
            raise SystemExit("the snapshots do not come")
    joined = time.perf_counter() - began
    late_posts = 0
    memory, memory_after = 0, 0
    cpu = 0.0
    names = [f"S{k:03d}" for k in range(asked.symbols)]
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as http:
        started = time.perf_counter()
        for second in range(asked.seconds):
            left = started + second - time.perf_counter()
            late_posts += left < -0.5
            await asyncio.sleep(max(0.0, left))
            if second == min(5, asked.seconds - 1):  # buffers have their size by then
                memory, cpu = server.memory_info().rss, sum(server.cpu_times()[:2])
                measured = time.perf_counter()
            minute = HISTORY + second
            rows = [row(name, minute) for name in names]
            posted[START + minute * MINUTE] = time.perf_counter()
            answer = await http.post(
                "/v1/candles",
                params={"calendar": "24/7"},
                content="symbol,time,open,high,low,close,volume\n" + "".join(rows),
                headers={"Content-Type": "text/csv"},
            )
            if answer.status_code != 200:
                raise SystemExit(answer.text)
        expected = series * asked.seconds
        until = time.perf_counter() + 20
        while sum(client.bars for client in clients) < expected and time.perf_counter() < until:
            await asyncio.sleep(0.05)
        ended = time.perf_counter()
        memory_after = server.memory_info().rss
        used = (sum(server.cpu_times()[:2]) - cpu) / (ended - measured)
        figures = (await http.get("/v1/status")).json()["figures"]["live"]
    last = START + (HISTORY + asked.seconds - 1) * MINUTE
    complete = sum(at == last for client in clients for at in client.last.values())
    late = np.concatenate([np.array(client.late) for client in clients]) * 1000
    delivered = sum(client.bars for client in clients)
    grown = memory_after / max(1, memory)
    return {
        "clients": asked.clients,
        "series_each": asked.series,
        "symbols": asked.symbols,
        "seconds": asked.seconds,
        "indicators": asked.indicators,
        "engine": asked.engine,
        "join_seconds": round(joined, 1),
        "messages": delivered,
        "expected_messages": expected,
        "messages_a_second": round(delivered / (ended - started)),
        "late_p50_ms": round(float(np.percentile(late, 50)), 1),
        "late_p99_ms": round(float(np.percentile(late, 99)), 1),
        "late_max_ms": round(float(late.max()), 1),
        "late_posts": int(late_posts),
        "complete_series": complete,
        "dropped_clients": int(figures["dropped_clients"]),
        "looks": int(figures["looks"]),
        "server_cpu_share": round(used, 2),
        "memory_mb": round(memory / 2**20),
        "memory_after_mb": round(memory_after / 2**20),
        "load": [round(one, 1) for one in os.getloadavg()],
        "held": complete == series and not figures["dropped_clients"] and grown < 1.25,
    }


def row(symbol: str, minute: int) -> str:
    """A line of CSV."""
    one = candles(symbol, range(minute, minute + 1))
    values = ",".join(repr(float(getattr(one, name)[0])) for name in ("open", "high", "low", "close", "volume"))
    return f"{symbol},{START + minute * MINUTE},{values}\n"


if __name__ == "__main__":
    sys.exit(main())
