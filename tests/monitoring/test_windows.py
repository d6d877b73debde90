"""Windows: what is in the last seconds of an arm, and nothing else."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.monitoring.windows import QUANTILES, Windows, quantiles

SAMPLES = st.lists(
    st.tuples(
        st.floats(0, 20),  # seconds since the one before
        st.sampled_from(["classic", "optimized", "explicit"]),
        st.floats(0, 10),
        st.sampled_from([None, None, "EngineError", "DeadlineError"]),
        st.booleans(),
    ),
    max_size=60,
)


@given(SAMPLES, st.integers(1, 20), st.floats(1, 100))
def test_a_window_holds_the_newest_samples_of_its_arm_within_its_seconds(samples, capacity, seconds):
    windows = Windows(seconds, capacity)
    now = 1000.0
    kept = []
    for pause, arm, took, error, fallback in samples:
        now += pause
        windows.add(now, arm, took, error, fallback)
        kept.append((now, arm, took, error, fallback))
    found = windows.now(now)
    assert set(found) == {arm for _, arm, *_ in kept}
    for arm, window in found.items():
        newest = [one for one in kept if one[1] == arm][-capacity:]
        right = [one for one in newest if one[0] > now - seconds]
        assert window.requests == len(right)
        assert window.errors == dict(Counter(one[3] for one in right if one[3]))
        assert window.failed == sum(window.errors.values())
        assert window.fallbacks == sum(one[4] for one in right)
        sound = [one[2] for one in right if one[3] is None]
        if sound:
            # numpy's inverted_cdf is the same definition, computed by somebody else
            assert window.latency == {
                part: float(np.quantile(sound, part, method="inverted_cdf")) for part in QUANTILES
            }
        else:
            assert window.latency == {}
        assert 0 <= window.covers <= seconds


def test_arms_are_never_mixed():
    windows = Windows(60)
    for at in range(100):
        windows.add(at * 0.1, "classic", 0.001)
    windows.add(10.0, "optimized", 5.0, "EngineError", True)
    found = windows.now(10.0)
    assert (found["classic"].failed, found["classic"].latency[0.99]) == (0, 0.001)
    assert (found["optimized"].requests, found["optimized"].failed, found["optimized"].latency) == (1, 1, {})


def test_old_samples_leave_and_the_arm_stays():
    windows = Windows(60)
    windows.add(0.0, "optimized", 1.0, "EngineError")
    assert windows.now(59.9)["optimized"].failed == 1
    gone = windows.now(60.0)["optimized"]
    assert (gone.requests, gone.errors, gone.covers) == (0, {}, 60)


def test_a_new_step_begins_with_empty_windows():
    windows = Windows(60)
    windows.add(0.0, "optimized", 1.0, "EngineError")
    assert windows.begin("10%", 5.0)
    assert windows.now(5.0) == {}
    windows.add(6.0, "optimized", 1.0)
    assert not windows.begin("10%", 7.0)
    found = windows.now(7.0)["optimized"]
    assert (found.step, found.requests, found.failed, found.covers) == ("10%", 1, 0, 2.0)


def test_a_window_that_overflows_says_how_far_it_reaches():
    windows = Windows(60, capacity=10)
    for at in range(30):
        windows.add(float(at), "classic", 0.001)
    found = windows.now(29.0)["classic"]
    assert (found.requests, found.covers) == (10, 9.0)


def test_plain_values_for_json():
    windows = Windows(60)
    windows.add(0.0, "classic", 0.25)
    assert windows.now(1.0)["classic"].as_dict() == {
        "requests": 1,
        "failed": 0,
        "errors": {},
        "fallbacks": 0,
        "latency_seconds": {"p50": 0.25, "p95": 0.25, "p99": 0.25},
        "covers_seconds": 1.0,
        "step": "",
    }


@pytest.mark.parametrize(("part", "right"), [(0.5, 10), (0.95, 19), (0.99, 20), (1.0, 20), (0.05, 1), (0.0, 1)])
def test_a_quantile_is_one_of_the_samples(part, right):
    assert quantiles(np.arange(1.0, 21.0), [part]) == {part: right}


def test_nothing_has_no_quantile():
    assert quantiles(np.empty(0)) == {}
