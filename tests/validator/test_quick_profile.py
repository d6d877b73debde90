"""The whole checklist in its quick profile over real candles: every check measured, verdict pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from candlewick.sources.ingest import ingest
from candlewick.store.open import open_store
from candlewick.validator.context import temporary_context
from candlewick.validator.registry import CHECKS
from candlewick.validator.run import run_checks


@pytest.mark.slow
def test_on_a_store_with_spy_and_ibm_all_checks_pass(shared_data: Path, tmp_path: Path) -> None:
    with open_store(tmp_path / "candles.duckdb") as store:
        ingest(store, [shared_data / "minute" / f"{name}.csv" for name in ("SPY", "IBM")], calendar="XNYS")
        before = store.series()
        with temporary_context(store) as context:
            report = run_checks(context, CHECKS)
        assert store.series() == before
    assert report.passed, [result.as_dict() for result in report.blocking]
    waived = [result.name for result in report.results if result.measured is None]
    assert waived == ["coverage"]
