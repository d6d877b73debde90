"""Routing: frozen answers, and the laws of a sticky share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.delivery.entry import State
from candlewick.delivery.flags import default_flags
from candlewick.delivery.routing import CLASSIC, OPTIMIZED, bucket, route, share
from candlewick.delivery.snapshot import SCALE, Snapshot, snapshot_of

Build = Callable[..., Snapshot]

GOLDEN = {
    ("", "AAPL"): 1873449808635411,
    ("salt", "AAPL"): 7313300511500610,
    ("salt", "BTC/USD"): 6758787212731352,
    ("salt", "ES|2024-03"): 4784832965439629,
    ("other", "AAPL"): 7025544471432943,
    ("salt", ""): 1670018255325160,
    ("salt", "東京"): 8977922206574104,
    ("salt", "\udc80"): 2285763515744985,
}
"""By ``b2sum -l 64`` of coreutils, shifted right by 11: a change here would move every user of a rollout under way."""

keys = st.text(max_size=12)
salts = st.text("0123456789abcdef", min_size=1, max_size=32)
percentages = st.floats(0, 100)


def at(percentage: float, salt: str = "salt") -> Snapshot:
    return snapshot_of(State(flags={"rollout_percentage": percentage}, salt=salt), default_flags())


@pytest.mark.parametrize(("salt", "key"), GOLDEN)
def test_golden_vectors(salt: str, key: str) -> None:
    assert bucket(salt.encode(), key) == GOLDEN[salt, key]


@given(salts, keys, percentages)
def test_a_key_is_enabled_when_its_bucket_is_below_the_threshold(salt: str, key: str, percentage: float) -> None:
    found = at(percentage, salt)
    assert found.threshold == round(percentage / 100 * SCALE)
    assert (route(found, key) == OPTIMIZED) == (bucket(salt.encode(), key) < found.threshold)
    assert share(found) == percentage


@given(salts, keys, percentages, percentages)
def test_more_never_takes_a_key_away(salt: str, key: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    if route(at(low, salt), key) == OPTIMIZED:
        assert route(at(high, salt), key) == OPTIMIZED


@given(keys)
def test_none_at_nought_and_all_at_a_hundred(key: str) -> None:
    assert route(at(0.0), key) == CLASSIC
    assert route(at(100.0), key) == OPTIMIZED


@pytest.mark.parametrize("percentage", [0.5, 1.0, 10.0, 50.0, 99.5])
def test_the_share_is_what_was_asked_for(percentage: float) -> None:
    count, chance = 20_000, percentage / 100
    asked = at(percentage)
    found = sum(route(asked, f"K{k}") == OPTIMIZED for k in range(count))
    assert abs(found - count * chance) <= 4 * sqrt(count * chance * (1 - chance))


def test_salts_are_independent() -> None:
    """Who is enabled under one salt says nothing about another: 10% of the 10% are in both."""
    count = 20_000
    one, other = at(10.0, "a"), at(10.0, "b")
    both = sum(route(one, f"K{k}") == route(other, f"K{k}") == OPTIMIZED for k in range(count))
    assert abs(both - count * 0.01) <= 4 * sqrt(count * 0.01 * 0.99)


def test_another_process_says_the_same() -> None:
    program = "from candlewick.delivery.routing import bucket;print([bucket(b'salt', f'K{k}') for k in range(50)])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == str([bucket(b"salt", f"K{k}") for k in range(50)])


def test_denied_is_before_allowed_and_killed_before_both(snapshot: Build) -> None:
    listed = {"rollout_allow": "A,B", "rollout_deny": "B,C"}
    assert [route(snapshot(**listed), key) for key in "ABCD"] == [OPTIMIZED, CLASSIC, CLASSIC, CLASSIC]
    all_on = snapshot(rollout_percentage=100.0, **listed)
    assert [route(all_on, key) for key in "ABCD"] == [OPTIMIZED, CLASSIC, CLASSIC, OPTIMIZED]
    killed = snapshot(killed=True, use_optimized_analytics=True, rollout_percentage=100.0, **listed)
    assert [route(killed, key) for key in "ABCD"] == [CLASSIC] * 4
    assert share(killed) == 0.0


def test_everything_on_v2_whatever_the_percentage(snapshot: Build) -> None:
    found = snapshot(use_optimized_analytics=True, rollout_percentage=1.0)
    assert share(found) == 100.0
    assert {route(found, f"K{k}") for k in range(100)} == {OPTIMIZED}
