"""Gate: how many computations over whole series may hold their candles in memory at a time."""

from __future__ import annotations

from threading import Condition
from types import TracebackType


class Gate:
    """A context that at most ``places`` threads are in at once; the others wait. ``places`` may change at any time."""

    def __init__(self, places: int) -> None:
        self._changed = Condition()
        self._places = places
        self._inside = 0

    def resize(self, places: int) -> None:
        """Let so many in from now on; nobody inside is sent away."""
        with self._changed:
            self._places = places
            self._changed.notify_all()

    def __enter__(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._inside < self._places)
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify()
