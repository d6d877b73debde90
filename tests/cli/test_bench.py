"""bench: what was measured, as a table or as JSON, and 1 when a peer computed something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from candlewick.benchmarks import run as run_module
from candlewick.benchmarks.run import run_benchmarks


@pytest.fixture(scope="module")
def report() -> Any:
    return run_benchmarks(["minutes"], quick=True)


@pytest.fixture
def measured(report: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The command is given a report made before: the contest itself has its own tests."""
    asked: list[Any] = []

    def recorded(names: Any, progress: Any, *, quick: bool) -> Any:
        asked.append((list(names), quick))
        progress("measuring")
        return report

    monkeypatch.setattr(run_module, "run_benchmarks", recorded)
    return asked


def test_json_to_standard_output(run: Any, measured: list[Any], report: Any) -> None:
    assert run("bench", "minutes", "--quick", "--json", "-").json == json.loads(json.dumps(report.as_dict()))
    assert measured == [(["minutes"], True)]


def test_json_to_a_file_and_tables_to_the_reader(run: Any, measured: list[Any], report: Any, tmp_path: Path) -> None:
    ran = run("bench", "--json", "result.json")
    assert measured == [([], False)]
    assert json.loads((tmp_path / "result.json").read_text())["rows"][0]["name"] == "minutes"
    assert "minutes:" in ran.out
    assert "candlewick" in ran.out
    assert ran.code == (0 if report.agreed else 1)


def test_a_terminal_keeps_its_width(run: Any, measured: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    assert "minutes" in run("bench").out


def test_another_answer_ends_with_1(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Differing:
        agreed = False

        def as_dict(self) -> dict[str, Any]:
            return {"agreed": False}

    monkeypatch.setattr(run_module, "run_benchmarks", lambda *_, **__: Differing())
    ran = run("bench", "--json", "-")
    assert (ran.code, ran.json) == (1, {"agreed": False})


def test_a_place_of_no_use_is_told_before_anything_is_measured(run: Any, measured: list[Any], tmp_path: Path) -> None:
    ran = run("bench", "--json", "no/such/result.json")
    assert (ran.code, measured) == (2, [])
    assert "json: 'no/such/result.json' has no folder to be in; give a file in a folder that exists" in ran.err
