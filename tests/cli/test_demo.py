"""demo: shows bars, calls simulated what is simulated, and leaves nothing behind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from candlewick.cli import demo as module
from candlewick.cli.demo import chosen_store, next_steps, program

pytest.importorskip("bokeh_sampledata")


def test_the_demo_shows_bars_and_ends(run: Any, tmp_path: Path) -> None:
    ran = run("demo")
    assert ran.code == 0
    for part in (
        "Real daily candles",
        "5 symbols: AAPL, FB, GOOG, IBM, MSFT",
        "Simulated minute candles (made up",
        "SIM01 5m (simulated, made of 1m): the last 20 of 234 bars",
        "bollinger_20_2_upper",
        "Times: real daily candles ",
        "Try next:",
        "demo --store demo.duckdb",
    ):
        assert part in ran.out
    assert list(tmp_path.iterdir()) == []


def test_a_given_store_is_kept_and_answers_what_is_suggested(run: Any, tmp_path: Path) -> None:
    assert run("demo", "--store", "kept.duckdb").code == 0
    assert "0 inserted, 22,920 unchanged" in run("demo", "--store", "kept.duckdb").out
    for line in next_steps("candlewick", "kept.duckdb")[1:-1]:
        arguments = [part.strip("'") for part in line.split()[1:]]
        assert run(*arguments).code == 0


def test_the_temporary_store_is_removed() -> None:
    with chosen_store(None) as url:
        Path(url).write_text("candles")
    assert not Path(url).parent.exists()


def test_the_program_is_called_as_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    monkeypatch.setattr(sys, "argv", [".venv/bin/candlewick", "demo"])
    assert program() == ".venv/bin/candlewick"
    monkeypatch.setattr(module.shutil, "which", lambda _: "somewhere")
    assert program() == "candlewick"
    monkeypatch.setattr(sys, "argv", ["main.py"])
    assert program() == "candlewick"
