"""How an attempt ended."""

from __future__ import annotations

import pytest

from candlewick.delivery.outcome import Attempt, Pair, Result


@pytest.mark.parametrize(
    ("attempt", "result"),
    [
        (Attempt("classic", 0.1), Result.ANSWERED),
        (Attempt("classic", 0.1, "InputError", refused=True), Result.REFUSED),
        (Attempt("classic", 0.1, "RuntimeError"), Result.FAILED),
        (Attempt("optimized", 0.1, "DeadlineError", overrun=True), Result.FAILED),
    ],
)
def test_result(attempt: Attempt, result: Result) -> None:
    assert attempt.result is result


def test_a_pair_is_evidence_unless_it_says_otherwise() -> None:
    pair = Pair("A", 1, 0.0, None, None)
    assert (pair.chosen, pair.first, pair.verdict) == (True, False, None)
