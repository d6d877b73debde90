"""Exports: our own bars and indicators as another platform would export them, with differences put in on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

import candlewick as cw
from candlewick.aggregation.edges import Edges
from candlewick.candles import VALUES, Candles
from candlewick.columnar import Floats, Integers

DESK = "desk"


def at_timeframe(candles: Candles, timeframe: str) -> Candles:
    """The bars of a timeframe as candles of their own."""
    bars = cw.aggregate(candles, timeframe)
    columns = {name: getattr(bars, name) for name in VALUES}
    return Candles.trusted(bars.symbol, bars.timeframe, bars.calendar, bars.microseconds, columns)


@dataclass(frozen=True, eq=False)
class Export:
    """Rows of an export: times (microseconds UTC) and columns by title."""

    time: Integers
    columns: dict[str, Floats]
    digits: int | None = field(default=None)

    @classmethod
    def of(cls, candles: Candles, specs: str = DESK, bars: bool = True) -> Export:
        """The bars of candles at their own timeframe, with indicators."""
        made = cw.aggregate(candles, candles.timeframe)
        columns = {name: getattr(made, name) for name in VALUES} if bars else {}
        return cls(
            made.microseconds.copy(),
            columns | {name: values.copy() for name, values in cw.compute(made, specs).items()},
        )

    def rows(self, chosen: object) -> Export:
        """Those rows only."""
        return replace(
            self, time=self.time[chosen], columns={name: column[chosen] for name, column in self.columns.items()}
        )  # type: ignore[index]

    def stamped(self, time: Integers) -> Export:
        """The same rows with other times."""
        return replace(self, time=time)

    def set(self, **columns: Floats) -> Export:
        """Other values in some columns."""
        return replace(self, columns=self.columns | columns)

    def only(self, *titles: str) -> Export:
        """Those columns only."""
        return replace(self, columns={title: self.columns[title] for title in titles})

    def titled(self, **titles: str) -> Export:
        """Other titles."""
        return replace(self, columns={titles.get(name, name): column for name, column in self.columns.items()})

    def rounded(self, digits: int) -> Export:
        """Written with so many digits behind the point."""
        return replace(self, digits=digits)

    def write(self, path: Path) -> Path:
        """As CSV, with times as seconds since 1970."""

        def cell(value: float) -> str:
            if value != value:
                return ""
            return repr(value) if self.digits is None else f"{value:.{self.digits}f}"

        lines = [",".join(["time", *self.columns])]
        for row, time in enumerate((self.time // 1_000_000).tolist()):
            lines.append(",".join([str(time), *(cell(float(column[row])) for column in self.columns.values())]))
        path.write_text("\n".join(lines) + "\n")
        return path


def rebuilt(candles: Candles, keep: Sequence[bool] | None = None, **values: Floats) -> Candles:
    """Candles without some rows, or with other values."""
    chosen = np.ones(len(candles), dtype=np.bool_) if keep is None else np.asarray(keep)
    columns = {name: values.get(name, getattr(candles, name))[chosen] for name in VALUES}
    return Candles.trusted(candles.symbol, candles.timeframe, candles.calendar, candles.microseconds[chosen], columns)


def without(candles: Candles, row: int) -> Candles:
    """One candle missing."""
    return rebuilt(candles, np.arange(len(candles)) != row)


def with_close(candles: Candles, row: int, close: float) -> Candles:
    """One close changed; high and low reach to it."""
    changed = candles.close.copy()
    changed[row] = close
    high, low = np.maximum(candles.high, changed), np.minimum(candles.low, changed)
    return rebuilt(candles, close=changed, high=high, low=low)


def quiet(candles: Candles, rows: Sequence[int]) -> Candles:
    """Candles in which those rows are flat and without volume, as a vendor makes them up."""
    columns = {name: getattr(candles, name).copy() for name in VALUES}
    for row in rows:
        for name in ("open", "high", "low", "close"):
            columns[name][row] = columns["close"][row - 1]
        columns["volume"][row] = 0.0
    return rebuilt(candles, **columns)


def sampled(export: Export, period: int = 20) -> Export:
    """Bollinger bands from the sample deviation."""
    upper, middle, lower = (export.columns[f"bollinger_{period}_2_{part}"] for part in ("upper", "middle", "lower"))
    factor = np.sqrt(period / (period - 1))
    top, bottom = middle + (upper - middle) * factor, middle - (middle - lower) * factor
    return export.set(
        **{
            f"bollinger_{period}_2_upper": top,
            f"bollinger_{period}_2_lower": bottom,
            f"bollinger_{period}_2_width": (top - bottom) / middle,
        }
    )


def closes(candles: Candles, export: Export) -> Integers:
    """The close of each row's bucket."""
    edges = Edges.between(candles.calendar, candles.timeframe, int(export.time[0]), int(export.time[-1]) + 1)
    return np.array([edges.close_of(int(at)) for at in export.time], dtype=np.int64)
