"""Lane: threads of its own for one kind of work, with a bounded queue, so that one kind never waits behind another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

from candlewick.errors import DeadlineError, OverloadedError

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """What the server takes on at once.

    ``threads``: requests that compute at the same time; ``queue``: further ones that wait, beyond which 503;
    ``seconds``: after which a caller is told 504; ``body_bytes``: largest body, beyond which 413.
    """

    threads: int = 8
    queue: int = 256
    seconds: float = 30.0
    body_bytes: int = 1 << 30


class Lane:
    """Runs calls in at most ``threads`` threads; ``queue`` more may wait."""

    def __init__(self, name: str, threads: int, queue: int, seconds: float, retry_after: float = 1.0) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"candlewick-{name}")
        self._running = threads
        self._room = threads + queue
        self._queue = queue
        self._seconds = seconds
        self._retry_after = retry_after
        self._lock = Lock()
        self._inside = 0

    async def run(self, call: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """The call's result or its error. Raises OverloadedError at once when the queue is full, DeadlineError when it
        takes too long: what runs then still ends, and keeps its thread until it does."""
        future = self._submit(call, *arguments, **named)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError as error:
            if isinstance(error, DeadlineError):  # the call's own
                raise
            raise DeadlineError(self._seconds) from None

    @property
    def pressed(self) -> bool:
        """More than half of the places in the queue are taken."""
        return (self._inside - self._running) * 2 > self._queue

    def refuse(self) -> OverloadedError:
        """What a caller is told whose request is not taken."""
        return OverloadedError(max(0, self._inside - self._running), self._retry_after)

    def close(self) -> None:
        """Take no more; what waits is dropped, what runs ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def stats(self) -> dict[str, int]:
        """``inside``: calls that run or wait; ``room``: how many may."""
        return {"inside": self._inside, "room": self._room}

    def _submit(self, call: Callable[..., T], *arguments: Any, **named: Any) -> Future[T]:
        with self._lock:
            if self._inside >= self._room:
                raise self.refuse()
            self._inside += 1
        try:
            future = self._threads.submit(call, *arguments, **named)
        except BaseException:
            self._left(None)
            raise
        future.add_done_callback(self._left)
        return future

    def _left(self, _: Any) -> None:
        with self._lock:
            self._inside -= 1
