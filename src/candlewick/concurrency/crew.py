"""Crew: the threads of a worker pool, its queue and the one lock over both.

1. A job is queued (`put`), or done at once by a thread of the crew's own (`_do_here`), which could wait for ever.
2. A thread takes the oldest job (`_next`) and does it (`_do`); whatever the call raises ends that job and nothing else.
3. A job ends once (`_end`). Its result lies in itself: there is no channel from which another could take it.
4. A running call cannot be stopped. When its job is cancelled or expires, the thread is let go (`_let_go`): what the
   call gives is thrown away, and another thread takes its place until it returns, up to as many again as there are
   workers: a call that hangs costs a thread, not a place.
5. Whoever waits (`wait`) ends what is past its deadline, so no thread is needed to watch the clock.

No call of a job is made with the lock held. The lock is re-entrant, since the collector may drop a pool (`dismiss`) at
any moment, also in a thread that holds it.
"""

from __future__ import annotations

import atexit
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from math import inf
from typing import Any

from candlewick.clock import Clock
from candlewick.concurrency.job import LIVE, Job, State, here
from candlewick.errors import CandlewickError, DeadlineError, OverloadedError, ServiceError

EXIT_GRACE = 3.0
"""Seconds that accepted jobs have when the interpreter ends with a pool open: a server must end within 5."""


