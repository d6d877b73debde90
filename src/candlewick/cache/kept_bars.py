"""KeptBars: the newest bars of a growing series, in columns with room to grow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from candlewick.aggregation.growing import Growing
from candlewick.bars import Bars
from candlewick.candles import VALUES
from candlewick.columnar import Integers

TYPES: Mapping[str, Any] = {"time": np.int64, **dict.fromkeys(VALUES, np.float64), "n": np.int32, "anchor": np.uint8}
SPARE = 64
"""Rows of spare room, at least; else a 32nd of what is held: growing copies a row some 32 times, which is nothing."""


def roomy(rows: int) -> int:
    """How many rows to make room for, so that ``rows`` can become more."""
    return rows + max(SPARE, rows // 32)


def bytes_of(bars: Bars) -> int:
    """What the columns of bars take."""
    columns = (bars.microseconds, *(getattr(bars, name) for name in VALUES), bars.n, bars.final, bars.anchor)
    return sum(column.nbytes for column in columns)


class KeptBars:
    """Bars number ``first`` to ``count`` of a series, of which none can change by a candle to come.

    What is handed out is copied: the columns are written again after a correction.
    """

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.count = first
        self._columns: dict[str, npt.NDArray[Any]] = {name: np.empty(0, kind) for name, kind in TYPES.items()}

    @property
    def nbytes(self) -> int:
        """Bytes held, spare room included."""
        return sum(column.nbytes for column in self._columns.values())

    @property
    def times(self) -> Integers:
        """Opens of the bars held."""
        return self._columns["time"][: self.count - self.first]

    def anchor(self, number: int) -> int:
        """The anchor of one bar."""
        return int(self._columns["anchor"][number - self.first])

    def append(self, bars: Bars, *, more: bool = False) -> None:
        """Put the next bars behind those held. ``more``: as many again may follow, and then ``fit``."""
        held = self.count - self.first
        wanted = held + len(bars)
        if wanted > len(self._columns["time"]):
            self._move(wanted * 3 // 2 if more else roomy(wanted))
        for name, column in self._columns.items():
            column[held:wanted] = bars.microseconds if name == "time" else getattr(bars, name)
        self.count += len(bars)

    def cut(self, count: int) -> None:
        """Forget the bars from number ``count`` on."""
        self.count = count

    def fit(self) -> None:
        """Give back spare room that a long series left while it grew."""
        held = self.count - self.first
        if len(self._columns["time"]) > roomy(held):
            self._move(roomy(held))

    def rows(self, first: int, last: int, growing: Growing) -> Bars:
        """Bars number ``first`` to before ``last``, sharing memory: for computing on, not to be handed out."""
        cut = slice(first - self.first, last - self.first)
        return _bars(growing, {name: column[cut] for name, column in self._columns.items()}, 0)

    def joined(self, first: int, last: int, tail: Bars, final: int, growing: Growing) -> Bars:
        """A copy of bars number ``first`` to before ``last``, the one behind those held being ``tail``.

        The first ``final`` of them are final.
        """
        held = max(0, min(last, self.count) - first)
        cut = slice(first - self.first, first - self.first + held)
        columns = {name: np.empty(last - first, kind) for name, kind in TYPES.items()}
        for name, column in columns.items():
            column[:held] = self._columns[name][cut]
            if held < last - first:
                column[held:] = tail.microseconds if name == "time" else getattr(tail, name)
        return _bars(growing, columns, final)

    def _move(self, room: int) -> None:
        held = self.count - self.first
        for name, column in self._columns.items():
            moved = np.empty(room, column.dtype)
            moved[:held] = column[:held]
            self._columns[name] = moved


def _bars(growing: Growing, columns: Mapping[str, npt.NDArray[Any]], final: int) -> Bars:
    about = growing.about
    time = columns["time"]
    return Bars.made(
        about.symbol,
        about.timeframe,
        about.calendar,
        time,
        {name: columns[name] for name in VALUES},
        n=columns["n"],
        final=np.arange(len(time)) < final,
        anchor=columns["anchor"],
        source=about.source,
    )
