"""A repository that fails on purpose: the n-th call of a chosen method raises a chosen error."""

from __future__ import annotations

from collections import Counter

from candlewick.store.forwarding import Forwarding
from candlewick.store.repository import CandleRepository


class FailingRepository(Forwarding):
    """Passes every call on to ``store``, but raises ``error`` at call number ``at`` (from 1) of ``method``.

    The failing call does not reach the store; the ones after it do again. ``calls`` counts calls by method.
    """

    def __init__(self, store: CandleRepository, *, method: str, error: BaseException, at: int = 1) -> None:
        super().__init__(store)
        self.store = store
        self.calls: Counter[str] = Counter()
        self._method, self._error, self._at = method, error, at

    def _asked(self, method: str) -> CandleRepository:
        self._count(method)
        return self.store

    def _count(self, method: str) -> None:
        self.calls[method] += 1
        if method == self._method and self.calls[method] == self._at:
            raise self._error
