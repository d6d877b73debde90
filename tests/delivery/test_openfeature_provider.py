"""The OpenFeature provider, through OpenFeature's own client: the same answers as asking directly."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from candlewick.delivery.control import Control
from candlewick.delivery.flags import FLAGS
from candlewick.delivery.openfeature_provider import CandlewickProvider
from candlewick.delivery.routing import OPTIMIZED, route

ASKS = {
    bool: OpenFeatureClient.get_boolean_details,
    int: OpenFeatureClient.get_integer_details,
    float: OpenFeatureClient.get_float_details,
    str: OpenFeatureClient.get_string_details,
}


@pytest.fixture
def client(control: Control) -> Iterator[OpenFeatureClient]:
    api.set_provider(CandlewickProvider(control), domain="candlewick")
    yield api.get_client("candlewick")
    api.clear_providers()


def test_it_says_its_name(control: Control) -> None:
    provider = CandlewickProvider(control)
    assert provider.get_metadata().name == "candlewick"
    assert provider.get_provider_hooks() == []


@pytest.mark.parametrize("name", FLAGS)
def test_every_flag_has_its_value_by_its_type(client: Any, name: str) -> None:
    default = FLAGS[name].default
    other: Any = {bool: not default, int: 7, float: 7.0, str: "x"}[type(default)]
    found = ASKS[type(default)](client, name, other)
    assert (found.value, found.reason, found.error_code) == (default, Reason.DEFAULT, None)
    assert found.flag_metadata == {"origin": "default"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (bool, "max_cache_mb"),
        (int, "cache_enabled"),
        (int, "rollout_percentage"),
        (float, "cache_enabled"),
        (str, "max_cache_mb"),
        (float, "rollout_allow"),
    ],
)
def test_another_type_gives_the_default(client: Any, kind: type, name: str) -> None:
    found = ASKS[kind](client, name, kind(3))
    assert (found.value, found.error_code, found.reason) == (kind(3), ErrorCode.TYPE_MISMATCH, Reason.ERROR)
    assert name in found.error_message


@pytest.mark.parametrize("kind", ASKS)
def test_a_flag_that_does_not_exist_gives_the_default(client: Any, kind: type) -> None:
    found = ASKS[kind](client, "cache_enable", kind(3))
    assert (found.value, found.error_code) == (kind(3), ErrorCode.FLAG_NOT_FOUND)


def test_a_whole_number_is_a_number(client: Any) -> None:
    assert client.get_float_value("max_cache_mb", 1.0) == 512.0


def test_lists_of_keys_are_objects(client: Any, control: Control) -> None:
    control.set("rollout_allow", "B, A", who="me")
    found = client.get_object_details("rollout_allow", [])
    assert (found.value, found.reason) == (["A", "B"], Reason.STATIC)
    assert client.get_object_details("max_cache_mb", {}).error_code == ErrorCode.TYPE_MISMATCH


def test_with_a_targeting_key_it_is_what_the_rollout_says(client: Any, control: Control) -> None:
    control.set("rollout_percentage", 30, who="me")
    control.set("rollout_deny", "never", who="me")
    for key in (f"K{k}" for k in range(50)):
        found = client.get_boolean_details("use_optimized_analytics", False, EvaluationContext(key))
        assert found.value is (route(control.current, key) == OPTIMIZED)
        assert (found.reason, found.variant) == (Reason.SPLIT, route(control.current, key))
    denied = client.get_boolean_details("use_optimized_analytics", True, EvaluationContext("never"))
    assert (denied.value, denied.reason) == (False, Reason.TARGETING_MATCH)
    assert client.get_boolean_value("use_optimized_analytics", True) is False, "without a key it is the flag itself"
    control.set("use_optimized_analytics", True, who="me")
    all_on = client.get_boolean_details("use_optimized_analytics", False, EvaluationContext("K1"))
    assert (all_on.value, all_on.reason) == (True, Reason.STATIC)
    control.kill(who="me", why="bad")
    killed = client.get_boolean_details("use_optimized_analytics", True, EvaluationContext("K1"))
    assert (killed.value, killed.reason) == (False, Reason.DISABLED)


def test_asked_from_a_loop(client: Any) -> None:
    assert asyncio.run(client.get_integer_value_async("max_cache_mb", 1)) == 512
