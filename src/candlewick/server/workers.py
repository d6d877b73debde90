"""Workers: several server processes behind one port, started, watched and stopped by the process that was called.

1. The port is reserved once (`reserve`); each worker listens on it for itself, and the kernel spreads connections.
2. One that ends is started again, after a moment when it had just been started (`Crew.mend`).
3. SIGTERM or SIGINT is passed on; what has not ended in time is killed. A worker whose parent is gone, however that
   went, finds its standard input closed and ends by itself (`end_with_parent`).
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from candlewick.errors import InputError, ServiceError
from candlewick.server.run import STOP_SECONDS, bind

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
"""Between two looks whether every worker is there."""

AGAIN_SECONDS = 1.0
"""Between two starts of one worker, at least."""

BAD_INPUT = 2
"""Exit code of a worker that will not be better the next time, unless somebody mends what it was given."""

MENDED_SECONDS = 30.0
"""Between two starts of such a worker."""


def reserve(host: str, port: int) -> socket.socket:
    """A socket that holds a port for the workers, and takes no connection itself. Raises InputError as `bind` does."""
    if not hasattr(socket, "SO_REUSEPORT"):
        raise InputError("workers", "more than 1", "use 1 here", "needs SO_REUSEPORT, which this system does not have")
    return bind(host, port, shared=True, listen=False)


class Crew:
    """``count`` processes of ``command``, which print one JSON value when they are ready."""

    def __init__(self, command: Sequence[str], count: int) -> None:
        self._command = list(command)
        self._workers = [_Worker(self._command) for _ in range(count)]

    def ready(self) -> dict[str, Any] | None:
        """What the first worker said, once all of them are ready; None until then.

        Raises ServiceError when one ended for what was given to it: it told why on standard error.
        """
        if any(one.process.poll() == BAD_INPUT for one in self._workers):
            raise ServiceError("workers: one could not start; it said why")
        said = [one.said for one in self._workers]
        return said[0] if all(said) else None

    @property
    def processes(self) -> list[int]:
        """The ids of the workers."""
        return [one.process.pid for one in self._workers]

    def mend(self) -> None:
        """Start those again that ended."""
        for k, one in enumerate(self._workers):
            ended = one.process.poll()
            pause = MENDED_SECONDS if ended == BAD_INPUT else AGAIN_SECONDS
            if ended is not None and time.monotonic() - one.started > pause:
                log.warning("worker %d ended with %d and is started again", one.process.pid, one.process.returncode)
                one.close()
                self._workers[k] = _Worker(self._command)

    def stop(self) -> None:
        """End all of them, by force those that take too long."""
        for one in self._workers:
            if one.process.poll() is None:
                one.process.terminate()
        end = time.monotonic() + STOP_SECONDS
        for one in self._workers:
            try:
                one.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()
            one.close()


class _Worker:
    """One process, and what it printed."""

    def __init__(self, command: list[str]) -> None:
        self.started = time.monotonic()
        self.said: dict[str, Any] | None = None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, name="candlewick-worker-output", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        output = self.process.stdout
        assert output is not None
        text = b""
        for line in output:
            text += line
            with suppress(ValueError):  # it is not whole yet
                self.said = json.loads(text)

    def close(self) -> None:
        self._reader.join(1)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def run_workers(command: Sequence[str], count: int, ready: Callable[[dict[str, Any]], None]) -> None:
    """Serve with ``count`` processes until SIGTERM or SIGINT. ``ready`` gets what the first worker printed, with the
    ids of all. Must run in the main thread, where signals arrive. Raises ServiceError when the workers cannot start."""
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    crew = Crew(command, count)
    told = False
    try:
        while not ended.wait(LOOK_SECONDS):
            said = None if told else crew.ready()
            if said is not None:
                ready({**said, "pid": os.getpid(), "workers": crew.processes})
                told = True
            crew.mend()
    finally:
        crew.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_parent() -> None:
    """End this process as SIGTERM would, once whoever started it is gone."""

    def wait() -> None:
        while os.read(0, 1):  # not by sys.stdin, whose lock the end of the interpreter would want
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="candlewick-parent", daemon=True).start()
