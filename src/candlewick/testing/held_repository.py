"""A repository that holds calls back until it is told to go on."""

from __future__ import annotations

import threading

from candlewick.store.repository import CandleRepository
from candlewick.testing.failing_repository import FailingRepository

PATIENCE = 30.0
"""Seconds after which a call that nobody let go ends in an error: a test never hangs."""


class HeldRepository(FailingRepository):
    """Passes every call on to ``store``, but while ``hold`` was called and ``let_go`` was not, calls wait."""

    def __init__(self, store: CandleRepository) -> None:
        super().__init__(store, method="", error=TimeoutError("nobody let go"))
        self._open = threading.Event()
        self._open.set()

    def hold(self) -> None:
        """From now on calls wait."""
        self._open.clear()

    def let_go(self) -> None:
        """Every waiting call goes on, and later ones do not wait."""
        self._open.set()

    def _count(self, method: str) -> None:
        if not self._open.wait(PATIENCE):
            raise self._error
        super()._count(method)
