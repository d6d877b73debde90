"""Lanes: threads on which V2 runs under a deadline, so that one that hangs holds neither its caller nor all of them."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast

from candlewick.errors import DeadlineError, OverloadedError

T = TypeVar("T")


class Lanes:
    """``run`` has an answer within the deadline, or an error. Calls that were given up on keep their thread until they
    end; when they hold every thread, ``run`` fails at once with OverloadedError."""

    def __init__(self, threads: int = 16, name: str = "candlewick-v2") -> None:
        self._threads = threads
        self._name = name
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._busy = 0
        self._stuck = 0
        self._closed = False

    @property
    def stuck(self) -> int:
        """Threads that still run what was given up on."""
        return self._stuck

    def run(self, call: Callable[[], T], deadline: float) -> T:
        """What ``call`` returns or raises; DeadlineError after ``deadline`` seconds, waiting for a thread included."""
        job = _Job(call)
        with self._lock:
            if self._closed or self._stuck >= self._threads:
                raise OverloadedError(self._stuck, deadline)
            self._busy += 1
            if self._busy > self._started and self._started < self._threads:
                self._started += 1
                threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()
        self._jobs.put(job)
        if not job.done.acquire(timeout=deadline):
            self._give_up(job)
            raise DeadlineError(deadline)
        if job.error is not None:
            try:
                raise job.error
            finally:
                del job  # its error holds this frame
        return cast(T, job.value)

    def close(self) -> None:
        """Let the threads end; those that hang end with the process."""
        with self._lock:
            self._closed = True
            for _ in range(self._started):
                self._jobs.put(None)

    def _give_up(self, job: _Job[T]) -> None:
        with self._lock:
            job.abandoned = True
            if job.running:
                self._stuck += 1

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            with self._lock:
                job.running = not job.abandoned
            if job.running:
                job.run()
            with self._lock:
                self._busy -= 1
                if job.running and job.abandoned:
                    self._stuck -= 1
                job.running = False
            del job  # or its answer would live until the next one


class _Job(Generic[T]):
    """A call with the caller's context, and where its end is awaited."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._context = contextvars.copy_context()
        self.done = threading.Lock()
        self.done.acquire()
        self.value: T | None = None
        self.error: BaseException | None = None
        self.running = False
        self.abandoned = False

    def run(self) -> None:
        try:
            self.value = self._context.run(self._call)
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            self.error = error
        self.done.release()
