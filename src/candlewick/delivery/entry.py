"""Entry: one line of the control journal; the state is the fold of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from candlewick.delivery.flags import Value, exposed_share
from candlewick.errors import KilledError

HARMLESS: dict[str, Value] = {"rollout_percentage": 0.0, "use_optimized_analytics": False, "rollout_allow": ""}
"""What a kill sets, so that lifting it exposes nobody."""


@dataclass(frozen=True)
class Change:
    """What is about to be written. ``what``: ``create``, ``begin`` (a new rollout, with a new salt), ``set``, ``kill``,
    ``clear``, or ``key`` (what became of a server's key, which changes no flag)."""

    what: str
    name: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Entry:
    """What was written: by whom, when (microseconds UTC), why, and on what evidence. ``step``: the one it leads to."""

    seq: int
    at: int
    who: str
    what: str
    name: str
    old: Any
    new: Any
    why: str
    evidence: Mapping[str, Any]
    step: int


@dataclass(frozen=True)
class State:
    """What the journal says. ``step`` rises with each change of the exposed share, at ``since``; ``rollout`` with each
    new salt; ``cleared``: the next exposure begins a new rollout."""

    seq: int = 0
    flags: Mapping[str, Value] = field(default_factory=dict)
    killed: bool = False
    cleared: bool = False
    why: str = ""
    salt: str = ""
    rollout: int = 0
    step: int = 0
    since: int = 0


def fold(entries: Iterable[Entry], state: State | None = None) -> State:
    """The state after ``entries``, from ``state`` or from nothing."""
    found = state or State()
    for entry in entries:
        found = _after(found, entry)
    return found


def exposes(name: str, value: Value) -> bool:
    """Whether setting a flag so lets V2 answer anybody."""
    return name in HARMLESS and value != HARMLESS[name]


def to_set(state: State, values: Mapping[str, Value], name: str, value: Value, salt: str) -> list[Change]:
    """The changes that set a flag; ``values`` are in force now, ``salt`` is for a rollout that begins with it.

    Raises KilledError for an exposure while the rollout is killed.
    """
    changes = []
    if exposes(name, value):
        if state.killed:
            raise KilledError(
                f"{name}: {value!r} is refused while the rollout is killed ({state.why}); "
                "lift the kill first: candlewick rollout clear --why TEXT"
            )
        if state.cleared:
            changes.append(Change("begin", "salt", state.salt, salt))
    return [*changes, Change("set", name, values[name], value)]


def step_after(state: State, values: Mapping[str, Value], after: State) -> int:
    """The step of ``after``: the next one when the exposed share differs from ``state``; ``values``: those at start."""
    before = exposed_share({**values, **state.flags}, state.killed)
    return state.step + (exposed_share({**values, **after.flags}, after.killed) != before)


def _after(state: State, entry: Entry) -> State:
    flags = dict(state.flags)
    changed: dict[str, Any] = {}
    match entry.what:
        case "create" | "begin":
            changed = {"salt": entry.new, "rollout": state.rollout + 1, "cleared": False}
        case "set":
            flags[entry.name] = entry.new
        case "kill":
            flags |= HARMLESS
            changed = {"killed": True, "why": entry.why}
        case "key":
            pass
        case _:
            changed = {"killed": False, "cleared": True, "why": ""}
    if entry.step != state.step:
        changed |= {"step": entry.step, "since": entry.at}
    return replace(state, seq=entry.seq, flags=flags, **changed)
