"""Subscription: what can be asked for, and how what cannot is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import InputError
from candlewick.live.subscription import BACKFILL, BARS, LONGEST, MOST_BARS, Since, Subscription

ASKED = {"symbol": "A", "timeframe": "5m"}


def test_what_is_left_out() -> None:
    found = Subscription.of(ASKED)
    assert (found.id, found.bars, found.since, found.topic.engine) == ("A 5m", BARS, None, "auto")
    back = Subscription.of(ASKED | {"since": {"revision": 3, "time": 5}})
    assert (back.bars, back.since, back.topic) == (BACKFILL, Since(3, 5), found.topic)


@pytest.mark.parametrize(
    ("indicators", "name"),
    [("desk", "A 5m desk"), (["sma(9)", "ema(5)"], "A 5m sma(9),ema(5)"), ("", "A 5m"), ([], "A 5m")],
)
def test_the_usual_id_says_what_it_is(indicators: Any, name: str) -> None:
    assert Subscription.of(ASKED | {"indicators": indicators}).id == name


def test_equal_topics_are_one() -> None:
    one, other = (
        Subscription.of(ASKED | {"indicators": specs, "id": specs[0]}).topic for specs in ("sma( 9 )", ["sma(9)"])
    )
    assert one == other


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"symbol": None}, "symbol"),
        ({"symbol": ""}, "symbol"),
        ({"symbol": 3}, "symbol"),
        ({"timeframe": 5}, "timeframe"),
        ({"timeframe": "5x"}, "timeframe"),
        ({"indicators": 3}, "indicators"),
        ({"indicators": ["sma(9)", 3]}, "indicators"),
        ({"engine": "v2"}, "engine"),
        ({"bars": MOST_BARS + 1}, "bars"),
        ({"bars": True}, "bars"),
        ({"bars": 1.5}, "bars"),
        ({"id": ""}, "id"),
        ({"id": "x" * (LONGEST + 1)}, "id"),
        ({"id": 3}, "id"),
        ({"since": 3}, "since"),
        ({"since": {"revision": 1}}, "since"),
        ({"since": {"revision": -1, "time": 0}}, "since"),
        ({"since": {"revision": 1, "time": 1.5}}, "since"),
        ({"since": {"revision": 1, "time": 10**18}}, "since"),
        ({"since": {"revision": 1, "time": 1, "engine": 1}}, "since"),
        ({"color": "red"}, "member of a subscription"),
    ],
)
def test_what_cannot_be_asked(asked: dict[str, Any], parameter: str) -> None:
    with pytest.raises(InputError) as error:
        Subscription.of(ASKED | asked)
    assert error.value.parameter == parameter


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["id", "symbol", "timeframe", "indicators", "bars", "engine", "since"])


@given(asked=st.dictionaries(NAMES, VALUES), usual=st.booleans())
def test_anything_is_understood_or_refused(asked: dict[str, Any], usual: bool) -> None:
    given_ = (ASKED if usual else {}) | asked
    try:
        found = Subscription.of(given_)
    except InputError:
        return
    assert found.topic.symbol == given_["symbol"]
    assert 1 <= found.bars <= MOST_BARS
    assert 0 < len(found.id) <= LONGEST
