"""A store as of a moment answers as that store does when it is asked as of the moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from candlewick.errors import NaiveTimeError, StoreError, UnknownSeriesError
from candlewick.store.memory import MemoryStore
from candlewick.store.then import Then, known_at
from candlewick.testing.stored_candles import START, refused, some
from candlewick.timeframe import MINUTE


@pytest.fixture
def store() -> MemoryStore:
    held = MemoryStore()
    held.upsert(some())
    held.upsert(some(minutes=[2, 9], price=50))
    held.upsert(some(timeframe="5m"))
    held.upsert(some("B"))
    held.delete("B")
    return held


def test_every_question_is_asked_as_of_the_moment(store: MemoryStore) -> None:
    first = store.writes("SPY", "1m")[0].written_at
    then = known_at(store, first)
    questions: list[Callable[[Any, Any], Any]] = [
        lambda place, more: place.series(**more),
        lambda place, more: place.series_of("SPY", **more),
        lambda place, more: place.find("SPY", "1m", **more),
        lambda place, more: place.read("SPY", "1m", **more),
        lambda place, more: place.read("SPY", "1m", START + MINUTE, START + 4 * MINUTE, **more),
        lambda place, more: place.snapshot("SPY", "1m", None, START + 4 * MINUTE, **more),
        lambda place, more: place.count("SPY", "1m", **more),
        lambda place, more: place.date_range("SPY", "1m", **more),
        lambda place, more: place.revision_before("SPY", "1m", START + 1, **more),
        lambda place, more: place.first_changed("SPY", "1m", 0, **more),
    ]
    for question in questions:
        assert question(then, {}) == question(store, {"as_of": first})
        later = {"as_of": first + 10**9}
        assert question(then, later) == question(store, later), "a moment that is named counts"
    assert then.symbols() == ["SPY"]
    assert then.latest("SPY", "1m") == some(minutes=[4])
    assert then.earliest("SPY", "1m") == some(minutes=[0])
    assert then.writes("SPY", "1m") == store.writes("SPY", "1m")[:1]
    assert then.revision_at("SPY", "1m", first) == 1


def test_without_a_moment_it_is_the_store(store: MemoryStore) -> None:
    assert known_at(store, None) is store
    with pytest.raises(NaiveTimeError, match="as_of"):
        known_at(store, "2024-01-02")


def test_a_symbol_that_was_not_there_says_why(store: MemoryStore) -> None:
    first = store.writes("SPY", "1m")[0].written_at
    with pytest.raises(UnknownSeriesError, match="they came at"):
        Then(store, first - 1).series_of("SPY")
    assert Then(store, first - 1).series() == []
    assert Then(store, first).series_of("nothing") == []
    assert Then(store, 2 * first).series_of("B") == []


def test_rows_refused_since_are_not_there(store: MemoryStore) -> None:
    store.quarantine([refused()])
    assert Then(store, refused().at).quarantined() == [refused()]
    assert Then(store, refused().at - 1).quarantined("SPY") == []


def test_it_cannot_be_written_to(store: MemoryStore) -> None:
    then = Then(store, START)
    calls: list[Callable[[], Any]] = [
        lambda: then.upsert(some()),
        lambda: then.delete("SPY"),
        lambda: then.purge(START),
        lambda: then.quarantine([]),
        then.compact,
    ]
    for call in calls:
        with pytest.raises(StoreError, match=r"memory: as of 2024-01-02T14:30:00Z cannot be written to"):
            call()
    then.close()
    assert store.symbols() == ["SPY"], "the store stays open"
