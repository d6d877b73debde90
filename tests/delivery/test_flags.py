"""Flags in force, and the share that follows."""

from __future__ import annotations

import pytest

from candlewick.delivery.flags import FLAGS, default_flags, exposed_share, find_flag, keys_of
from candlewick.errors import UnknownNameError

VALUES = {name: value for name, (value, _) in default_flags().items()}


def test_every_flag_has_a_default() -> None:
    assert default_flags() == {name: (one.default, "default") for name, one in FLAGS.items()}


@pytest.mark.parametrize(
    ("flags", "killed", "share"),
    [
        ({}, False, 0.0),
        ({"rollout_percentage": 12.5}, False, 12.5),
        ({"use_optimized_analytics": True, "rollout_percentage": 12.5}, False, 100.0),
        ({"use_optimized_analytics": True, "rollout_percentage": 100.0}, True, 0.0),
    ],
)
def test_share(flags: dict[str, object], killed: bool, share: float) -> None:
    assert exposed_share({**VALUES, **flags}, killed) == share  # type: ignore[dict-item]


def test_keys() -> None:
    assert keys_of("A,BTC/USD") == {"A", "BTC/USD"}
    assert keys_of("") == set()


def test_an_unknown_flag() -> None:
    with pytest.raises(UnknownNameError, match="flag: 'rollout_percent' is unknown; nearest: rollout_percentage"):
        find_flag("rollout_percent")
