from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from candlewick.errors import StoreError
from candlewick.store.memory import MemoryStore
from candlewick.testing.failing_repository import FailingRepository
from candlewick.testing.repository_contract import RepositoryContract, some


class TestPassesOn(RepositoryContract):
    """Told to fail at a call that does not come, it is the store that it wraps."""

    @pytest.fixture
    def store(self) -> Iterator[FailingRepository]:
        with FailingRepository(MemoryStore(), method="upsert_many", error=StoreError("no"), at=10_000) as store:
            assert store.staging is None
            yield store


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("upsert_many", lambda store: store.upsert(some("B"))),
        ("series", lambda store: store.series()),
        ("find", lambda store: store.find("SPY", "1m")),
        ("series_of", lambda store: store.series_of("SPY")),
        ("read", lambda store: store.read("SPY", "1m")),
        ("snapshot", lambda store: store.snapshot("SPY", "1m")),
        ("revision_before", lambda store: store.revision_before("SPY", "1m")),
        ("first_changed", lambda store: store.first_changed("SPY", "1m", 0)),
        ("delete", lambda store: store.delete("SPY")),
        ("quarantine", lambda store: store.quarantine([])),
        ("quarantined", lambda store: store.quarantined()),
        ("compact", lambda store: store.compact()),
        ("close", lambda store: store.close()),
    ],
)
def test_fails_at_the_chosen_call_only(method: str, call: Any) -> None:
    inner = MemoryStore()
    inner.upsert(some())
    store = FailingRepository(inner, method=method, error=StoreError("on purpose"), at=1)
    with pytest.raises(StoreError, match="on purpose"):
        call(store)
    assert inner.read("SPY", "1m") == some(), "the failing call does not reach the store"
    call(store)
    assert store.calls[method] == 2
