"""Entries: the state is their fold, and a kill leaves nothing that exposes anybody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.delivery.entry import HARMLESS, Change, Entry, State, exposes, fold, step_after, to_set
from candlewick.delivery.flags import default_flags, exposed_share
from candlewick.errors import KilledError

VALUES = {name: value for name, (value, _) in default_flags().items()}


def entry(seq: int, what: str, name: str = "", new: object = None, step: int = 0) -> Entry:
    return Entry(seq, 1000 * seq, "me", what, name, None, new, f"why {seq}", {}, step)


exposing = st.sampled_from(
    [("rollout_percentage", 10.0), ("use_optimized_analytics", True), ("rollout_allow", "A"), ("max_cache_mb", 7)]
)


@given(st.lists(exposing, max_size=5))
def test_a_kill_and_its_end_expose_nobody(before: list[tuple[str, object]]) -> None:
    entries = [entry(1, "create", "salt", "s")]
    entries += [entry(k + 2, "set", name, value) for k, (name, value) in enumerate(before)]
    killed = fold([*entries, entry(50, "kill")])
    assert killed.killed
    cleared = fold([entry(51, "clear")], killed)
    assert (cleared.killed, cleared.cleared, cleared.why) == (False, True, "")
    assert {name: cleared.flags[name] for name in HARMLESS} == HARMLESS
    assert exposed_share({**VALUES, **cleared.flags}, cleared.killed) == 0.0
    assert cleared.flags.get("max_cache_mb") == fold(entries).flags.get("max_cache_mb")


@given(st.integers(0, 5), st.lists(exposing, max_size=5))
def test_folding_in_two_parts_is_folding_at_once(cut: int, sets: list[tuple[str, object]]) -> None:
    entries = [entry(1, "create", "salt", "s")]
    entries += [entry(k + 2, "set", name, value, step=k) for k, (name, value) in enumerate(sets)]
    assert fold(entries[cut:], fold(entries[:cut])) == fold(entries)


@pytest.mark.parametrize("name", HARMLESS)
def test_while_killed_exposure_is_refused_and_the_way_out_is_named(name: str) -> None:
    value = {"rollout_percentage": 0.5, "use_optimized_analytics": True, "rollout_allow": "A"}[name]
    state = State(killed=True, why="wrong numbers")
    with pytest.raises(KilledError, match=rf"{name}: .*wrong numbers.*candlewick rollout clear --why"):
        to_set(state, VALUES, name, value, "s")
    assert to_set(state, VALUES, name, HARMLESS[name], "s") == [Change("set", name, VALUES[name], HARMLESS[name])]


def test_the_first_exposure_after_a_clear_begins_a_rollout_with_a_salt_of_its_own() -> None:
    cleared = State(cleared=True, salt="old")
    changes = to_set(cleared, VALUES, "rollout_percentage", 1.0, "new")
    assert [(one.what, one.new) for one in changes] == [("begin", "new"), ("set", 1.0)]
    assert [one.what for one in to_set(cleared, VALUES, "rollout_percentage", 0.0, "new")] == ["set"]
    assert [one.what for one in to_set(cleared, VALUES, "max_cache_mb", 1, "new")] == ["set"]
    begun = fold([entry(1, "begin", "salt", "new")], cleared)
    assert (begun.salt, begun.rollout, begun.cleared) == ("new", cleared.rollout + 1, False)
    assert [one.what for one in to_set(begun, VALUES, "rollout_percentage", 5.0, "newer")] == ["set"]


def test_a_step_is_a_change_of_the_share_not_of_a_flag() -> None:
    state = State(step=4, flags={"rollout_percentage": 10.0})
    same = State(step=4, flags={"rollout_percentage": 10.0, "max_cache_mb": 9})
    more = State(step=4, flags={"rollout_percentage": 20.0})
    killed = State(step=4, killed=True, flags={"rollout_percentage": 10.0})
    assert [step_after(state, VALUES, after) for after in (same, more, killed)] == [4, 5, 5]


def test_what_exposes() -> None:
    assert exposes("rollout_allow", "A")
    assert not exposes("rollout_deny", "A")
    assert not exposes("rollout_percentage", 0.0)
