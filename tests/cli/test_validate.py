"""validate: a table or JSON, and 1 unless everything passes or is waived."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from candlewick.validator import registry
from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.result import Result, Status, judged, unknown, waived

OUTCOMES = {
    Status.PASS: judged("one", True, 41.5, 40.0, {"unit": "% less time"}, ""),
    Status.FAIL: judged("one", False, 3, 0, {"unit": "things [missed]"}, "3 things missed"),
    Status.UNKNOWN: unknown("one", 0, {"error": "X"}, "X: it broke"),
    Status.WAIVED: waived("one", "not here"),
}


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command goes through these results: each check has its own tests."""
    seen: list[Context] = []

    def use(*statuses: Status) -> list[Context]:
        def measure(status: Status) -> Any:
            def run(context: Context) -> Result:
                seen.append(context)
                return OUTCOMES[status]

            return run

        monkeypatch.setattr(registry, "CHECKS", tuple(Check("one", 0, measure(status)) for status in statuses))
        return seen

    return use


@pytest.mark.parametrize("status", Status)
def test_the_exit_code_is_that_of_the_verdict(run: Any, checks: Any, store: Path, status: Status) -> None:
    checks(Status.PASS, status)
    ran = run("validate")
    good = status in (Status.PASS, Status.WAIVED)
    assert ran.code == (0 if good else 1)
    assert f"verdict: {'pass' if good else 'fail'}" in ran.out
    assert str(status) in ran.out


def test_the_table_shows_figures_and_reasons(run: Any, checks: Any, store: Path) -> None:
    checks(*Status)
    out = run("validate").out
    for text in ("41.5", "% less time", "things [missed]", "not here", "one: 3 things missed", "one: X: it broke"):
        assert text in out


def test_json_to_standard_output(run: Any, checks: Any, store: Path) -> None:
    checks(*Status)
    ran = run("validate", "--json", "-")
    assert ran.code == 1
    assert ran.json["verdict"] == "fail"
    assert [one["status"] for one in ran.json["checks"]] == [str(status) for status in Status]


def test_json_to_a_file_and_the_table_to_the_reader(run: Any, checks: Any, store: Path, tmp_path: Path) -> None:
    checks(Status.PASS)
    ran = run("validate", "--json", "report.json")
    assert ran.code == 0
    assert json.loads((tmp_path / "report.json").read_text())["verdict"] == "pass"
    assert "verdict: pass" in ran.out


def test_a_terminal_keeps_its_width(run: Any, checks: Any, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    checks(Status.PASS)
    assert "verdict" in run("validate").out


@pytest.mark.parametrize("profile", ["quick", "full", "release"])
def test_profiles_reach_the_checks(run: Any, checks: Any, store: Path, profile: str) -> None:
    seen = checks(Status.PASS)
    run("validate", "--profile", profile)
    assert seen[0].profile.name == profile
    assert not seen[0].folder.exists()


def test_without_a_profile_it_is_quick_and_the_store_is_the_users(run: Any, checks: Any, store: Path) -> None:
    seen = checks(Status.PASS)
    run("validate")
    assert seen[0].profile.name == "quick"
    assert seen[0].store.url.endswith(store.name)


def test_what_is_of_no_use_is_told_before_anything_is_measured(run: Any, checks: Any, store: Path) -> None:
    seen = checks(Status.PASS)
    assert run("validate", "--profile", "thorough").code == 2
    assert run("validate", "--json", "no/such/report.json").code == 2
    ran = run("validate", "--store", "absent.duckdb")
    assert ran.code == 2
    assert "absent.duckdb" in ran.err
    assert seen == []
