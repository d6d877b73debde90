"""Shadow: the other engine at the same request, off the caller's path, to make a pair of outcomes for the guards."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any, Protocol

from candlewick.clock import Clock, SystemClock
from candlewick.delivery.outcome import Attempt, Pair, Result, Verdict
from candlewick.delivery.routing import CLASSIC, bucket
from candlewick.delivery.snapshot import SCALE

SALT = b"candlewick shadow"
"""Another one than any rollout's, so that being chosen has nothing to do with being enabled."""
SLOTS = 8
"""Requests that may wait; each holds V2's answer. When all are taken, nothing is chosen: a longer queue makes older
evidence, not more of it, and at a step's beginning most of it is of first requests, which say nothing about speed."""
REST = 7.0
"""Rest after a job, in times of the processor time that it took: the shadow keeps to an eighth of a core. What it waits
for others does not count: on a busy machine, as a slow V2 makes it, that would leave no evidence against V2."""
FLOOR = 1.0
"""Seconds: one request in this time is chosen whatever the share, so that little traffic still makes evidence."""

Compare = Callable[[Any, Any], Verdict | None]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A request that one engine ended as ``pair`` says, and how to run it on ``engine``. ``value``: its answer."""

    pair: Pair
    engine: str
    rerun: Callable[[], Any]
    value: Any = None


@dataclass(frozen=True)
class ShadowStats:
    """``waiting``: slots taken; ``done``: pairs made; ``declined``: requests that found no slot; ``broken``:
    comparisons that raised."""

    waiting: int
    done: int
    declined: int
    broken: int


class OffPath(Protocol):
    """Where the dispatcher leaves what need not be done before the caller has an answer."""

    def choose(self, share: float) -> bool:
        """Whether this request is computed by both engines; True takes a slot."""

    def reserve(self) -> bool:
        """Take a slot, if there is one."""

    def give_back(self) -> None:
        """Give a slot back unused."""

    def submit(self, job: Job) -> None:
        """Run a job in a slot that was taken."""


class NoShadow:
    """Nothing is chosen, nothing is run again: for direct use, where nothing is rolled out."""

    def choose(self, share: float) -> bool:  # noqa: ARG002 - the protocol's
        return False

    def reserve(self) -> bool:
        return False

    def give_back(self) -> None:
        """There are none."""

    def submit(self, job: Job) -> None:
        """Nothing takes a slot, so nothing comes here."""


class Shadow:
    """Runs jobs on daemon threads and hands the pairs to ``offer``. ``compare(v1's answer, v2's answer)`` gives a
    verdict, or None where the two are not of one moment. ``refusals``: errors that are the caller's own mistake.
    ``worked``: seconds of processor time of the thread that asks."""

    def __init__(
        self,
        compare: Compare,
        offer: Callable[[Pair], None],
        *,
        refusals: tuple[type[BaseException], ...] = (),
        clock: Clock | None = None,
        threads: int = 1,
        slots: int = SLOTS,
        rest: float = REST,
        worked: Callable[[], float] = time.thread_time,
    ) -> None:
        self._compare = compare
        self._offer = offer
        self._refusals = refusals
        self._clock = clock or SystemClock()
        self._rest = rest
        self._worked = worked
        self._busy: Callable[[], bool] = lambda: False
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._slots = threading.Semaphore(slots)
        self._count = itertools.count()
        self._floor_at = float("-inf")
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._waiting = self._done = self._declined = self._broken = 0
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"candlewick-shadow-{k}", daemon=True) for k in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def choose(self, share: float) -> bool:
        """Known before anything is computed, so that no outcome can make its own pair more likely."""
        wanted = (share >= 1.0 or bucket(SALT, str(next(self._count))) < share * SCALE) and not self._busy()
        now = self._clock.monotonic()
        if not wanted and now - self._floor_at < FLOOR:
            return False
        if not self._take():
            return False
        self._floor_at = now
        return True

    def reserve(self) -> bool:
        return not self._busy() and self._take()

    def ease(self, busy: Callable[[], bool]) -> None:
        """While ``busy()``, no more than the one request in `FLOOR` seconds is chosen, and nothing else reserved.

        That one stays: a V2 so slow that it makes the service busy must not be judged by nothing.
        """
        self._busy = busy

    def _take(self) -> bool:
        taken = not self._ended.is_set() and self._slots.acquire(blocking=False)
        with self._lock:
            self._waiting += taken
            self._declined += not taken
        return taken

    def give_back(self) -> None:
        self._slots.release()
        with self._lock:
            self._waiting -= 1
            self._idle.notify_all()

    def submit(self, job: Job) -> None:
        self._jobs.put(job)

    def stats(self) -> ShadowStats:
        """What waits and what was done since the start."""
        with self._lock:
            return ShadowStats(self._waiting, self._done, self._declined, self._broken)

    def drain(self, timeout: float | None = None) -> bool:
        """Wait until nothing waits; False when ``timeout`` seconds were not enough."""
        with self._idle:
            return self._idle.wait_for(lambda: self._waiting == 0, timeout)

    def close(self, timeout: float = 1.0) -> None:
        """Take no more, drop what waits, and let the threads end within ``timeout`` seconds, or with the process."""
        self._ended.set()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            began = self._worked()
            try:
                if not self._ended.is_set():
                    self._run(job)
            except Exception:
                with self._lock:
                    self._broken += 1
                log.exception("a pair of outcomes could not be made")
            finally:
                took = self._worked() - began
                del job
                self.give_back()
            self._ended.wait(self._rest * took)

    def _run(self, job: Job) -> None:
        attempt, value = self._attempt(job)
        pair = replace(job.pair, v1=attempt) if job.engine == CLASSIC else replace(job.pair, v2=attempt)
        if pair.v1 is not None and pair.v2 is not None and pair.v1.result is pair.v2.result is Result.ANSWERED:
            answers = (value, job.value) if job.engine == CLASSIC else (job.value, value)
            try:
                pair = replace(pair, verdict=self._compare(*answers))
            except Exception:
                with self._lock:
                    self._broken += 1
                log.exception("two answers could not be compared")
        with self._lock:
            self._done += 1
        self._offer(pair)

    def _attempt(self, job: Job) -> tuple[Attempt, Any]:
        began = self._clock.monotonic()
        try:
            value = job.rerun()
        except Exception as error:  # noqa: BLE001 - counted as this engine's outcome
            seconds = self._clock.monotonic() - began
            refused = isinstance(error, self._refusals)
            return Attempt(job.engine, seconds, type(error).__name__, refused, isinstance(error, TimeoutError)), None
        return Attempt(job.engine, self._clock.monotonic() - began), value
