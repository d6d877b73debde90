"""Comparison: where two answers to one question differ by more than rounding may. Pure; nothing is judged here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from candlewick.bars import Bars
from candlewick.columnar import Floats, Integers
from candlewick.indicators import Indicator
from candlewick.indicators.exact import ROUNDING
from candlewick.service.answer import BAR_COLUMNS, Answer
from candlewick.service.scale import definition_of, least_scale, scale

TOLERANCE = 1e-9
"""How far two engines may be apart, against the scale of a column."""
JUDGED = 20
"""Differing points of a column that are looked at further."""


@dataclass(frozen=True, eq=False)
class Apart:
    """The points of one column that differ, the most important first: rows among the common bars, both values, and what
    is tolerated."""

    column: str
    indicator: Indicator | None
    rows: Integers
    v1: npt.NDArray[Any]
    v2: npt.NDArray[Any]
    tolerated: Floats


@dataclass(frozen=True, eq=False)
class Comparison:
    """``one_sided``: open times of bars that only one answer has; ``times``: of those that both have; and what differs
    there, column by column."""

    one_sided: Integers
    times: Integers
    apart: tuple[Apart, ...]

    @property
    def equal(self) -> bool:
        """True when nothing differs."""
        return not (len(self.one_sided) or self.apart)


def compare_answers(v1: Answer, v2: Answer, definitions: Mapping[str, Indicator]) -> Comparison:
    """Where the answers differ: bars at all, volumes by more than the rounding of a sum, indicators by more than
    ``TOLERANCE`` x scale, or one of them undefined. An indicator that an answer lacks is undefined everywhere.

    ``definitions``: indicators by column; those that are not in it are known by their name.
    """
    left, right = v1.bars.microseconds, v2.bars.microseconds
    one_sided = np.empty(0, dtype=np.int64)
    rows1: Any = slice(None)
    rows2: Any = slice(None)
    if not np.array_equal(left, right):
        one_sided = np.setxor1d(left, right, assume_unique=True)
        _, rows1, rows2 = np.intersect1d(left, right, assume_unique=True, return_indices=True)
    times = left[rows1]
    apart = []
    for name in BAR_COLUMNS[1:]:
        x, y = getattr(v1.bars, name)[rows1], getattr(v2.bars, name)[rows2]
        tolerated = np.zeros(len(times)) if name != "volume" else 2 * ROUNDING * v1.bars.n[rows1] * np.minimum(x, y)
        rows = np.flatnonzero(x != y) if name != "volume" else _beyond(x, y, tolerated)
        if len(rows):
            apart.append(_chosen(name, None, rows, x, y, tolerated))
    common = v1.bars if isinstance(rows1, slice) else _part(v1.bars, rows1)
    for name in dict.fromkeys([*v1.indicators, *v2.indicators]):
        indicator = definitions.get(name) or definition_of(name)
        x, y = _values(v1, name)[rows1], _values(v2, name)[rows2]
        found = _differing(indicator, name, common, x, y)
        if found is not None:
            apart.append(found)
    return Comparison(one_sided, times, tuple(apart))


def _differing(indicator: Indicator, column: str, bars: Bars, x: Floats, y: Floats) -> Apart | None:
    size = np.fmin(np.abs(x), np.abs(y))
    if not len(_beyond(x, y, TOLERANCE * least_scale(indicator, column, size))):
        return None
    tolerated = TOLERANCE * scale(indicator, column, bars, size)
    rows = _beyond(x, y, tolerated)
    return _chosen(column, indicator, rows, x, y, tolerated) if len(rows) else None


def _beyond(x: Floats, y: Floats, tolerated: Floats) -> Integers:
    """Rows whose values are further apart, or of which one is undefined."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinities, which are then no neighbours of anything
        near = np.abs(x - y) <= tolerated
    return np.flatnonzero(~(near | (np.isnan(x) & np.isnan(y))))


def _chosen(
    column: str,
    indicator: Indicator | None,
    rows: Integers,
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    tolerated: Floats,
) -> Apart:
    """At most ``JUDGED`` of the rows, by turns the one furthest apart, which tells most, and the first one left."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        far = np.abs(x[rows].astype(np.float64) - y[rows]) / tolerated[rows]
    order = rows[np.argsort(-np.where(np.isnan(far), np.inf, far), kind="stable")]
    turns = np.column_stack([order[:JUDGED], rows[:JUDGED]]).ravel().tolist()
    picked = np.array(list(dict.fromkeys(turns))[:JUDGED], dtype=np.int64)
    return Apart(column, indicator, picked, x[picked], y[picked], tolerated[picked])


def _values(answer: Answer, column: str) -> Floats:
    found = answer.indicators.get(column)
    return np.full(len(answer.bars), np.nan) if found is None else np.asarray(found, dtype=np.float64)


def _part(bars: Bars, rows: Integers) -> Bars:
    """Some of the bars."""
    columns = {name: getattr(bars, name)[rows] for name in ("open", "high", "low", "close", "volume")}
    return Bars.made(
        bars.symbol, bars.timeframe, bars.calendar, bars.microseconds[rows], columns,
        n=bars.n[rows], final=bars.final[rows], anchor=bars.anchor[rows], source=bars.source,
    )  # fmt: skip
