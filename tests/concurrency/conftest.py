"""Pools that must leave no thread behind, and calls that hang until they are released."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from candlewick.concurrency.worker_pool import WorkerPool

LONG = 60.0
"""Seconds after which a wait that should have ended is given up: the test fails, whatever the machine."""


class Gate:
    """A call that hangs until it is opened, and says when it has begun."""

    def __init__(self) -> None:
        self.began = threading.Semaphore(0)
        self._open = threading.Event()

    def __call__(self, value: object = None) -> object:
        self.began.release()
        assert self._open.wait(LONG)
        return value

    def entered(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.began.acquire(timeout=LONG)

    def open(self) -> None:
        self._open.set()


class HandClock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def wall(self) -> int:
        return int(self.now * 1e6)

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def new_pool() -> Iterator[Callable[..., WorkerPool]]:
    """Pools by name, closed at the end of the test; then no thread of theirs may be left."""
    made: list[WorkerPool] = []

    def make(*arguments: Any, **options: Any) -> WorkerPool:
        made.append(WorkerPool(*arguments, **{"name": "tested"} | options))
        return made[-1]

    yield make
    for pool in made:
        assert pool.close(LONG)
    assert threads("tested") == []


def threads(name: str = "tested") -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(f"{name}-")]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def names() -> Callable[..., list[str]]:
    """Names of the living threads of the pools of a name."""
    return threads


@pytest.fixture
def in_thread() -> Iterator[Callable[[Callable[[], Any]], threading.Thread]]:
    """Starts a call in a thread that must end with the test."""
    started: list[threading.Thread] = []

    def start(call: Callable[[], Any]) -> threading.Thread:
        started.append(threading.Thread(target=call, daemon=True))
        started[-1].start()
        return started[-1]

    yield start
    for thread in started:
        thread.join(LONG)
        assert not thread.is_alive()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Returns when something is so that gives no event."""

    def wait(ready: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(int(LONG * 1000)):
            if ready():
                return
            pause.wait(0.001)
        raise AssertionError("never came")

    return wait