class Crew:
    """At most ``workers`` jobs at a time, at most ``capacity`` queued. Threads start when there is work for them."""

    def __init__(self, workers: int, capacity: int, name: str, clock: Clock) -> None:
        self.workers = workers
        self.capacity = capacity
        self.name = name
        self.clock = clock
        self.lock = threading.RLock()
        self.queue: OrderedDict[Job, None] = OrderedDict()
        self.running: set[Job] = set()
        self.let_go = 0
        self.live = 0
        self.closing = False
        self.ended: dict[State, int] = {"done": 0, "failed": 0, "cancelled": 0, "expired": 0}
        self.refused = 0
        self.busy_seconds = 0.0
        self._work = threading.Condition(self.lock)
        self._room = threading.Condition(self.lock)
        self._rest = threading.Condition(self.lock)
        self._due = inf  # no live job is due before it
        self._started = 0
        self._threads: set[threading.Thread] = set()
        _open.add(self)

    def job(self, call: Callable[[], Any], due: float, seconds: float) -> Job:
        return Job(call, due, seconds, threading.Condition(self.lock), here.crews)

    def inside(self) -> bool:
        """Whether this thread works for the crew, itself or for a job of the crew that waits in another pool."""
        return self in here.crews

    def put(self, job: Job, wait: bool) -> None:
        """Queue a job. A full queue: wait for room until the job is due, or raise OverloadedError at once."""
        if self.inside():  # also while closing: the job that asks was accepted
            self._do_here(job)
            return
        with self.lock:
            if self._full():
                self.expire()
            if self._full() and not wait and not self.closing:
                self.refused += 1
                raise OverloadedError(len(self.queue), self._retry_after())
            room = self.wait(self._room, lambda: self.closing or not self._full(), job.due)
            if self.closing:
                raise ServiceError(f"pool {self.name}: is closed")
            if not room:
                self._end(job, "expired")
                return
            self.queue[job] = None
            self._due = min(self._due, job.due)
            try:
                self._call_up()
            except RuntimeError as error:
                del self.queue[job]
                raise ServiceError(f"pool {self.name}: no thread can be started: {error}") from error

    def wait_for(self, job: Job, timeout: float) -> None:
        """Return when the job has ended. Raises DeadlineError after ``timeout`` seconds; the job goes on."""
        with self.lock:
            if job.state not in LIVE:
                return
            if job in here.jobs:
                raise ServiceError(f"pool {self.name}: a task cannot wait for itself")
            help_it = job.state == "queued" and self.inside()
            if help_it:  # this thread could be the only one that would ever come to it
                self._take(job)
            else:
                until = self.clock.monotonic() + timeout
                if self.wait(job.ended, lambda: job.state not in LIVE, min(until, job.due)):
                    return
                if until < job.due:
                    raise DeadlineError(timeout)
                self._end(job, "expired")  # done in a thread that has another job: not among the running
        if help_it:
            self._do_here(job)

    def cancel(self, job: Job) -> bool:
        """End a live job. Queued: it never starts; running: whoever waits is let go. False when it had ended."""
        with self.lock:
            if job.state not in LIVE:
                return False
            queued = job in self.queue
            self._let_go(job)
            self._end(job, "cancelled")
        if queued:
            job.call = None  # what is never called keeps nothing alive
        return True

    def resize(self, workers: int) -> None:
        with self.lock:
            if self.closing:
                raise ServiceError(f"pool {self.name}: is closed")
            self.workers = workers
            self._work.notify_all()
            self._call_up()

    def drain(self, until: float) -> bool:
        """Wait until nothing is queued or running; False when ``until`` came first, or in a thread of its own."""
        if self.inside():
            return False
        with self.lock:
            return self.wait(self._rest, lambda: not self.queue and not self.running, until)

    def dismiss(self) -> None:
        """Accept no more; the threads end when the queue is empty. Never waits."""
        with self.lock:
            self.closing = True
            self._work.notify_all()
            self._room.notify_all()

    def close(self, until: float) -> bool:
        """Dismiss, let accepted jobs end and join the threads; True when none is left. What has not started by
        ``until`` fails. In a thread of its own: dismiss only, since that thread cannot wait for itself."""
        self.dismiss()
        if self.inside():
            return False
        if not self.drain(until):
            with self.lock:
                for job in list(self.queue):
                    self._take(job)
                    self._end(job, "failed", error=ServiceError(f"pool {self.name}: closed before it started"))
        threads = self._threads
        for thread in threads:
            left = until - self.clock.monotonic()
            thread.join(None if left == inf else max(0.0, left))
        return not any(thread.is_alive() for thread in threads)

    def wait(self, condition: threading.Condition, ready: Callable[[], bool], until: float) -> bool:
        """Wait, with the lock held, until ``ready``; False when ``until`` came first. Ends jobs that fall due."""
        while not ready():
            now = self.clock.monotonic()
            if now >= self._due:
                self.expire()
            elif now >= until:
                return False
            else:
                left = min(until, self._due) - now
                condition.wait(None if left == inf else min(left, threading.TIMEOUT_MAX))
        return True

    def expire(self) -> None:
        """End, with the lock held, what is past its deadline."""
        now = self.clock.monotonic()
        live = [*self.queue, *self.running]
        for job in live:
            if now >= job.due:
                self._let_go(job)
                self._end(job, "expired")
        self._due = min((job.due for job in live if job.state in LIVE), default=inf)

    def _take(self, job: Job) -> None:
        del self.queue[job]
        self._room.notify()

    def _let_go(self, job: Job) -> None:
        if job in self.queue:
            self._take(job)
        elif job in self.running:
            self.running.remove(job)
            self.let_go += 1
            self._call_up()

    def _end(self, job: Job, state: State, value: Any = None, error: CandlewickError | None = None) -> None:
        if state == "cancelled":
            error = ServiceError(f"pool {self.name}: the task was cancelled")
        elif state == "expired":
            error = DeadlineError(job.seconds)
        job.state, job.value, job.error = state, value, error
        self.ended[state] += 1
        job.ended.notify_all()
        if not self.queue and not self.running:
            self._rest.notify_all()

    def _full(self) -> bool:
        return len(self.queue) >= self.capacity

    def _retry_after(self) -> float:
        finished = sum(self.ended.values())
        each = self.busy_seconds / finished if finished else 1.0
        return round(min(60.0, max(0.1, each * len(self.queue) / self.workers)), 1)

    def _wanted(self) -> int:
        return self.workers + min(self.let_go, self.workers)

    def _call_up(self) -> None:
        """Threads for what is queued, idle ones first. RuntimeError when there is none and none can be started."""
        idle = self.live - len(self.running) - self.let_go
        for _ in range(min(len(self.queue) - idle, self._wanted() - self.live)):
            self._started += 1
            thread = threading.Thread(target=self._serve, name=f"{self.name}-{self._started}", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system's limit, or the interpreter ends
                if self.live == 0:
                    raise
                break
            self.live += 1
            self._threads = {one for one in self._threads if one.is_alive()} | {thread}
        self._work.notify()

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            self._do(job)
            del job  # an idle thread keeps no result alive

    def _next(self) -> Job | None:
        """The oldest job that is not past its deadline; None: this thread is not needed any more."""
        with self.lock:
            while self.live <= self._wanted():
                if self.clock.monotonic() >= self._due:
                    self.expire()
                if self.queue:
                    job = next(iter(self.queue))
                    self._take(job)
                    job.state = "running"
                    self.running.add(job)
                    return job
                if self.closing:
                    break
                self._work.wait()
            self.live -= 1
            self._work.notify()  # it may have been woken for a job
            return None

    def _do(self, job: Job) -> None:
        here.crews = job.above | {self}
        began = self.clock.monotonic()
        value, error = job.make(self.name)
        now = self.clock.monotonic()
        here.crews = frozenset()
        with self.lock:
            self.busy_seconds += now - began
            if job in self.running:
                self.running.remove(job)
                self._finish(job, now, value, error)
            else:
                self.let_go -= 1
        del job, error  # the error's traceback holds this frame: what failed would live until the collector comes

    def _do_here(self, job: Job) -> None:
        """In the caller's own thread, which counts as busy already."""
        with self.lock:
            if self.clock.monotonic() >= job.due:
                self._end(job, "expired")
                return
            job.state = "running"
        value, error = job.make(self.name)
        with self.lock:
            if job.state == "running":
                self._finish(job, self.clock.monotonic(), value, error)
        del job, error

    def _finish(self, job: Job, now: float, value: Any, error: CandlewickError | None) -> None:
        if now >= job.due:  # too late is too late, whether or not somebody waited
            self._end(job, "expired")
        else:
            self._end(job, "done" if error is None else "failed", value, error)


_open: weakref.WeakSet[Crew] = weakref.WeakSet()


@atexit.register
def _leave() -> None:
    """Daemon threads that hang cannot hold up the end; cut off in native code they may crash, so they get a while."""
    for crew, until in [(crew, crew.clock.monotonic() + EXIT_GRACE) for crew in _open]:
        crew.close(until)
