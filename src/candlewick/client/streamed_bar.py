"""Streamed bar: one bar as a stream gave it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from candlewick.errors import UnknownNameError

APART = ("time", "n", "final")
"""Columns that are no value."""


@dataclass(frozen=True)
class StreamedBar:
    """``values``: open, high, low, close, volume and the indicators by column name, NaN where undefined: also as
    ``bar["close"]``. ``time`` is the bar's open, datetime64[us] in UTC, ``n`` counts its source candles.

    ``final``: it can no longer change but by a correction. ``corrected``: it was given before, or stands among such,
    and may be different now. ``removed``: it was given before and is no longer there; it has no values. ``revision`` is
    that of the series.
    """

    symbol: str
    timeframe: str
    time: np.datetime64
    values: Mapping[str, float]
    n: int
    final: bool
    revision: int
    corrected: bool = False
    removed: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def __getitem__(self, column: str) -> float:
        if column not in self.values:
            raise UnknownNameError("column", column, self.values)
        return self.values[column]

    def __reduce__(self) -> tuple[Any, ...]:
        flags = (self.n, self.final, self.revision, self.corrected, self.removed)
        return type(self), (self.symbol, self.timeframe, self.time, dict(self.values), *flags)

    @property
    def milliseconds(self) -> int:
        """The bar's open as milliseconds since 1970, which is how streams write times."""
        return int(self.time.astype("datetime64[ms]").astype(np.int64))

    def as_corrected(self) -> StreamedBar:
        """The same bar, marked."""
        return replace(self, corrected=True)


def bar_of(symbol: str, timeframe: str, told: Mapping[str, Any], revision: int) -> StreamedBar:
    """The bar in a message: ``time`` in milliseconds, undefined null or NaN."""
    values = {name: _number(value) for name, value in told.items() if name not in APART}
    return StreamedBar(
        symbol, timeframe, moment_of(told["time"]), values, int(told["n"]), bool(told["final"]), int(revision)
    )


def bars_of(symbol: str, timeframe: str, columns: Mapping[str, Any], revision: int) -> list[StreamedBar]:
    """The bars in the columns of a message or an answer, as lists, times in milliseconds."""
    names = list(columns)
    rows = zip(*columns.values(), strict=True)
    return [bar_of(symbol, timeframe, dict(zip(names, row, strict=True)), revision) for row in rows]


def moment_of(milliseconds: int) -> np.datetime64:
    """A time of a message."""
    return np.datetime64(int(milliseconds) * 1000, "us")


def _number(value: Any) -> float:
    return math.nan if value is None or value != value else float(value)
