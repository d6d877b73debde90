"""Snapshot: what follows from the flags, in one frozen value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.delivery.entry import State
from candlewick.delivery.flags import JOURNAL, default_flags
from candlewick.delivery.snapshot import SCALE, SHIFT, Snapshot, limit_of, snapshot_of, stopped, threshold_of

Build = Callable[..., Snapshot]


def test_it_is_frozen(snapshot: Build) -> None:
    with pytest.raises(FrozenInstanceError):
        snapshot().share = 100.0  # type: ignore[misc]


@given(st.integers(0, SCALE), st.integers(0, 2**64 - 1))
def test_comparing_bytes_is_comparing_buckets(threshold: int, digest: int) -> None:
    assert (digest.to_bytes(8, "big") < limit_of(threshold)) == (digest >> SHIFT < threshold)


@pytest.mark.parametrize(
    ("share", "threshold"), [(0.0, 0), (100.0, SCALE), (50.0, SCALE // 2), (0.5, round(SCALE / 200))]
)
def test_thresholds(share: float, threshold: int) -> None:
    assert threshold_of(share) == threshold


def test_half_a_percent_is_not_nought() -> None:
    assert limit_of(threshold_of(0.5)) > limit_of(threshold_of(0.4)) > limit_of(0) == b""


def test_exposed(snapshot: Build) -> None:
    assert not snapshot().exposed
    assert snapshot(rollout_percentage=0.5).exposed
    assert snapshot(rollout_allow="A").exposed
    assert not snapshot(rollout_allow="A", killed=True).exposed


def test_flags_that_a_newer_version_wrote_are_none_here() -> None:
    found = snapshot_of(State(flags={"from_the_future": 1, "max_cache_mb": 3}), default_flags())
    assert "from_the_future" not in found.flags
    assert (found.flags["max_cache_mb"].value, found.flags["max_cache_mb"].origin) == (3, JOURNAL)


def test_stopped_is_killed(snapshot: Build) -> None:
    found = stopped(snapshot(rollout_percentage=100.0, rollout_allow="A"), "bad")
    assert (found.killed, found.why, found.share, found.threshold, found.limit, found.exposed) == (
        True,
        "bad",
        0.0,
        0,
        b"",
        False,
    )


@pytest.mark.parametrize(("share", "sample"), [(0.0, 1.0), (1.0, 1.0), (10.0, 1.0), (40.0, 0.25), (100.0, 0.1)])
def test_the_share_of_v2s_requests_that_both_compute(snapshot: Build, share: float, sample: float) -> None:
    assert snapshot(rollout_percentage=share).sample == pytest.approx(sample)
