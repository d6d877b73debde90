"""Reading: the candles of one record, piece by piece, and Moved when its past is another by now."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick import Candles
from candlewick.cache import reading
from candlewick.cache.reading import Moved, Still, pieces
from candlewick.errors import UnknownSeriesError
from candlewick.store.memory import MemoryStore
from candlewick.timeframe import MINUTE, Timeframe

Maker = Callable[..., Candles]
ONE = Timeframe.parse("1m")


def times(parts) -> list[int]:
    return np.concatenate([part.microseconds for part in parts]).tolist()


@given(piece=st.integers(1, 40), start=st.integers(-5, 70), end=st.integers(-5, 70))
def test_pieces_are_the_candles_in_order(minutes: Maker, piece: int, start: int, end: int) -> None:
    store = MemoryStore()
    candles = minutes(60)
    store.upsert(candles)
    record = store.find("S", "1m")
    first = record.first
    with pytest.MonkeyPatch().context() as patched:
        patched.setattr(reading, "PIECE", piece)
        whole = list(pieces(store, record))
        assert times(whole) == candles.microseconds.tolist()
        assert max(map(len, whole)) <= piece + 1
        low, high = first + start * MINUTE, first + end * MINUTE
        part = list(pieces(store, record, low, high))
        assert times(part or [candles.rows(0, 0)]) == candles.between(low, max(low, high)).microseconds.tolist()


def test_what_is_appended_meanwhile_is_not_among_them(minutes: Maker) -> None:
    store = MemoryStore()
    store.upsert(minutes(60))
    record = store.find("S", "1m")
    store.upsert(minutes(30, 60))
    assert len(times(pieces(store, record))) == 60


def test_a_changed_past_is_noticed(minutes: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PIECE", 20)
    store = MemoryStore()
    store.upsert(minutes(60))
    reader = pieces(store, store.find("S", "1m"))
    next(reader)
    store.upsert(minutes(1, seed=9))
    with pytest.raises(Moved):
        next(reader)
    reader = pieces(store, store.find("S", "1m"))
    next(reader)
    store.delete("S")
    with pytest.raises(UnknownSeriesError):
        next(reader)


def test_a_snapshot_stands_still(minutes: Maker) -> None:
    store = MemoryStore()
    store.upsert(minutes(60))
    still = Still(store.snapshot("S", "1m"))
    store.upsert(minutes(60, seed=9))
    record = still.series
    assert times(pieces(still, record)) == minutes(60).microseconds.tolist()
    assert still.revision_before("S", ONE, record.first) == record.revision == 1
    assert still.first_changed("S", ONE, 0) is None
    assert len(still.snapshot("S", ONE, record.first, record.first + 2 * MINUTE).candles) == 2
