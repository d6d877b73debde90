"""Running a checklist: every check has its turn, whatever the others do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from candlewick.errors import StoreError
from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.registry import CHECKS
from candlewick.validator.result import Result, Status, judged
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


def test_what_stands_apart_runs_beside_what_goes_by_no_clock(context: Callable[..., Context]) -> None:
    both = threading.Barrier(2)

    def meeting(_: Context) -> Result:
        both.wait(30)  # neither ends before the other has begun
        return good(_)

    checks = [Check("a", 1, meeting, timed=False), Check("b", 1, meeting, apart=True, timed=False), Check("c", 1, good)]
    report = run_checks(context(), checks)
    assert [one.status for one in report.results] == [Status.PASS] * 3


@pytest.mark.parametrize("before", [{"timed": True}, None])
def test_nothing_runs_beside_a_check_that_goes_by_a_clock(
    before: dict[str, bool] | None, context: Callable[..., Context]
) -> None:
    running: list[str] = []

    def alone(_: Context) -> Result:
        running.append("")
        assert len(running) == 1
        running.pop()
        return good(_)

    first = [] if before is None else [Check("a", 1, alone, **before)]
    checks = [*first, Check("b", 1, alone, apart=True, timed=False), Check("c", 1, alone)]
    assert run_checks(context(), checks).passed


def test_one_that_fails_beside_another_is_unknown_in_its_place(context: Callable[..., Context]) -> None:
    checks = [Check("a", 1, good, timed=False), Check("b", 5, broken, apart=True, timed=False), Check("c", 1, good)]
    found = run_checks(context(), checks).results
    assert [one.status for one in found] == [Status.PASS, Status.UNKNOWN, Status.PASS]
    assert found[1].name == "b"


def test_only_what_counts_apart_is_so() -> None:
    assert {one.name for one in CHECKS if one.apart} == {"leaks"}
    assert {one.name for one in CHECKS if not one.timed} == {"cache_hit_rate", "leaks"}


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
