"""Results and reports: nothing measured is left out, and what is unknown blocks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import InputError
from candlewick.validator.report import Report
from candlewick.validator.result import Result, Status, judged, unknown, waived

KEYS = ["name", "status", "measured", "threshold", "evidence", "reason", "age_seconds"]


def result(status: Status) -> Result:
    if status is Status.WAIVED:
        return waived("one", "not here")
    if status is Status.UNKNOWN:
        return unknown("one", 1, {"error": "X"}, "X: it broke")
    return judged("one", status is Status.PASS, 1, 2, {"unit": "things"}, "too few")


@given(st.lists(st.sampled_from(Status)))
def test_the_verdict_passes_only_when_each_result_passes_or_is_waived(statuses: list[Status]) -> None:
    report = Report([result(status) for status in statuses])
    good = bool(statuses) and set(statuses) <= {Status.PASS, Status.WAIVED}
    assert report.passed is good
    assert report.verdict == ("pass" if good else "fail")
    assert len(report.blocking) == sum(status in (Status.FAIL, Status.UNKNOWN) for status in statuses)


@pytest.mark.parametrize("status", Status)
def test_json_has_exactly_these_members(status: Status) -> None:
    found: dict[str, Any] = json.loads(json.dumps(Report([result(status)]).as_dict(), allow_nan=False))
    assert list(found) == ["verdict", "checks"]
    (check,) = found["checks"]
    assert list(check) == KEYS
    assert check["status"] == str(status)
    missing = {name for name in ("measured", "threshold", "evidence") if check[name] is None}
    assert missing == ({"measured", "threshold", "evidence"} if status is Status.WAIVED else set())
    assert (check["reason"] is None) == (status is Status.PASS)


@pytest.mark.parametrize("part", ["measured", "threshold", "evidence"])
def test_what_was_measured_cannot_be_left_out(part: str) -> None:
    parts: dict[str, Any] = {"measured": 1, "threshold": 1, "evidence": {}} | {part: None}
    with pytest.raises(InputError, match=f"{part}: None is missing; say what speed found"):
        Result("speed", Status.PASS, **parts)


@pytest.mark.parametrize("status", [Status.FAIL, Status.UNKNOWN, Status.WAIVED])
def test_what_does_not_pass_says_why(status: Status) -> None:
    with pytest.raises(InputError, match="reason"):
        Result("speed", status, 1, 1, {}, "")
