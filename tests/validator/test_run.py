"""Running a checklist: every check has its turn, whatever the others do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from candlewick.errors import StoreError
from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.registry import CHECKS
from candlewick.validator.result import Result, judged
from candlewick.validator.run import evidence_of, run_checks


class Steps:
    """A clock that goes on by a second at each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def wall(self) -> int:
        return 0

    def monotonic(self) -> float:
        self.now += 1.0
        return self.now


def good(_: Context) -> Result:
    return judged("good", True, 1, 1, {"unit": "things"}, "")


def broken(_: Context) -> Result:
    raise StoreError("the disk is gone")


def test_an_error_is_unknown_with_the_error_as_evidence_and_the_next_check_runs(
    context: Callable[..., Context],
) -> None:
    report = run_checks(context(), [Check("broken", 5, broken), Check("good", 1, good)], Steps())
    first, second = report.as_dict()["checks"]
    assert (first["name"], first["status"], first["threshold"]) == ("broken", "unknown", 5)
    assert first["evidence"] == {
        "error": "StoreError",
        "text": "the disk is gone",
        "where": f"test_run.py:{broken.__code__.co_firstlineno + 1}",
    }
    assert first["reason"] == "StoreError: the disk is gone"
    assert second["status"] == "pass"
    assert not report.passed


def test_ages_count_from_the_end_of_each_check(context: Callable[..., Context]) -> None:
    report = run_checks(context(), [Check("a", 1, good), Check("b", 1, good)], Steps())
    assert [one.age_seconds for one in report.results] == [2.0, 1.0]


def test_without_a_clock_the_machines_own_is_used(context: Callable[..., Context]) -> None:
    assert run_checks(context(), [Check("a", 1, good)]).results[0].age_seconds < 60


def test_progress_is_told_which_check_runs(context: Callable[..., Context]) -> None:
    said: list[str] = []
    here = context()
    object.__setattr__(here, "progress", said.append)
    run_checks(here, [Check("a", 1, good), Check("b", 1, good)])
    assert said == ["a", "b"]


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert evidence_of(ValueError("x"))["where"] == "unknown"


def test_the_checklist_has_the_names_of_the_plan_in_their_order() -> None:
    assert " ".join(check.name for check in CHECKS) == (
        "coverage service_integration parity speed memory cache_hit_rate leaks concurrency monitoring feature_flags "
        "rollback"
    )
    thresholds: dict[str, Any] = {check.name: check.threshold for check in CHECKS}
    assert (thresholds["coverage"], thresholds["speed"]) == (95.0, 40.0)
    assert (thresholds["memory"], thresholds["cache_hit_rate"]) == (60.0, 85.0)
