"""The rollout as it is shown, with and without a server that reported."""

from __future__ import annotations

from collections.abc import Callable

from candlewick.delivery.snapshot import Snapshot
from candlewick.delivery.status import moment, rollout_status


def test_without_a_report(snapshot: Callable[..., Snapshot]) -> None:
    found = rollout_status(snapshot(rollout_percentage=5.0, rollout_allow="B,A"))
    assert (found["percentage"], found["killed"], found["since"], found["why"]) == (5.0, False, None, None)
    assert (found["arms"], found["guards"], found["process"], found["age_seconds"]) == ({}, {}, None, None)
    assert found["allow"] == ["A", "B"]


def test_with_one(snapshot: Callable[..., Snapshot]) -> None:
    report = {"arms": {"classic": {}}, "guards": {"failure": {}}, "serving": 7.0, "problem": "none"}
    found = rollout_status(snapshot(), report, "host:1", 2.00049)
    assert (found["arms"], found["guards"], found["serving"]) == ({"classic": {}}, {"failure": {}}, 7.0)
    assert (found["process"], found["age_seconds"], found["problem"]) == ("host:1", 2.0, "none")


def test_moments() -> None:
    assert moment(0) is None
    assert moment(1_700_000_000_123_456) == "2023-11-14T22:13:20.123Z"
