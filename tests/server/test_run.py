"""A real server in a process of its own: 50 requests, a graceful stop, a store that is free again."""

from __future__ import annotations

import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from candlewick.client import Client
from candlewick.errors import InputError
from candlewick.server import run as run_module
from candlewick.server.run import address_of, bind, run
from candlewick.store.memory import MemoryStore
from candlewick.store.open import open_store
from candlewick.store.owner import Owner
from candlewick.testing.small_application import SmallApplication

SERVER = """
import sys, time
from candlewick.server.run import run
from candlewick.store.open import open_store
from candlewick.testing.small_application import SmallApplication

application = SmallApplication(open_store(sys.argv[1]))
seconds = float(sys.argv[2])
application.hooks["candles"] = lambda request, *_: time.sleep(seconds if request.limit == 77_777 else 0)

def ready(address):
    application.announce(address)
    print(address, flush=True)

run(application, port=0, ready=ready)
print("closed", application.closed, flush=True)
"""

Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server of a DuckDB store with one symbol; what still runs at the end is killed."""
    processes = []

    def starting(seconds: float = 0.0) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(tmp_path / "a.duckdb"), str(seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 60)[0], "no address within a minute"
        address = process.stdout.readline().strip()
        assert address, process.communicate(timeout=30)[1]
        return process, address

    yield starting
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def fill(tmp_path: Path, candles: Any) -> None:
    with open_store(tmp_path / "a.duckdb") as store:
        store.upsert(candles)


def test_fifty_requests_then_what_has_come_in_is_answered_before_a_graceful_stop(start, tmp_path, candles):
    fill(tmp_path, candles)
    process, address = start(0.5)
    owner = Owner.read(tmp_path / "a.duckdb")
    assert owner is not None
    assert (owner.address, owner.pid) == (address, process.pid)
    late = []

    def slow() -> None:
        late.append(httpx.get(f"{address}/v1/candles/AAPL?timeframe=5m&limit=77777", timeout=30, trust_env=False))

    with Client(address) as client:
        assert client.about()["pid"] == process.pid
        answers = [client.candles("AAPL", "5m", indicators="sma(3)", limit=1000 + at) for at in range(50)]
        assert all((answer["close"] == answers[0]["close"]).all() for answer in answers)
        assert len(answers[0].time) == 78
        thread = threading.Thread(target=slow)
        thread.start()
        while client.status()["figures"]["http_requests"]["inside"] != 1:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        thread.join(30)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "closed 1\n"), err
    assert late[0].status_code == 200
    assert Owner.read(tmp_path / "a.duckdb") is None
    with open_store(tmp_path / "a.duckdb") as store:
        assert store.count("AAPL", "1m") == 390


@pytest.mark.slow
def test_what_hangs_is_left_behind(start, tmp_path, candles):
    fill(tmp_path, candles)
    process, address = start(60.0)
    with pytest.raises(httpx.TimeoutException):
        httpx.get(f"{address}/v1/candles/AAPL?timeframe=5m&limit=77777", timeout=0.5, trust_env=False)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == run_module.LEFT_BEHIND
    assert "something hung" in err
    with open_store(tmp_path / "a.duckdb") as store:
        assert store.count("AAPL", "1m") == 390


@pytest.mark.parametrize("signals", [1, 2])
def test_in_this_process_the_signal_handlers_are_put_back(signals):
    """A second signal ends it at once: it does not wait for connections."""
    application = SmallApplication(MemoryStore())
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    addresses = []

    def ready(address: str) -> None:
        addresses.append(address)
        for _ in range(signals):
            signal.raise_signal(signal.SIGTERM)

    run(application, port=0, ready=ready)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert application.closed == 1
    assert addresses[0].startswith("http://127.0.0.1:")
    assert not any(isinstance(one, threading.Timer) and not one.finished.is_set() for one in threading.enumerate())


@pytest.mark.parametrize("host", ["192.0.2.7", "no-such-machine.invalid"])
def test_a_host_that_is_not_this_machine_is_told(host):
    with pytest.raises(InputError, match=r"host: .* cannot be listened on: .*; give 127\.0\.0\.1, an address"):
        bind(host, 0)


@pytest.mark.parametrize(("host", "more"), [("0.0.0.0", {}), ("127.0.0.1", {"require_keys": True})])
def test_what_others_reach_is_not_served_without_a_key(host, more):
    application = SmallApplication(MemoryStore())
    key, _ = application.keys.create("gone", "admin", who="me")
    application.keys.revoke(key.id, who="me")
    with pytest.raises(InputError, match=r"host: .* there is no valid key; make one first: candlewick keys create"):
        run(application, host, 0, **more)
    assert application.closed == 1


def test_with_a_key_it_is_served_and_asks_for_it():
    application = SmallApplication(MemoryStore())
    _, key = application.keys.create("desk", "viewer", who="me")
    answers, lines = [], []

    def ask(address):
        for headers in ({}, {"Authorization": f"Bearer {key}"}):
            answers.append(httpx.get(f"{address}/v1/symbols", headers=headers, trust_env=False))
        signal.raise_signal(signal.SIGTERM)

    def ready(address):
        threading.Thread(target=ask, args=(address,)).start()

    run(application, "0.0.0.0", 0, ready=ready, rate=5, log=lines.append)
    assert [answer.status_code for answer in answers] == [401, 200]
    assert [(line.status, line.key) for line in lines] == [(401, None), (200, "desk")]


def test_all_addresses_are_reached_at_one_of_this_machine():
    with bind("0.0.0.0", 0) as listening:
        assert address_of(listening).startswith("http://127.0.0.1:")


@pytest.mark.parametrize("port", [-1, 65536, True, "8787"])
def test_a_port_is_a_number(port):
    with pytest.raises(InputError, match=r"port: .* is no port"):
        bind("127.0.0.1", port)


def test_a_port_in_use_is_told_and_the_application_is_closed():
    with bind("127.0.0.1", 0) as taken:
        application = SmallApplication(MemoryStore())
        with pytest.raises(InputError, match=r"port: .* cannot be listened on"):
            run(application, port=taken.getsockname()[1])
        assert application.closed == 1


def test_answers_are_sent_at_once():
    """asyncio turns off the wait for acknowledgements only on sockets that say that they are TCP."""
    with bind("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        assert accepted.proto == socket.IPPROTO_TCP
        accepted.close()


def test_an_address_says_where_it_is_reached():
    with bind("localhost", 0) as listening:
        assert address_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"
    if socket.has_dualstack_ipv6():
        with bind("[::1]", 0) as listening:
            assert address_of(listening).startswith("http://[::1]:")
