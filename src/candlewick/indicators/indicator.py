"""Indicator: a frozen definition with one text form, its columns, its compiled step and its exact form."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from candlewick.errors import InputError, UnknownNameError
from candlewick.indicators.exact import Exact, ExactBars

SOURCES = ("open", "high", "low", "close", "volume")
LONGEST = 100_000
"""Longest period accepted: what a window may hold in memory for each symbol."""

Scalars = tuple[float, ...]
Pointer = Sequence[float]
Memory = MutableSequence[float]
Stepped = tuple[Scalars, Scalars]
"""What a step returns: its new state and its outputs."""
Step = Callable[..., Stepped]


@dataclass(frozen=True)
class Indicator:
    """Base of every indicator. A subclass is a frozen dataclass of its parameters and gives what is listed here.

    ``kind``: its name in text. ``parts``: suffixes of its columns, empty for one column. ``slots``: floats of state.
    ``step``: the compiled step, a plain function over scalars::

        step(t, hot, inputs, state, parameters) -> (state, outputs)
        step(t, hot, inputs, state, parameters, past, i)            when look_back is above 0
        step(t, hot, inputs, state, parameters, past, i, memory)    when memory_size is, too

    ``t`` is the bar's number since the series began; ``hot`` is True once every warm-up is over; ``inputs`` holds this
    bar's value of each column in ``reads``; ``past[c][i - k]`` is column ``c``'s value ``k`` bars ago, readable for
    ``k <= look_back``; ``memory`` is a pointer to ``memory_size`` floats of its own, kept between bars; ``state``
    starts as zeros. A step may call plain functions and use ``sqrt nan inf``; no arrays, no objects, no division of
    integers. The outputs are one value for each column, NaN where undefined.
    """

    kind: ClassVar[str]
    parts: ClassVar[tuple[str, ...]] = ()
    slots: ClassVar[int]
    step: ClassVar[Step]
    meaning: ClassVar[str]

    @property
    def reads(self) -> tuple[str, ...]:
        """Columns that a step is given: of ``open high low close volume anchor``."""
        return (getattr(self, "source", "close"),)

    @property
    def parameters(self) -> Scalars:
        """Floats that a step is given."""
        raise NotImplementedError

    @property
    def look_back(self) -> int:
        """How many bars back a step reads ``past``; 0 when it does not."""
        return 0

    @property
    def memory_size(self) -> int:
        """Floats of memory beyond the state."""
        return 0

    @property
    def warm_up(self) -> int:
        """Bars at the start of a series before every column has a value."""
        raise NotImplementedError

    def exact(self, bars: ExactBars) -> list[list[Exact | None]]:
        """Every column's values recomputed exactly, each with the bound on the step's error; None where undefined."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """The text form, such as ``bollinger(20,2)``; ``parse_indicators`` takes it back."""
        given = [getattr(self, field.name) for field in dataclasses.fields(self)]
        if given and given[-1] == "close" and dataclasses.fields(self)[-1].name == "source":
            given.pop()
        return f"{self.kind}({','.join(_number(value) for value in given)})" if given else self.kind

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns, such as ``bollinger_20_2_upper``: stable, part of the public face."""
        inside = self.text[len(self.kind) :].strip("()").replace(".", "p")
        base = "_".join([self.kind, *filter(None, inside.split(","))])
        return tuple(f"{base}_{part}" for part in self.parts) if self.parts else (base,)

    def __str__(self) -> str:
        return self.text


def check_period(value: Any, name: str = "period", least: int = 1) -> None:
    """Raise InputError unless ``value`` is a whole number from ``least`` to LONGEST."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LONGEST:
        raise InputError(name, value, f"give a whole number of bars from {least} to {LONGEST}")


def check_source(value: Any) -> None:
    """Raise UnknownNameError unless ``value`` names a candle column."""
    if value not in SOURCES:
        raise UnknownNameError("source", value, SOURCES)


def check_width(value: Any, name: str = "deviations") -> None:
    """Raise InputError unless ``value`` is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value > 0):
        raise InputError(name, value, "give a finite number above 0")


def _number(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
