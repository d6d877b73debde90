"""What counts as an incident, whom it blames, and when a guard acts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.delivery.flags import default_flags
from candlewick.delivery.guards import (
    HIGH_READINGS,
    GuardSettings,
    GuardState,
    as_dict,
    blame_for_failure,
    blame_for_slowness,
    breach,
    observe,
    observe_memory,
)
from candlewick.delivery.outcome import Attempt, Pair, Verdict

SETTINGS = GuardSettings.of({name: value for name, (value, _) in default_flags().items()})
GOOD_V1, GOOD_V2 = Attempt("classic", 0.02), Attempt("optimized", 0.01)
BAD_V1, BAD_V2 = Attempt("classic", 0.02, "RuntimeError"), Attempt("optimized", 0.01, "RuntimeError")
REFUSED_V1 = Attempt("classic", 0.02, "InputError", refused=True)
REFUSED_V2 = Attempt("optimized", 0.01, "InputError", refused=True)
OVERRUN_V2 = Attempt("optimized", 1.0, "DeadlineError", overrun=True)


def pair(
    v1: Attempt | None = GOOD_V1, v2: Attempt | None = GOOD_V2, key: str = "A", at: float = 0.0, **more: Any
) -> Pair:
    return Pair(key, 1, at, v1, v2, **({"deadline": 1.0} | more))


def after(*pairs: Pair, state: GuardState | None = None, settings: GuardSettings = SETTINGS) -> GuardState:
    found = state or GuardState(step=1)
    for one in pairs:
        found = observe(found, one, settings)
    return found


def test_the_defaults_are_the_flags() -> None:
    assert GuardSettings(20.0, 5, 0.05, 3, 1.5, 0.005, 4096 * 1024 * 1024) == SETTINGS


@pytest.mark.parametrize(
    ("v1", "v2", "blame"),
    [
        (GOOD_V1, GOOD_V2, None),
        (BAD_V1, BAD_V2, None),
        (REFUSED_V1, REFUSED_V2, None),
        (GOOD_V1, BAD_V2, True),
        (GOOD_V1, REFUSED_V2, True),
        (REFUSED_V1, BAD_V2, True),
        (BAD_V1, GOOD_V2, False),
        (REFUSED_V1, GOOD_V2, False),
        (BAD_V1, REFUSED_V2, False),
        (GOOD_V1, OVERRUN_V2, True),
        # What V2 was given up on, V1 must have done in the same time.
        (Attempt("classic", 1.1), OVERRUN_V2, None),
        (Attempt("classic", 1.1), GOOD_V2, False),
        # A V2 that broke, or of which every thread hangs, makes V1 slow too: no excuse.
        (Attempt("classic", 1.1), BAD_V2, True),
        (None, BAD_V2, None),
        (GOOD_V1, None, None),
    ],
)
def test_whom_a_failure_blames(v1: Attempt | None, v2: Attempt | None, blame: bool | None) -> None:
    assert blame_for_failure(pair(v1, v2)) is blame


@pytest.mark.parametrize(
    ("first", "second", "blame"),
    [
        (0.020, 0.031, True),
        (0.020, 0.029, None),  # not 1.5 times as long
        (0.004, 0.0085, None),  # not 5 ms longer
        (0.004, 0.0095, True),
        (0.031, 0.020, False),
        (0.029, 0.020, None),
        (0.020, 0.020, None),
    ],
)
def test_whom_slowness_blames(first: float, second: float, blame: bool | None) -> None:
    found = pair(Attempt("classic", first), Attempt("optimized", second))
    assert blame_for_slowness(found, SETTINGS) is blame
    assert blame_for_slowness(replace(found, first=True), SETTINGS) is None
    assert blame_for_slowness(pair(Attempt("classic", first), BAD_V2), SETTINGS) is None
    assert blame_for_slowness(pair(BAD_V1, Attempt("optimized", second)), SETTINGS) is None


@given(st.floats(0, 10), st.floats(0, 10))
def test_slowness_is_a_mirror(one: float, other: float) -> None:
    there = blame_for_slowness(pair(Attempt("classic", one), Attempt("optimized", other)), SETTINGS)
    back = blame_for_slowness(pair(Attempt("classic", other), Attempt("optimized", one)), SETTINGS)
    assert (there, back) in {(None, None), (True, False), (False, True)}


attempts = st.builds(
    Attempt,
    st.just("e"),
    st.floats(0, 1),
    st.sampled_from([None, "RuntimeError"]),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(st.builds(pair, v1=attempts, v2=attempts, key=st.sampled_from("ABC"), at=st.floats(0, 300))))
def test_both_ending_alike_is_never_evidence_of_failure(pairs: list[Pair]) -> None:
    alike = [replace(one, v2=one.v1._replace(engine="optimized")) for one in pairs if one.v1 is not None]
    state = after(*alike)
    assert state.failure.incidents == 0
    assert state.slowness.incidents == 0
    assert breach(state, SETTINGS, 300.0) is None


def test_ten_symbols_on_which_both_fail_always_are_nothing() -> None:
    pairs = [pair(BAD_V1, BAD_V2, f"K{k % 10}", float(k)) for k in range(10_000)]
    assert breach(after(*pairs), SETTINGS, 10_000.0) is None


def test_v2_failing_on_every_request_is_found_after_ten_keys() -> None:
    state = GuardState(step=1)
    for k in range(10):
        assert breach(state, SETTINGS, float(k)) is None
        state = after(pair(GOOD_V1, BAD_V2, f"K{k}", float(k)), state=state)
    found = breach(state, SETTINGS, 9.5)
    assert found is not None
    assert found.guard == "failure"
    assert found.text == "V2 failed in 10 of 10 incidents, V1 in the others"
    assert found.evidence == {
        "incidents": 10,
        "blaming_v2": 10,
        "repeated": 0,
        "repeated_blaming_v2": 0,
        "threshold": 80.0,
        "keys": [f"K{k}" for k in reversed(range(10))],
        "pairs": 10,
        "trial": 1,
        "step": 1,
        "seconds_after_request": 0.5,
        "e_value": pytest.approx((2047 / 11 + 1) / 2),
    }
    json.dumps(found.evidence, allow_nan=False)


def test_one_key_alone_is_found_in_its_windows() -> None:
    state, k = GuardState(step=1), 0
    while breach(state, SETTINGS, 0.0) is None:
        state = after(pair(GOOD_V1, BAD_V2, "A", 20.0 * k), state=state)
        k += 1
    assert k == 10, "its repeated incidents are evidence of their own"


def test_v1_failing_where_v2_answers_is_to_v2s_credit() -> None:
    pairs = [pair(BAD_V1, GOOD_V2, f"K{k}", float(k)) for k in range(100)]
    assert breach(after(*pairs), SETTINGS, 100.0) is None


def test_a_few_bad_keys_among_many_on_which_v1_is_slower_are_found() -> None:
    """Three keys where V2 hangs, seventeen where V1 takes longer: all together would say that V2 is the better one."""
    slow_v1, slow_v2 = Attempt("classic", 0.04), Attempt("optimized", 0.2)
    state, second = GuardState(step=1), 0
    while breach(state, SETTINGS, float(second)) is None:
        second += 1
        for k in range(20):
            bad = k < 3
            state = after(pair(GOOD_V1 if bad else slow_v1, slow_v2 if bad else GOOD_V2, f"K{k}", second), state=state)
        assert second < 120
    found = breach(state, SETTINGS, float(second))
    assert found is not None
    assert found.guard == "slowness"
    assert set(found.evidence["keys"]) == {"K0", "K1", "K2"}


def test_later_trials_need_more() -> None:
    pairs = [pair(GOOD_V1, BAD_V2, f"K{k}", float(k)) for k in range(10)]
    assert breach(after(*pairs, state=GuardState(step=1, trial=1)), SETTINGS, 9.0) is not None
    assert breach(after(*pairs, state=GuardState(step=1, trial=2)), SETTINGS, 9.0) is None


def test_the_minimum_holds_back() -> None:
    strict = replace(SETTINGS, minimum=30)
    pairs = [pair(GOOD_V1, BAD_V2, f"K{k}", float(k)) for k in range(30)]
    assert breach(after(*pairs[:29]), strict, 29.0) is None
    assert breach(after(*pairs), strict, 29.0) is not None
    eager = replace(SETTINGS, minimum=1, alpha=0.5)
    assert breach(after(*pairs[:5]), eager, 5.0) is None
    assert breach(after(*pairs[:6]), eager, 5.0) is not None


def test_wrong_numbers_of_three_keys_or_windows_roll_back() -> None:
    wrong = [pair(key=key, at=at, verdict=Verdict.MISMATCH) for key, at in (("A", 0.0), ("A", 5.0), ("B", 6.0))]
    assert breach(after(*wrong), SETTINGS, 6.0) is None, "two incidents"
    found = breach(after(*wrong, pair(key="A", at=20.0, verdict=Verdict.MISMATCH)), SETTINGS, 21.0)
    assert found is not None
    assert (found.guard, found.evidence["keys"], found.evidence["threshold"]) == ("mismatch", ["A", "B"], 3)
    assert found.text == "3 wrong answers of V2, by the exact value"


@pytest.mark.parametrize("verdict", [None, Verdict.EQUAL, Verdict.V1_INEXACT])
def test_where_v2_is_right_or_nobody_knows_nothing_counts(verdict: Verdict | None) -> None:
    pairs = [pair(key=f"K{k}", at=float(k), verdict=verdict) for k in range(100)]
    state = after(*pairs)
    assert (state.mismatch.incidents, state.pairs) == (0, 100)
    assert breach(state, SETTINGS, 100.0) is None


def test_pairs_that_nobody_chose_are_for_the_eye() -> None:
    pairs = [pair(GOOD_V1, BAD_V2, f"K{k}", float(k), chosen=False) for k in range(100)]
    state = after(*pairs, pair(chosen=False))
    assert (state.unchosen, state.pairs, state.failure.incidents) == (100, 0, 0)


def test_pairs_of_another_step_or_with_an_engine_missing_change_nothing() -> None:
    state = after(pair(GOOD_V1, BAD_V2))
    for other in (replace(pair(GOOD_V1, BAD_V2, "B"), step=2), pair(None, BAD_V2, "B"), pair(GOOD_V1, None, "B")):
        assert observe(state, other, SETTINGS) is state


def test_memory_above_the_ceiling_three_times_in_a_row() -> None:
    high = SETTINGS.memory_ceiling + 1
    state = GuardState(step=1)
    for used, exposed in ((high, True), (high, True), (high - 1, True), (high, True), (high, False), (high, True)):
        state = observe_memory(state, used, exposed, SETTINGS)
        assert breach(state, SETTINGS, 0.0) is None
    for _ in range(HIGH_READINGS - 1):
        state = observe_memory(state, high, True, SETTINGS)
    found = breach(state, SETTINGS, 0.0)
    assert found is not None
    assert found.guard == "memory"
    assert found.text == "the process takes 4096 MiB, above 4096"
    assert found.evidence["bytes"] == high


def test_what_is_shown_is_json_and_says_what_each_guard_waits_for() -> None:
    state = after(pair(GOOD_V1, BAD_V2), pair(key="B", verdict=Verdict.MISMATCH))
    shown = json.loads(json.dumps(as_dict(state, SETTINGS), allow_nan=False))
    assert shown["failure"] == {
        "incidents": 1,
        "blaming_v2": 1,
        "e_value": 1.25,
        "threshold": 80.0,
        "minimum": 5,
        "keys": ["A"],
    }
    assert shown["mismatch"] == {"incidents": 1, "threshold": 3, "keys": ["B"]}
    assert shown["memory"]["threshold"] == SETTINGS.memory_ceiling
    assert (shown["pairs"], shown["alpha"], shown["window_seconds"]) == (2, 0.05, 20.0)
