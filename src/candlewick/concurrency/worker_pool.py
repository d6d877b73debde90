"""WorkerPool: calls on a bounded number of threads behind a bounded queue, each with its own result."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from math import inf, isnan
from types import TracebackType
from typing import Any, Self, TypeVar

from candlewick.clock import Clock, SystemClock
from candlewick.concurrency.crew import Crew
from candlewick.concurrency.task import Task
from candlewick.errors import CandlewickError, InputError, ServiceError

Item = TypeVar("Item")
Result = TypeVar("Result")

QUEUE = 256


@dataclass(frozen=True)
class PoolStats:
    """A pool at one moment. ``workers``, ``busy``, ``queued`` and ``let_go`` are now; the others count from its start.

    ``let_go``: threads whose call goes on though its task was cancelled or expired. ``failed``: calls that raised and
    tasks that a close left; ``expired``: tasks not done by their deadline; ``refused``: those that found the
    queue full and would not wait.
    ``busy_seconds`` is the time that threads spent in calls: its growth over a while, by that while and ``workers``, is
    the utilisation over it.
    """

    workers: int
    busy: int
    queued: int
    let_go: int
    done: int
    failed: int
    cancelled: int
    expired: int
    refused: int
    busy_seconds: float

    @property
    def utilisation(self) -> float:
        """Share of the workers that are busy now, 0 to 1. More than all are busy for a while after a resize."""
        return min(1.0, self.busy / self.workers)


class WorkerPool:
    """Threads for calls that release the GIL, as the kernels and the stores do.

    Every accepted task ends once: with its call's result, its error, its deadline or its cancellation, and none changes
    another's. A call that hangs is let go at its deadline, and its place is taken by another thread, up to ``workers``
    of them. From a call in the pool, ``submit`` runs the new call at once in the same thread, so nesting never blocks.
    Threads start with the first calls and end at ``close``, with the pool itself, or with the interpreter.
    """

    def __init__(
        self, workers: int, queue: int = QUEUE, name: str = "candlewick", *, clock: Clock | None = None
    ) -> None:
        """``name`` is that of the threads, and the ``engine`` of an EngineError. Raises InputError."""
        self._crew = Crew(
            _whole("workers", workers), _whole("queue", queue), name, SystemClock() if clock is None else clock
        )
        # A crew does not know its pool: a pool that nobody holds any more lets its threads end.
        weakref.finalize(self, self._crew.dismiss).atexit = False

    def submit(
        self, call: Callable[..., Result], *args: Any, deadline: float | None = None, wait: bool = True
    ) -> Task[Result]:
        """A task for ``call(*args)``, to be done within ``deadline`` seconds from now; past it, it does not start.

        While the queue is full this waits for room (to the deadline at most, then the task has expired), or with
        ``wait=False`` raises OverloadedError at once. Raises ServiceError after ``close``.
        """
        due, seconds = self._due(deadline)
        return self._submit(partial(call, *args), due, seconds, wait)

    def map(
        self, call: Callable[[Item], Result], items: Iterable[Item], deadline: float | None = None
    ) -> list[Result | CandlewickError]:
        """``call`` of each item, in the order of the items, all within ``deadline`` seconds from now.

        An item that fails has its error in its place and harms no other; so have those that the deadline or ``close``
        comes before. Items are taken as there is room for them. What ``items`` itself raises is raised, the rest is
        cancelled.
        """
        due, seconds = self._due(deadline)
        tasks: list[Task[Result] | CandlewickError] = []
        try:
            for item in items:
                try:
                    tasks.append(self._submit(partial(call, item), due, seconds, True))
                except ServiceError as error:
                    tasks.append(error)
            return [task.outcome() if isinstance(task, Task) else task for task in tasks]
        except BaseException:
            for task in tasks:
                if isinstance(task, Task):
                    task.cancel()
            raise

    def resize(self, workers: int) -> None:
        """From now on ``workers`` threads; running calls go on. Raises InputError, ServiceError after ``close``."""
        self._crew.resize(_whole("workers", workers))

    def drain(self, timeout: float | None = None) -> bool:
        """Wait until no task is queued or running; whether that came within ``timeout`` seconds. The pool stays open.

        From a call in the pool: False at once, since that call runs.
        """
        return self._crew.drain(self._until(timeout))

    def close(self, timeout: float | None = None) -> bool:
        """Accept no more, let accepted tasks end, end the threads; whether all have ended within ``timeout`` seconds.

        Tasks that have not started by then end with ServiceError; a call that hangs keeps its thread, a daemon. Closing
        twice is harmless. From a call in the pool nothing is waited for, and the answer is False.
        """
        return self._crew.close(self._until(timeout))

    def stats(self) -> PoolStats:
        """The pool at this moment, all figures of one."""
        crew = self._crew
        with crew.lock:
            crew.expire()
            return PoolStats(
                workers=crew.workers,
                busy=len(crew.running),
                queued=len(crew.queue),
                let_go=crew.let_go,
                done=crew.ended["done"],
                failed=crew.ended["failed"],
                cancelled=crew.ended["cancelled"],
                expired=crew.ended["expired"],
                refused=crew.refused,
                busy_seconds=crew.busy_seconds,
            )

    def _submit(self, call: Callable[[], Result], due: float, seconds: float, wait: bool) -> Task[Result]:
        job = self._crew.job(call, due, seconds)
        self._crew.put(job, wait)
        return Task(self._crew, job)

    def _due(self, deadline: float | None) -> tuple[float, float]:
        if deadline is None:
            return inf, inf
        if isinstance(deadline, bool) or not isinstance(deadline, (int, float)) or isnan(deadline):
            raise InputError("deadline", deadline, "give seconds from now")
        return self._crew.clock.monotonic() + deadline, deadline

    def _until(self, timeout: float | None) -> float:
        return inf if timeout is None else self._crew.clock.monotonic() + timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(name, value, "give a whole number above 0")
    return value
