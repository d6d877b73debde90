"""Snapshots: what is sound is copied, what is not is named, and the store stays as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.candles import VALUES, Candles
from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository
from candlewick.validator.snapshot import BATCH, problem_of, spread, take_snapshot


def filled(symbols: int, sessions: int = 1) -> CandleRepository:
    store = open_store("memory:")
    store.upsert_many(list(simulate([f"S{number:03d}" for number in range(symbols)], "XNYS", sessions, 1)))
    return store


def test_a_copy_holds_the_same_candles(tmp_path: Path) -> None:
    said: list[str] = []
    with filled(BATCH + 3) as store:
        before = store.series()
        snapshot = take_snapshot(store, tmp_path / "copy.duckdb", progress=said.append)
        assert store.series() == before
        with open_store(snapshot.url) as copy:
            for one in before:
                ours, theirs = store.read(one.symbol, one.timeframe), copy.read(one.symbol, one.timeframe)
                assert np.array_equal(ours.microseconds, theirs.microseconds)
                assert all(np.array_equal(getattr(ours, name), getattr(theirs, name)) for name in VALUES)
                assert ours.calendar == theirs.calendar
    assert (snapshot.stored, len(snapshot.series), snapshot.unsound) == (BATCH + 3, BATCH + 3, ())
    assert said[-1] == f"snapshot: series {BATCH + 3} of {BATCH + 3}"
    assert snapshot.extent.startswith(f"{BATCH + 3} of {BATCH + 3} series, ")


def test_a_large_store_is_copied_in_part_and_says_so(tmp_path: Path) -> None:
    with filled(7) as store:
        snapshot = take_snapshot(store, tmp_path / "copy.duckdb", series=3, rows=100)
        newest = store.latest("S006", "1m").microseconds[0]
    assert [one.symbol for one in snapshot.series] == ["S000", "S003", "S006"]
    assert {one.rows for one in snapshot.series} == {100}
    assert snapshot.series[-1].last == newest
    assert snapshot.extent == "3 of 7 series, 300 candles"


@given(stored=st.integers(0, 40), most=st.integers(1, 50))
def test_a_part_is_spread_evenly(stored: int, most: int) -> None:
    with filled(stored) if stored else open_store("memory:") as store:
        series = store.series()
    found = spread(series, most)
    assert len(found) == len({one.symbol for one in found}) == min(stored, most)
    if len(found) > 1:
        assert (found[0], found[-1]) == (series[0], series[-1])


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("high", 0.0, "is too low"),
        ("low", 1e9, "is too high"),
        ("volume", -1.0, "is negative"),
        ("open", np.inf, "is not finite"),
        ("close", np.nan, "is not finite"),
        ("time", 0, "is not after the row above it"),
    ],
)
def test_rows_that_break_the_rules_are_found(column: str, value: float, problem: str) -> None:
    (sound,) = simulate(["A"], "XNYS", 1, 1)
    assert problem_of(sound) is None
    time = sound.microseconds.copy()
    values = {name: getattr(sound, name).copy() for name in VALUES}
    (time if column == "time" else values[column])[50] = value
    found = problem_of(Candles.trusted("A", sound.timeframe, sound.calendar, time, values))
    assert found is not None
    assert problem in found
    assert "[50]" in found


def test_of_no_candles_nothing_is_wrong() -> None:
    (sound,) = simulate(["A"], "XNYS", 1, 1)
    assert problem_of(sound.rows(0, 0)) is None
