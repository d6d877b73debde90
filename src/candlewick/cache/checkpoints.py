"""Checkpoints: where a computation's state is kept, so that a correction need not go back to the beginning. Pure.

Level ``j`` has a place at every multiple of ``BASE * RATIO**j`` bars; the newest two of each level are kept. So there
are few of them, close together near the end and far apart behind; going back over a number of bars redoes at most
``2 * RATIO`` times as many; and places only fall away while a series grows, so what was dropped is never missed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

BASE = 64
"""Bars between the places nearest to the end: to redo them costs less than to look for a nearer one."""

RATIO = 4
"""How much farther apart the places of each level are."""

State = TypeVar("State")


@dataclass(frozen=True)
class Checkpoint(Generic[State]):
    """``state`` before bar number ``count``."""

    count: int
    state: State


def places(first: int, count: int) -> list[int]:
    """Before which bars above ``first``, up to ``count``, a state is kept once ``count`` bars are known."""
    kept: set[int] = set()
    step = BASE
    while step <= count:
        newest = count // step * step
        kept.update((newest - step, newest))
        step *= RATIO
    return sorted(place for place in kept if place > first)


def thinned(kept: Sequence[Checkpoint[State]], first: int, count: int) -> list[Checkpoint[State]]:
    """Those of ``kept`` that are still wanted once ``count`` bars are known; the one at ``first`` always is."""
    wanted = {first, *places(first, count)}
    return [one for one in kept if one.count in wanted]


def newest(kept: Sequence[Checkpoint[State]], count: int) -> Checkpoint[State] | None:
    """The last of ``kept``, which ascend, that stands at or before bar ``count``; None when all are later."""
    at = bisect_right(kept, count, key=lambda one: one.count)
    return kept[at - 1] if at else None
