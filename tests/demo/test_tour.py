"""Tour: every row of the real data accounted for, the simulated data called so, the answer that of a fresh query."""

from __future__ import annotations

import pytest

from candlewick.demo.tour import SIMULATED, run_tour
from candlewick.engine.query import query
from candlewick.store.open import open_store

pytest.importorskip("bokeh_sampledata")


def test_the_tour() -> None:
    steps: list[str] = []
    with open_store("memory:") as store:
        tour = run_tour(store, steps.append)
        again = run_tour(store)
        assert len(store.symbols()) == 25
        assert set(SIMULATED) < set(store.symbols())
        answer = query(store, SIMULATED[0], "5m", "desk")
    daily = tour.daily
    assert daily.rows == daily.inserted + daily.duplicates + daily.quarantined == 12_154
    assert (daily.quarantined, daily.off_session) == (0, 0)
    assert any("AAPL: looks like a 2:1 split at 2005-02-28" in warning for warning in daily.warnings)
    assert (again.daily.inserted, again.simulated.inserted) == (0, 0)
    assert again.simulated.unchanged == tour.simulated.inserted
    assert tour.answer.bars == answer.bars
    assert tour.answer.indicators == answer.indicators
    assert len(tour.answer.bars) == 3 * 78
    assert all(seconds > 0 for seconds in tour.seconds.values())
    assert len(steps) == len(tour.seconds) == 4
