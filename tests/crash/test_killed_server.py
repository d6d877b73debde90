"""A server killed with -9 while candles are sent to it: what it acknowledged is there, no series is there by half."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from candlewick.sources.ingest import ingest
from candlewick.store.duckdb import DuckDBStore

pytestmark = pytest.mark.untraced

SYMBOLS = [f"S{k:02d}" for k in range(40)]
MINUTES = 30
"""Candles of each symbol in a batch: enough for a kill to fall between two series of it."""
MINUTE = 60_000_000
START = 1_704_067_200_000_000


@dataclass
class Sender:
    """Sends batch after batch until the server is gone."""

    address: str
    first: int
    acknowledged: list[int] = field(default_factory=list)
    sent: int = 0
    """The batch that was on its way last, whatever became of it."""

    def run(self) -> None:
        with httpx.Client(base_url=self.address, timeout=30.0, trust_env=False) as http:
            for number in range(self.first, self.first + 10_000):
                self.sent = number
                try:
                    response = http.post(
                        "/v1/candles?calendar=24/7", content=batch(number), headers={"Content-Type": "text/csv"}
                    )
                except httpx.TransportError:
                    return
                assert response.status_code == 200, response.text
                assert response.json()["inserted"] == len(SYMBOLS) * MINUTES
                self.acknowledged.append(number)


def batch(number: int) -> bytes:
    """The next candles of every symbol, symbol by symbol."""
    lines = ["symbol,time,open,high,low,close,volume"]
    for place, symbol in enumerate(SYMBOLS):
        for minute in range(number * MINUTES, (number + 1) * MINUTES):
            price = 100 + place + minute % 7
            lines.append(f"{symbol},{START + minute * MINUTE},{price},{price + 1},{price - 1},{price},{minute}")
    return "\n".join(lines).encode()


@contextmanager
def server(store: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`candlewick serve`, which is dead afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "candlewick.cli.main", "serve", "--port", "0", "--json", "--store", str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "CANDLEWICK_STORE"},
    )
    assert process.stdout is not None
    try:
        told = "".join(iter(process.stdout.readline, "}\n")) + "}"
        yield process, json.loads(told)["address"]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def check_kills(kills: int, folder: Path, seed: int) -> Sequence[int]:
    """Kill the server again and again on one store; how many series of the last batch each kill left."""
    path, chance, next_batch = folder / "killed.duckdb", random.Random(seed), 0
    left = []
    for _ in range(kills):
        with server(path) as (process, address):
            sender = Sender(address, next_batch)
            thread = threading.Thread(target=sender.run)
            thread.start()
            thread.join(chance.uniform(0.2, 1.2))
            assert thread.is_alive(), "it sends until the server is gone"
            os.kill(process.pid, signal.SIGKILL)
            thread.join()
        with DuckDBStore(path) as store:
            counts = {one.symbol: one.rows // MINUTES for one in store.series()}
            for one in store.series():
                candles = store.read(one.symbol, "1m")
                assert len(candles) == one.rows == counts[one.symbol] * MINUTES, "no half series"
                assert candles.microseconds[-1] == START + (one.rows - 1) * MINUTE, "nothing is missing in between"
        assert all(counts.get(symbol, 0) in (sender.sent, sender.sent + 1) for symbol in SYMBOLS)
        assert sender.acknowledged == list(range(next_batch, sender.sent)), "all before the last one are acknowledged"
        left.append(sum(count == sender.sent + 1 for count in counts.values()))
        next_batch = sender.sent + 1
        with DuckDBStore(path) as store:  # what was not acknowledged is sent again, as a client does
            (folder / "again.csv").write_bytes(batch(sender.sent))
            again = ingest(store, folder / "again.csv", calendar="24/7")
            assert (again.unchanged, again.inserted) == (left[-1] * MINUTES, (len(SYMBOLS) - left[-1]) * MINUTES)
    return left


def test_one_kill(tmp_path: Path) -> None:
    assert len(check_kills(1, tmp_path, seed=1)) == 1


@pytest.mark.slow
def test_fifty_kills(tmp_path: Path) -> None:
    left = check_kills(50, tmp_path, seed=50)
    assert len(set(left)) > 1, "the moments met the ingest in different places"
