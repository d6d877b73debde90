"""Arms: the last minute of each arm within a step, attempts counted before fallbacks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.delivery import arms as module
from candlewick.delivery.arms import Arms, quantile
from candlewick.delivery.outcome import Attempt, Outcome

V1, V2 = Attempt("classic", 0.02), Attempt("optimized", 0.01)
BAD_V2 = Attempt("optimized", 0.01, "RuntimeError")
REFUSED = Attempt("optimized", 0.01, "InputError", refused=True)


def outcome(
    arm: str, *attempts: Attempt, at: float = 100.0, step: int = 1, seconds: float = 0.1, **more: object
) -> Outcome:
    return Outcome("A", step, arm, at, seconds, attempts, **more)  # type: ignore[arg-type]


def test_a_v2_that_always_fails_is_seen_though_every_caller_had_an_answer() -> None:
    arms = Arms()
    for _ in range(10):
        arms.add(outcome("optimized", BAD_V2, V1, fallback=True))
        arms.add(outcome("classic", V1))
    found = arms.as_dict(1, 101.0)
    assert found["optimized"] == {
        "requests": 10,
        "errors": {"RuntimeError": 10},
        "fallbacks": 10,
        "refused": 0,
        "lost": 0,
        "p50": 0.1,
        "p95": 0.1,
        "p99": 0.1,
        "seconds": 1.0,
    }
    assert (found["classic"]["requests"], found["classic"]["errors"]) == (10, {})


def test_refusals_are_no_failures_and_what_is_lost_is() -> None:
    arms = Arms()
    arms.add(outcome("optimized", REFUSED, error="InputError"))
    arms.add(outcome("optimized", BAD_V2, error="RuntimeError"))
    arms.add(outcome("optimized", BAD_V2, Attempt("classic", 0.1, "StoreError"), fallback=True, error="StoreError"))
    found = arms.as_dict(1, 100.0)["optimized"]
    assert (found["requests"], found["refused"], found["lost"], found["errors"]) == (3, 1, 2, {"RuntimeError": 2})


def test_other_steps_and_older_minutes_do_not_dilute() -> None:
    arms = Arms()
    arms.add(outcome("optimized", V2, at=39.0))
    arms.add(outcome("optimized", V2, at=99.0, step=0))
    arms.add(outcome("optimized", BAD_V2, V1, at=50.0))
    arms.add(outcome("explicit", V2))
    found = arms.as_dict(1, 100.0)["optimized"]
    assert (found["requests"], found["errors"], found["seconds"]) == (1, {"RuntimeError": 1}, 50.0)


def test_without_requests_there_are_no_quantiles() -> None:
    assert Arms().as_dict(0, 5.0)["classic"] == {
        "requests": 0,
        "errors": {},
        "fallbacks": 0,
        "refused": 0,
        "lost": 0,
        "p50": None,
        "p95": None,
        "p99": None,
        "seconds": 0.0,
    }


def test_it_keeps_so_many_and_says_how_far_back_they_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 5)
    arms = Arms()
    for k in range(20):
        arms.add(outcome("classic", V1, at=float(k)))
    found = arms.as_dict(1, 20.0)["classic"]
    assert (found["requests"], found["seconds"]) == (5, 5.0)


@given(st.lists(st.floats(0, 10), min_size=1).map(sorted), st.integers(1, 100))
def test_a_quantile_is_the_smallest_value_that_enough_do_not_exceed(values: list[float], percent: int) -> None:
    found = quantile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)
