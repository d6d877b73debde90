"""Benchmark: one row of figures: a task, its goals, and the contest that measures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from candlewick.benchmarks.contest import Contest
from candlewick.benchmarks.goal import Goal

ROUNDS = 9
QUICK_ROUNDS = 3


@dataclass(frozen=True)
class Benchmark:
    """``target`` and ``stretch`` are goals that must all be met. ``full`` and ``quick`` make the contest.

    Both are given a folder of their own for files; quick sizes prove that everything runs, their figures mean little.
    """

    name: str
    title: str
    unit: str
    target: tuple[Goal, ...]
    stretch: tuple[Goal, ...]
    full: Callable[[Path], Contest]
    quick: Callable[[Path], Contest]
