"""Job: one call handed to a crew, and what became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from candlewick.errors import CandlewickError, EngineError

if TYPE_CHECKING:
    from candlewick.concurrency.crew import Crew


State = Literal["queued", "running", "done", "failed", "cancelled", "expired"]

LIVE = ("queued", "running")
"""The states that a job leaves, once, for one of the others."""


@dataclass(slots=True, eq=False)
class Job:
    """Written to by its crew alone, with the crew's lock held.

    ``due``: by the clock's ``monotonic``, infinite without a deadline; ``seconds``: the deadline as it was given.
    ``above``: the crews whose jobs wait for this one. A job keeps its call until that is made, then only the result.
    """

    call: Callable[[], Any] | None
    due: float
    seconds: float
    ended: threading.Condition
    above: frozenset[Crew]
    state: State = "queued"
    value: Any = None
    error: CandlewickError | None = None

    def make(self, name: str) -> tuple[Any, CandlewickError | None]:
        """Make the call, with the lock not held: its value, or its error. ``name``: the engine of an EngineError."""
        call, self.call = self.call, None
        assert call is not None  # a job is done once
        here.jobs.append(self)
        try:
            return call(), None
        except CandlewickError as error:
            return None, error
        except BaseException as error:  # noqa: BLE001 - also SystemExit: a call may end its own job, not its thread
            return None, _engine_error(name, error)
        finally:
            here.jobs.pop()
            del self, call  # the error's traceback holds this frame


class _Here(threading.local):
    """What this thread does: the jobs that it is in the midst of, and the crews that wait for them."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.crews: frozenset[Crew] = frozenset()


here = _Here()


def _engine_error(name: str, error: BaseException) -> EngineError:
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - an error that cannot say what it is must not cost the thread
        text = "its text cannot be read"
    made = EngineError(name, type(error).__name__, text)
    made.__cause__ = error
    return made
