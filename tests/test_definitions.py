"""Definitions: every value is checked by its own line of the table, and comes back from its text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.definitions import FLAGS, NUMBERS, Definition, cpus, find_flag, text_of
from candlewick.errors import InputError, UnknownNameError

DEFINED = NUMBERS | FLAGS

DESIGN = {
    "use_optimized_analytics": False,
    "cache_enabled": True,
    "concurrency_enabled": True,
    "rollout_percentage": 0.0,
    "fallback_to_v1_on_error": True,
    "detailed_metrics": True,
    "max_cache_mb": 512,
    "worker_pool_size": cpus(),
    "v2_deadline_ms": 1000,
}
"""As agreed: a change here is a change for every user."""


def test_the_flags_agreed_on() -> None:
    assert {name: FLAGS[name].default for name in DESIGN} == DESIGN


@pytest.mark.parametrize("name", DEFINED)
def test_defaults_are_within_their_own_limits_and_come_back_from_text(name: str) -> None:
    one = DEFINED[name]
    assert one.parse(one.default) == one.default
    assert one.parse(text_of(one.default)) == one.default
    assert type(one.parse(text_of(one.default))) is type(one.default)
    assert one.about


@given(st.data(), st.sampled_from([one for one in DEFINED.values() if isinstance(one.default, float)]))
def test_numbers_come_back_from_their_text(data: st.DataObject, one: Definition) -> None:
    value = data.draw(st.floats(one.low, one.high))
    assert one.parse(text_of(value)) == value == one.parse(value)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("cache_enabled", "TRUE", True),
        ("cache_enabled", " off ", False),
        ("cache_enabled", "1", True),
        ("cache_enabled", False, False),
        ("max_cache_mb", "64", 64),
        ("max_cache_mb", 64.0, 64),
        ("rollout_percentage", 5, 5.0),
        ("rollout_percentage", "0.5", 0.5),
        ("rollout_percentage", "1e-3", 0.001),
        ("rollout_allow", " B, A ,,B", "B,A"),
        ("rollout_allow", "", ""),
        ("rollout_allow", "東京,BTC/USD", "東京,BTC/USD"),
    ],
)
def test_what_is_taken(name: str, value: object, found: object) -> None:
    parsed = find_flag(name).parse(value)
    assert parsed == found
    assert type(parsed) is type(found)


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("cache_enabled", "perhaps", "give true or false"),
        ("cache_enabled", 1, "give true or false"),
        ("cache_enabled", None, "give true or false"),
        ("rollout_percentage", 100.001, "give a number from 0 to 100"),
        ("rollout_percentage", -0.001, "give a number from 0 to 100"),
        ("rollout_percentage", float("nan"), "give a number from 0 to 100"),
        ("rollout_percentage", "nan", "give a number from 0 to 100"),
        ("rollout_percentage", "inf", "give a number from 0 to 100"),
        ("rollout_percentage", True, "give a number from 0 to 100"),
        ("rollout_percentage", "ten", "give a number from 0 to 100"),
        ("rollout_percentage", [10], "give a number from 0 to 100"),
        ("max_cache_mb", 0, "give a whole number from 1 to 1,048,576"),
        ("max_cache_mb", 1.5, "give a whole number from 1 to 1,048,576"),
        ("max_cache_mb", "1.5", "give a whole number from 1 to 1,048,576"),
        ("max_cache_mb", float("inf"), "give a whole number from 1 to 1,048,576"),
        ("rollout_deny", 5, "give keys separated by commas, or nothing"),
        ("guard_alpha", 0, "from 1e-06 to 0.5"),
    ],
)
def test_what_is_refused(name: str, value: Any, right: str) -> None:
    with pytest.raises(InputError) as caught:
        find_flag(name).parse(value)
    assert (caught.value.parameter, right in caught.value.expected) == (name, True)


def test_the_parameter_can_say_where_it_stands() -> None:
    with pytest.raises(InputError, match=r"rollout_percentage \(candlewick.toml\): 200"):
        find_flag("rollout_percentage").parse(200, "rollout_percentage (candlewick.toml)")


def test_an_unknown_flag_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="nearest: cache_enabled"):
        find_flag("cache_enable")


def test_text_of() -> None:
    assert [text_of(value) for value in (True, False, 0.0, 5.0, 0.5, 7, "A,B", "")] == [
        "true",
        "false",
        "0",
        "5",
        "0.5",
        "7",
        "A,B",
        "",
    ]
