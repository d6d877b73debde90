"""The row of the whole service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from candlewick.benchmarks.contest import Contest, Result
from candlewick.benchmarks.mix import Ask, Mix
from candlewick.benchmarks.service import CLASSIC, FULL, OPTIMIZED, SMALL, Day, engines, last_values, service
from candlewick.service.classic import ClassicService
from candlewick.store.open import open_store

Agree = Callable[[Contest], dict[str, Result]]


def test_both_engines_agree_and_ours_has_its_figures(agree: Agree, tmp_path: Path) -> None:
    contest = service(replace(SMALL, rounds=1), tmp_path)
    results = agree(contest)
    figures = results[OPTIMIZED].figures
    assert set(figures) == {
        "hit_rate",
        "memory_saved",
        "memory_mb",
        "memory_mb_of_classic",
        "memory_mb_full_cache",
    }
    assert 0 < figures["hit_rate"] < 1
    # A day this small can fit into what the idle process has already, so how much is saved may be anything up to all.
    used, of_classic = figures["memory_mb"] * 1e6, figures["memory_mb_of_classic"] * 1e6
    assert min(used, of_classic) >= 0
    assert figures["memory_saved"] == pytest.approx(1 - used / max(1.0, of_classic))
    assert results[CLASSIC].figures == {}
    assert results[OPTIMIZED].units == SMALL.minutes * SMALL.mix.requests


def test_the_full_row_plays_the_committed_mix() -> None:
    mix = Mix()
    assert replace(FULL.mix, minutes=mix.minutes) == mix
    assert FULL.mix.minutes == FULL.before + (FULL.rounds + 1) * FULL.minutes
    assert SMALL.mix.minutes >= SMALL.before + (SMALL.rounds + 1) * SMALL.minutes


def test_a_day_goes_on_where_it_was(tmp_path: Path) -> None:
    mix = Mix(symbols=2, sessions=5, minutes=6, requests=3)
    with open_store("memory:") as store:
        store.upsert_many(mix.history())
        day = Day(store, ClassicService(store), mix.steps())
        assert day.play(2, asking=False) == []
        assert day.outcomes.total() == 0
        assert len(day.play(1)) == 3
        assert len(day.play(2)) == 6
        assert len(day.play(5)) == 3, "the day is over"
        assert day.play(1) == []
        assert day.hit_rate == 0.0
        asked = [step.request for step in mix.steps() if isinstance(step, Ask)]
        assert len(asked) == 18
        day.close()


def test_last_values_tell_answers_apart() -> None:
    mix = Mix(symbols=1, sessions=5, minutes=1, requests=4)
    with open_store("memory:") as store:
        store.upsert_many(mix.history())
        with ClassicService(store) as classic:
            found = [classic.candles(one.request) for one in mix.asks(4)]
    values = last_values(found)
    assert list(values) == ["bars", "close", "indicator"]
    assert values["bars"].tolist() == [len(one.bars) for one in found]


def test_the_engines_of_a_measuring_process(tmp_path: Path) -> None:
    built = engines(str(tmp_path / "x.duckdb"))
    assert (built.classic.engine, built.optimized.engine) == ("classic", "optimized")
    built.close()
    with pytest.raises(Exception, match="closed"):
        built.store.series()
