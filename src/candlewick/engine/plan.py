"""Plan: which indicators are computed together, and where each asked-for column ends up. Pure."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from candlewick.columnar import Floats
from candlewick.engine.shape import Group
from candlewick.indicators.indicator import Indicator

LARGEST = 8
"""Indicators in one loop: 60 in one took three times as long as in groups of eight (registers and write buffers)."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Groups in computing order; ``rows`` says in which row of the result each column stands."""

    indicators: tuple[Indicator, ...]
    groups: tuple[Group, ...]
    columns: tuple[str, ...]
    rows: Mapping[str, int]
    warm_up: int

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Floats of state of each group."""
        return tuple(group.state_size for group in self.groups)

    def new_states(self) -> list[Floats]:
        """One state row for each group, before the first bar."""
        return [group.new_state() for group in self.groups]


@functools.lru_cache(maxsize=256)
def plan(indicators: tuple[Indicator, ...]) -> Plan:
    """The plan for these definitions: like kinds side by side, so that sets asked for in any order share kernels."""
    ordered = sorted(indicators, key=lambda indicator: (indicator.kind, indicator.reads))
    groups = tuple(Group.of(ordered[first : first + LARGEST]) for first in range(0, len(ordered), LARGEST))
    computed = [name for group in groups for name in group.columns]
    return Plan(
        indicators=indicators,
        groups=groups,
        columns=tuple(name for indicator in indicators for name in indicator.columns),
        rows={name: row for row, name in enumerate(computed)},
        warm_up=max(indicator.warm_up for indicator in indicators),
    )


def alone(group: Group) -> tuple[Group, ...]:
    """The same indicators, each in a loop of its own: the same bits, a little slower, kernels shared by all sets."""
    return tuple(Group.of([indicator]) for indicator in group.indicators)
