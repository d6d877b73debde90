"""indicators: the list is complete and true."""

from __future__ import annotations

from typing import Any

from candlewick.indicators import PRESETS, REGISTRY, parse_indicators


def test_every_indicator_is_described_by_what_it_is(run: Any) -> None:
    found = {row["name"]: row for row in run("indicators", "--json").json}
    assert set(REGISTRY) <= set(found)
    for row in found.values():
        (made,) = parse_indicators(row["example"])
        assert row["columns"] == list(made.columns)
        assert row["warm_up"] == made.warm_up
        assert row["signature"].startswith(row["name"])
        assert "\n" not in row["meaning"]
        assert len(row["meaning"]) > 10


def test_a_reader_sees_them_and_the_presets(run: Any) -> None:
    text = run("indicators").out
    for name in (*REGISTRY, *PRESETS):
        assert name in text
    assert "sma(period, source=close)\n    simple moving average\n    sma(20): sma_20; warm-up 19\n" in text
