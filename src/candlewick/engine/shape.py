"""Shape: what decides a kernel's text; Layout: where a group's floats stand in a state row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from candlewick.columnar import Floats
from candlewick.indicators.indicator import Indicator

FIRST_STATE = 2
"""A state row starts with the bar number and the history position; so does a parameter row with warm-up and history."""


@dataclass(frozen=True)
class Member:
    """What of one indicator decides the text: nothing of its parameters' values."""

    step: Callable[..., Any]
    reads: tuple[str, ...]
    history: tuple[str, ...]
    slots: int
    parameters: int
    outputs: int
    has_memory: bool

    @classmethod
    def of(cls, indicator: Indicator) -> Member:
        """The member that computes ``indicator``."""
        reads = indicator.reads
        return cls(
            step=type(indicator).step,
            reads=reads,
            history=tuple(name for name in reads if name != "anchor") if indicator.look_back else (),
            slots=indicator.slots,
            parameters=len(indicator.parameters),
            outputs=len(indicator.columns),
            has_memory=indicator.memory_size > 0,
        )


@dataclass(frozen=True)
class Shape:
    """Members in order; equal shapes share one kernel."""

    members: tuple[Member, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns read by any member, each once."""
        return tuple(dict.fromkeys(name for member in self.members for name in member.reads))

    @cached_property
    def history(self) -> tuple[str, ...]:
        """Columns that any member looks back into."""
        return tuple(dict.fromkeys(name for member in self.members for name in member.history))

    @property
    def outputs(self) -> int:
        """Columns written."""
        return sum(member.outputs for member in self.members)

    @property
    def states(self) -> int:
        """Floats before the memories: bar number, history position and every state."""
        return FIRST_STATE + sum(member.slots for member in self.members)

    def output_rows(self, k: int) -> range:
        """Rows of the output that member ``k`` writes."""
        first = sum(member.outputs for member in self.members[:k])
        return range(first, first + self.members[k].outputs)

    def state_place(self, k: int) -> int:
        """Where member ``k``'s state starts in a state row."""
        return FIRST_STATE + sum(member.slots for member in self.members[:k])

    def memory_place(self, k: int) -> int:
        """Where a parameter row says at which float member ``k``'s memory starts."""
        return FIRST_STATE + 1 + sum(member.has_memory for member in self.members[:k])

    def parameter_place(self, k: int) -> int:
        """Where member ``k``'s parameters start in a parameter row."""
        memories = sum(member.has_memory for member in self.members)
        return FIRST_STATE + 1 + memories + sum(member.parameters for member in self.members[:k])


@dataclass(frozen=True)
class Group:
    """Indicators computed by one fused loop. ``parameters`` is the row that the kernel reads."""

    indicators: tuple[Indicator, ...]
    shape: Shape
    parameters: Floats = field(compare=False)
    state_size: int
    history_base: int
    """Where the histories start in a state row."""

    @classmethod
    def of(cls, indicators: Sequence[Indicator]) -> Group:
        """A group of these indicators, in this order."""
        shape = Shape(tuple(Member.of(indicator) for indicator in indicators))
        place = shape.states
        memories = []
        for indicator in indicators:
            if indicator.memory_size:
                memories.append(place)
                place += indicator.memory_size
        length = max((indicator.look_back for indicator in indicators), default=0) + 1
        settled = max(indicator.warm_up for indicator in indicators) + 1
        values = [value for indicator in indicators for value in indicator.parameters]
        row = np.array([settled, length, place, *memories, *values], dtype=np.float64)
        return cls(tuple(indicators), shape, row, place + 2 * length * len(shape.history), place)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns written, in row order."""
        return tuple(name for indicator in self.indicators for name in indicator.columns)

    def canonical(self, state: Floats) -> Floats:
        """A copy of a batch's state row without what the loop left in its working half: equal states, equal bytes."""
        row = state.copy()
        length = int(self.parameters[1])
        for k in range(len(self.shape.history)):
            first = self.history_base + (2 * k + 1) * length
            row[first : first + length] = np.nan
        return row

    def new_state(self, symbols: int | None = None) -> Floats:
        """State before the first bar: one row, or one row for each symbol."""
        row = np.zeros(self.state_size)
        row[self.history_base :] = np.nan
        return row if symbols is None else np.tile(row, (symbols, 1))
