"""query: bars and indicators of a stored series, cut to a range."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import candlewick as cw
from candlewick.engine.query import source_of
from candlewick.errors import InputError, UnknownSeriesError
from candlewick.store.repository import CandleRepository
from candlewick.testing.failing_repository import FailingRepository

pytestmark = pytest.mark.kernel

Maker = Callable[..., cw.Candles]


@pytest.fixture
def store(minutes: Maker) -> CandleRepository:
    opened = cw.open_store("memory:")
    opened.upsert(minutes(400, calendar="XNYS"))
    opened.upsert(minutes(100, calendar="XNYS", minute=3))
    return opened


def test_the_range_only_cuts_what_the_whole_series_gives(store: CandleRepository, minutes: Maker) -> None:
    whole = cw.query(store, "ACME", "5m", "desk")
    part = cw.query(store, "ACME", "5m", "desk", start="2024-01-02T15:00:00Z", end="2024-01-02T10:30:00-05:00")
    assert whole.indicators is not None
    assert part.indicators == whole.indicators.between(6, 12)
    assert part.bars == whole.bars.rows(6, 12)
    assert part.source == cw.Timeframe.parse("1m")


def test_a_date_means_the_open_of_its_session(store: CandleRepository) -> None:
    assert len(cw.query(store, "ACME", "5m", end="2024-01-02").bars) == 0
    assert len(cw.query(store, "ACME", "5m", start="2024-01-02", end="2024-01-03").bars) == 78


@pytest.mark.parametrize(("timeframe", "source"), [("3m", "3m"), ("5m", "1m"), ("9m", "1m"), ("1d", "1m")])
def test_the_stored_series_of_that_timeframe_serves_else_the_finest(
    store: CandleRepository, timeframe: str, source: str
) -> None:
    assert str(cw.query(store, "ACME", timeframe).source) == source


def test_source_overrides(store: CandleRepository) -> None:
    assert str(cw.query(store, "ACME", "9m", source="3m").source) == "3m"
    with pytest.raises(InputError, match="source: '2m' is not stored; stored of ACME are: 1m, 3m"):
        cw.query(store, "ACME", "9m", source="2m")
    with pytest.raises(InputError, match="timeframe"):
        cw.query(store, "ACME", "5m", source="3m")


def test_final_only_leaves_the_forming_bar_out(store: CandleRepository, minutes: Maker) -> None:
    store.upsert(minutes(33, symbol="SHORT"))
    assert cw.query(store, "SHORT", "5m").bars.final.tolist() == [True] * 6 + [False]
    assert cw.query(store, "SHORT", "5m", final_only=True).bars.final.all()
    until = cw.query(store, "SHORT", "5m", complete_until="2024-01-02T14:40:00Z").bars.final
    assert until.tolist() == [True] * 2 + [False] * 5


def test_what_is_not_stored_is_named(store: CandleRepository, minutes: Maker) -> None:
    with pytest.raises(UnknownSeriesError, match="symbol: 'ACMI' is not in the store; nearest: ACME"):
        cw.query(store, "ACMI", "5m")
    store.upsert(minutes(10, symbol="COARSE", minute=3))
    with pytest.raises(InputError, match="timeframe: '5m' cannot be made of these; stored of COARSE are: 3m"):
        cw.query(store, "COARSE", "5m")


def test_a_range_that_ends_before_it_starts_is_refused(store: CandleRepository) -> None:
    with pytest.raises(InputError, match="end"):
        cw.query(store, "ACME", "5m", start="2024-01-03", end="2024-01-02")
    with pytest.raises(InputError, match="start: '2024-01-02T15:00:00' has no timezone"):
        cw.query(store, "ACME", "5m", start="2024-01-02T15:00:00")


def test_without_indicators_there_are_none(store: CandleRepository) -> None:
    answer = cw.query(store, "ACME", "1h")
    assert answer.indicators is None
    assert np.array_equal(answer.bars.n, [60] * 6 + [30])


def test_the_source_is_found_without_looking_at_every_series(store: CandleRepository) -> None:
    watched = FailingRepository(store, method="series", error=AssertionError("no scan"))
    one = store.series()[0]
    assert source_of(watched, one.symbol, one.timeframe) == one.timeframe
    assert watched.calls == {"series_of": 1}
