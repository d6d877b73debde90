"""serve --workers: several processes behind one port, over one PostgreSQL database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.cli.conftest import Run
from tests.cli.test_serve import clean
from tests.postgres_server import postgres_server

from candlewick.store.postgres import PostgresStore
from candlewick.testing.repository_contract import some


@dataclass
class Workers:
    process: subprocess.Popen[str]
    said: dict[str, Any]
    url: str

    @property
    def address(self) -> str:
        return str(self.said["address"])


def soon(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.02)


def pids(address: str) -> set[int]:
    """Who answers on new connections."""
    found = set()
    for _ in range(20):
        try:
            found.add(httpx.get(f"{address}/v1/health/live", timeout=10).json()["pid"])
        except httpx.TransportError:  # one that was just killed had taken the connection
            continue
    return found


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    url = postgres_server().url()
    with PostgresStore(url) as store:
        store.upsert(some(minutes=range(60)))
    command = [sys.executable, "-m", "candlewick.cli.main", "serve", "--port", "0", "--json", "--workers", "2"]
    process = subprocess.Popen(
        [*command, "--store", url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean()
    )
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        line = process.stdout.readline()
        assert line, "it ended before it was ready"
        text += line
    yield Workers(process, json.loads(text), url)
    if process.poll() is None:
        process.terminate()
        process.wait(30)
    process.stdout.close()


@pytest.mark.slow
def test_they_answer_at_one_port_and_agree(workers: Workers) -> None:
    assert len(workers.said["workers"]) == 2
    soon(lambda: pids(workers.address) == set(workers.said["workers"]))
    with PostgresStore(workers.url) as store:
        store.upsert(some(minutes=[60]))

    def revisions() -> set[int]:
        answers = [httpx.get(f"{workers.address}/v1/candles/SPY?timeframe=1m") for _ in range(10)]
        return {answer.json()["revision"] for answer in answers}

    soon(lambda: revisions() == {2})


@pytest.mark.slow
def test_one_that_is_killed_comes_back_and_sigterm_ends_all(workers: Workers) -> None:
    first = workers.said["workers"][0]
    os.kill(first, signal.SIGKILL)
    soon(lambda: len(pids(workers.address)) == 2 and first not in pids(workers.address))
    left = pids(workers.address)
    workers.process.send_signal(signal.SIGTERM)
    assert workers.process.wait(30) == 0
    for number in left:
        soon(lambda number=number: not _runs(number))  # type: ignore[misc]


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("store", ["memory:", "a.duckdb"])
def test_more_than_one_needs_a_database(run: Run, store: str) -> None:
    ran = run("serve", "--workers", "2", "--store", store, "--port", "0")
    assert ran.code == 2
    assert "belong to one process: use a PostgreSQL store" in ran.err
