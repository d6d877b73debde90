"""Flights: one computation for questions that are asked again while it is under way."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Flights(Generic[Result]):
    """Whoever asks while the same question is being answered gets that answer, or its error; neither is kept."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._under_way: dict[Hashable, Future[Result]] = {}
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many wait for what another asked first."""
        return self._waiting

    def run(self, question: Hashable, call: Callable[[], Result]) -> tuple[Result, bool]:
        """What ``call`` returns, and whether it was called here rather than waited for. Raises what it raises."""
        with self._lock:
            flight = self._under_way.get(question)
            leads = flight is None
            if flight is None:
                flight = self._under_way[question] = Future()
            self._waiting += not leads
        if not leads:
            try:
                return flight.result(), False
            finally:
                with self._lock:
                    self._waiting -= 1
        try:
            flight.set_result(call())
        except BaseException as error:
            flight.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._under_way[question]
        return flight.result(), True
