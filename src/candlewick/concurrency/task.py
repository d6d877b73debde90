"""Task: what a worker pool gives back for a call, holding that call's own result."""

from __future__ import annotations

from math import inf
from typing import Generic, TypeVar

from candlewick.concurrency.crew import Crew
from candlewick.concurrency.job import LIVE, Job
from candlewick.errors import CandlewickError

Result = TypeVar("Result")


class Task(Generic[Result]):
    """One call in a worker pool. It ends once, with a result or an error; then it stays as it is."""

    __slots__ = ("_crew", "_job")

    def __init__(self, crew: Crew, job: Job) -> None:
        self._crew = crew
        self._job = job

    def result(self, timeout: float | None = None) -> Result:
        """What the call returned, or its error raised. Never waits past the task's deadline.

        Raises the call's own CandlewickError; EngineError for any other exception, with that one as its cause;
        DeadlineError when the task was not done by its deadline, or is not after ``timeout`` seconds (then it goes on);
        ServiceError when it was cancelled or the pool closed before it started.
        """
        self._crew.wait_for(self._job, inf if timeout is None else timeout)
        error = self._job.error
        if error is None:
            value: Result = self._job.value
            return value
        try:
            raise error
        finally:
            del self, error  # the error's traceback holds this frame

    def outcome(self) -> Result | CandlewickError:
        """What the call returned, or its error, when the task has ended; waits as ``result`` does, raises nothing."""
        self._crew.wait_for(self._job, inf)
        return self._job.value if self._job.error is None else self._job.error

    def cancel(self) -> bool:
        """End the task unless it has ended; whether this did. A queued one never starts; the call of a running one goes
        on, but nobody waits for it and what it gives is thrown away."""
        return self._crew.cancel(self._job)

    @property
    def done(self) -> bool:
        """Whether ``result`` returns or raises at once."""
        job = self._job
        return job.state not in LIVE or self._crew.clock.monotonic() >= job.due
