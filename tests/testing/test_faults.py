"""Seeded defects have the one defect that they are named for, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from candlewick.candles import Candles
from candlewick.errors import InputError, UnknownSeriesError
from candlewick.service.answer import Answer
from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.service.request import Request
from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository
from candlewick.testing import faults
from candlewick.testing.faults import Changing, Credulous, Forgetful, Leaking, Slow, Stale, WrongSigma, corrupt_row

ASKED = Request.of("AAA", "5m", "bollinger(20,2) bollinger(5,1) sma(9)")


@pytest.fixture
def store() -> Iterator[CandleRepository]:
    with open_store("memory:") as opened:
        opened.upsert_many(list(simulate(["AAA"], "XNYS", 2, 5)))
        yield opened


@pytest.fixture
def service(store: CandleRepository) -> Iterator[OptimizedService]:
    with OptimizedService(store) as engine:
        yield engine


def test_wrong_sigma_widens_the_bands_and_leaves_all_else(service: OptimizedService) -> None:
    right, wrong = service.candles(ASKED), WrongSigma(service).candles(ASKED)
    changed = [name for name, column in right.columns.items() if not same(column, wrong.columns[name])]
    assert changed == [f"bollinger_{kind}_{side}" for kind in ("20_2", "5_1") for side in ("upper", "lower")]
    middle = right.indicators["bollinger_20_2_middle"]
    factor = (wrong.indicators["bollinger_20_2_upper"] - middle)[30] / (
        right.indicators["bollinger_20_2_upper"] - middle
    )[30]
    assert factor == pytest.approx(np.sqrt(20 / 19))
    assert wrong.json() != right.json()


def same(left: Any, right: Any) -> bool:
    return bool(np.array_equal(left, right, equal_nan=left.dtype.kind == "f"))


@pytest.mark.parametrize("fault", [WrongSigma, Leaking])
def test_every_way_to_ask_has_the_defect(fault: type[Changing], service: OptimizedService) -> None:
    engine = fault(service)
    assert engine.cached(ASKED) is None
    answer = engine.candles(ASKED)
    batch, error = engine.candles_many([ASKED, Request.of("ZZZ", "5m")])
    kept = engine.cached(ASKED)
    assert isinstance(error, UnknownSeriesError)
    assert isinstance(batch, Answer)
    assert kept is not None
    assert all(same(answer.columns[name], kept.columns[name]) for name in answer.columns)
    assert all(same(answer.columns[name], batch.columns[name]) for name in answer.columns)
    if isinstance(engine, Leaking):
        assert len(engine.left) == 3


def test_a_slow_engine_waits_for_the_other_one(store: CandleRepository, service: OptimizedService) -> None:
    asked: list[Request] = []

    class Counting(ClassicService):
        def candles(self, request: Request) -> Answer:
            asked.append(request)
            return super().candles(request)

    with Counting(store) as other:
        engine = Slow(service, other)
        assert engine.cached(ASKED) is None
        assert not asked
        answer = engine.candles(ASKED)
        batch, error = engine.candles_many([ASKED, Request.of("ZZZ", "5m")])
        kept = engine.cached(ASKED)
    assert len(asked) == 4
    assert isinstance(error, UnknownSeriesError)
    assert isinstance(batch, Answer)
    assert kept is not None
    assert answer.engine == batch.engine == kept.engine == "optimized"


def test_a_change_has_to_be_said(service: OptimizedService) -> None:
    with pytest.raises(NotImplementedError):
        Changing(service).candles(ASKED)


def test_a_forgetful_engine_cannot_be_told_to_remember(service: OptimizedService) -> None:
    engine = Forgetful(service)
    engine.reconfigure(cache_enabled=True, max_cache_mb=64)
    assert {engine.candles(ASKED).cache for _ in range(3)} == {"none"}


def test_a_stale_engine_does_not_see_writes(store: CandleRepository, service: OptimizedService) -> None:
    engine = Stale(service)
    before = engine.candles(ASKED)
    (candles,) = simulate(["AAA"], "XNYS", 1, 99)
    store.upsert(candles)
    after = engine.candles(ASKED)
    assert same(before.bars.close, after.bars.close)
    assert after.revision > before.revision


def test_a_credulous_application_acknowledges_what_it_does_not_do() -> None:
    class Strict:
        name = "strict"

        def set_flag(self, name: str, value: Any, who: str, why: str) -> str:
            if value == "bad":
                raise InputError(name, value, "give something good")
            return "done"

    application = Credulous(Strict())
    assert application.name == "strict"
    assert application.set_flag("x", "good", "me") == "done"
    assert application.set_flag("x", "bad", "me") is None


@pytest.mark.parametrize(
    "name",
    ["wrong_sigma", "slow", "forgetful", "leaking", "hoarding", "stale", "nameless", "without_rollback", "credulous"],
)
def test_every_defective_application_answers(name: str, tmp_path: Path, store: CandleRepository) -> None:
    built = getattr(faults, f"build_{name}")(store, tmp_path / "control.sqlite")
    try:
        assert len(built.candles(ASKED, "optimized").answer.bars) > 100
    finally:
        built.close()


def test_a_fault_may_sit_on_an_engine_that_is_given(tmp_path: Path, service: OptimizedService) -> None:
    path = tmp_path / "x.duckdb"
    with open_store(path) as stored:
        stored.upsert_many(list(simulate(["AAA"], "XNYS", 1, 5)))
        built = faults.build_leaking(stored.url, tmp_path / "control.sqlite", optimized=service)
        assert isinstance(built.optimized, Leaking)
        assert built.optimized.inner is service
        built.close()


def test_a_row_is_corrupted_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    (candles,) = simulate(["AAA"], "XNYS", 1, 5)
    with open_store(path) as stored:
        stored.upsert(candles)
    corrupt_row(path, "AAA", 7, "volume = volume + 1")
    with open_store(path) as stored:
        found: Candles = stored.read("AAA", "1m")
    assert np.flatnonzero(found.volume != candles.volume).tolist() == [7]
    assert same(found.close, candles.close)
