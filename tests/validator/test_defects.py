"""Each seeded defect turns the right check to fail, and without it the same check passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store
from candlewick.testing.faults import corrupt_row
from candlewick.validator import (
    cache_hit_rate,
    concurrency,
    feature_flags,
    leaks,
    memory,
    monitoring,
    parity,
    rollback,
    service_integration,
    speed,
)
from candlewick.validator.context import Context
from candlewick.validator.result import Status

Make = Callable[..., Context]

CHECKS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "wrong sigma in V2": (parity, "build_wrong_sigma", {}),
    "V2 slower than V1": (speed, "build_slow", {}),
    "V2 takes more memory": (memory, "build_hoarding", {}),
    "cache never hits": (cache_hit_rate, "build_forgetful", {}),
    "a leak": (leaks, "build_leaking", {}),
    "stale answers": (concurrency, "build_stale", {}),
    "V2 breaks the contract": (service_integration, "build_nameless", {}),
    "flag out of range": (feature_flags, "build_credulous", {}),
    "rollback disabled": (rollback, "build_without_rollback", {"rollback_seconds": 1.0}),
}


LONG = ("a leak", "V2 takes more memory")
"""Measured in processes of their own."""


@pytest.mark.parametrize(
    "defect", [pytest.param(one, marks=pytest.mark.slow) if one in LONG else one for one in CHECKS]
)
def test_a_seeded_defect_fails_its_check(defect: str, context: Make) -> None:
    check, build, sizes = CHECKS[defect]
    result = check.run(context(build=build, **sizes))
    assert result.status is Status.FAIL, result.as_dict()
    assert result.name == check.NAME
    assert result.reason


def test_a_dead_metrics_endpoint_fails_monitoring(context: Make) -> None:
    result = monitoring.run(context(serve="serve_without_metrics"))
    assert result.status is Status.FAIL
    assert "503" in str(result.reason)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("high = low - 1", "is too low"),
        ("close = 'nan'::DOUBLE", "is not finite"),
        ("volume = -1", "is negative"),
        ("time = time + 60000000", "is not after the row above it"),
    ],
)
def test_a_corrupted_stored_row_fails_parity(tmp_path: Path, context: Make, change: str, problem: str) -> None:
    path = tmp_path / "candles.duckdb"
    with open_store(path) as store:
        store.upsert_many(list(simulate(["BBB"], "XNYS", 1, 5)))
    corrupt_row(path, "BBB", 100, change)
    with open_store(path) as store:
        result = parity.run(context(over=store))
    assert result.status is Status.FAIL
    assert result.measured == 1
    assert "BBB 1m" in str(result.reason)
    assert problem in str(result.reason)


HEALTHY = [service_integration, speed, cache_hit_rate, monitoring, feature_flags]
HEALTHY_SLOWLY = [pytest.param(one, marks=pytest.mark.slow) for one in (parity, concurrency, rollback, leaks)]


@pytest.mark.parametrize("check", [*HEALTHY, *HEALTHY_SLOWLY], ids=lambda one: one.NAME)
def test_without_a_defect_the_check_passes(check: Any, context: Make) -> None:
    result = check.run(context())
    assert result.status is Status.PASS, result.as_dict()
    assert result.evidence
    assert result.evidence["unit"]
