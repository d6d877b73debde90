"""Bars: candles aggregated to a timeframe, with how many candles each is made of and whether it can still change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from candlewick.candles import VALUES, Candles, frozen
from candlewick.columnar import Floats, Integers
from candlewick.sessions.calendar import Calendar
from candlewick.timeframe import Timeframe


class Bars(Candles):
    """Bars of one symbol and timeframe. Made by ``aggregate``.

    ``n``: int32, source candles in each bar. ``final``: bool, False while the bar can still change. ``anchor``: uint8,
    bit 0 set on the first bar of a session, bit 1 of an ISO week, bit 2 of a month: where a VWAP starts again.
    ``source``: the timeframe that the bars were made of.
    """

    __slots__ = ("anchor", "final", "n", "source")

    n: npt.NDArray[np.int32]
    final: npt.NDArray[np.bool_]
    anchor: npt.NDArray[np.uint8]
    source: Timeframe

    def __init__(self, *_: Any, **__: Any) -> None:
        raise TypeError("Bars are made by aggregate; make Candles of columns, or of bars with Candles.from_arrow(bars)")

    @classmethod
    def made(
        cls,
        symbol: str,
        timeframe: Timeframe,
        calendar: Calendar,
        time: Integers,
        values: Mapping[str, Floats],
        *,
        n: npt.NDArray[np.int32],
        final: npt.NDArray[np.bool_],
        anchor: npt.NDArray[np.uint8],
        source: Timeframe,
    ) -> Self:
        """Bars from the columns that an aggregation produced: nothing is checked or copied."""
        self = cls.trusted(symbol, timeframe, calendar, time, values)
        put = object.__setattr__
        put(self, "n", frozen(n))
        put(self, "final", frozen(final))
        put(self, "anchor", frozen(anchor))
        put(self, "source", source)
        return self

    def rows(self, start: int, stop: int) -> Self:
        cut = slice(start, stop)
        return type(self).made(
            self.symbol,
            self.timeframe,
            self.calendar,
            self.microseconds[cut],
            {name: getattr(self, name)[cut] for name in VALUES},
            n=self.n[cut],
            final=self.final[cut],
            anchor=self.anchor[cut],
            source=self.source,
        )

    def only_final(self) -> Self:
        """The bars that can no longer change: all but, at most, the forming one at the end."""
        return self.rows(0, int(np.count_nonzero(self.final)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (
            self.symbol,
            self.timeframe,
            self.calendar,
            self.microseconds,
            {name: getattr(self, name) for name in VALUES},
            {"n": self.n, "final": self.final, "anchor": self.anchor, "source": self.source},
        )

    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        return {**super()._columns(), "n": self.n, "final": self.final}

    def _title(self) -> str:
        return f"{self.symbol} {self.timeframe} {self.calendar.name} of {self.source} candles"

    def _noted(self) -> str:
        return f", {np.count_nonzero(self.final):,} final"

    def _metadata(self) -> dict[str, str]:
        return {**super()._metadata(), "source": str(self.source)}


def _remade(
    symbol: str, timeframe: Timeframe, calendar: Calendar, time: Integers, values: dict[str, Floats], rest: Any
) -> Bars:
    return Bars.made(symbol, timeframe, calendar, time, values, **rest)
