"""The parent of several workers, over processes that only print and wait; `tests/cli/test_workers.py` has real ones."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from candlewick.errors import InputError, ServiceError
from candlewick.server import workers as module
from candlewick.server.run import bind
from candlewick.server.workers import Crew, reserve, run_workers

WAITS = (
    "import json, sys; print(json.dumps({'address': 'here', 'pid': 1}, indent=2), flush=True); sys.stdin.buffer.read()"
)
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITS}; import time; time.sleep(600)"


def command(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def soon(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.01)


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.0)
    crew = Crew(command(WAITS), 2)
    yield crew
    crew.stop()


def test_ready_is_what_the_first_said_once_all_are(crew: Crew) -> None:
    soon(lambda: crew.ready() is not None)
    assert crew.ready() == {"address": "here", "pid": 1}
    assert len(set(crew.processes)) == 2


def test_one_that_ends_is_started_again(crew: Crew) -> None:
    soon(lambda: crew.ready() is not None)
    first, second = crew.processes
    crew.mend()
    assert crew.processes == [first, second]
    os.kill(first, signal.SIGKILL)

    def mended() -> bool:
        crew.mend()
        return crew.processes[0] != first

    soon(mended)
    assert crew.processes[1] == second
    soon(lambda: crew.ready() is not None)


def test_one_that_will_not_be_better_is_not_started_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.0)
    crew = Crew(command("import sys; sys.exit(2)"), 1)
    first = crew.processes
    soon(lambda: crew._workers[0].process.poll() == 2)
    crew.mend()
    assert crew.processes == first
    monkeypatch.setattr(module, "MENDED_SECONDS", 0.0)
    crew.mend()
    assert crew.processes != first
    crew.stop()


def test_workers_that_cannot_start_are_no_crew() -> None:
    with pytest.raises(ServiceError, match="could not start"):
        run_workers(command("import sys; sys.exit(2)"), 2, lambda said: None)


def test_a_signal_ends_all_and_what_was_before_is_there_again() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[list[int]] = []

    def ready(said: dict[str, object]) -> None:
        assert said["pid"] == os.getpid()
        workers = said["workers"]
        assert isinstance(workers, list)
        seen.append(workers)
        signal.raise_signal(signal.SIGTERM)

    run_workers(command(WAITS), 2, ready)
    assert len(seen) == 1
    assert signal.getsignal(signal.SIGTERM) is before
    for number in seen[0]:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


def test_one_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.1)
    crew = Crew(command(STUBBORN), 1)
    soon(lambda: crew.ready() is not None)
    number = crew.processes[0]
    crew.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_reserved_port_may_be_listened_on_by_several() -> None:
    with reserve("127.0.0.1", 0) as held:
        port = held.getsockname()[1]
        with bind("127.0.0.1", port, shared=True) as one, bind("127.0.0.1", port, shared=True):
            with socket.create_connection(one.getsockname(), timeout=10):
                pass
            with pytest.raises(InputError, match="port"):
                bind("127.0.0.1", port)


def test_where_ports_cannot_be_shared_there_is_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    with pytest.raises(InputError, match="SO_REUSEPORT"):
        reserve("127.0.0.1", 0)


def test_a_worker_ends_with_its_parent() -> None:
    code = (
        "import time; from candlewick.server.workers import end_with_parent; end_with_parent(); "
        "print('up', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(command(code), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    process.stdin.close()
    assert process.wait(30) == -signal.SIGTERM
    process.stdout.close()
