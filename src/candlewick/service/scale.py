"""Scale: the size against which two engines' values of a column are compared."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache

import numpy as np

from candlewick.bars import Bars
from candlewick.columnar import Floats
from candlewick.engine.catalogue import catalogue
from candlewick.errors import InputError, UnknownNameError
from candlewick.indicators import Indicator, parse_indicators
from candlewick.indicators.indicator import SOURCES


class Unit(Enum):
    """What a column counts; the value is its fixed scale, 0 where the prices give it."""

    PRICE = 0.0
    PERCENT = 100.0
    RATIO = 1.0


UNITS = {
    ("rsi", ""): Unit.PERCENT,
    ("stochastic", "k"): Unit.PERCENT,
    ("stochastic", "d"): Unit.PERCENT,
    ("percent_b", ""): Unit.RATIO,
    ("bollinger", "width"): Unit.RATIO,
}
"""Every column, by kind and part, that is not in the unit of what it reads (prices; volumes for a source of volume)."""


@lru_cache(maxsize=1024)
def unit_of(indicator: Indicator, column: str) -> Unit:
    """The unit of one column; that of prices for an indicator of the user's own."""
    parts = indicator.parts or ("",)
    return UNITS.get((indicator.kind, parts[indicator.columns.index(column)]), Unit.PRICE)


def least_scale(indicator: Indicator, column: str, values: Floats) -> Floats:
    """A lower limit of ``scale`` at every bar, for little: the value itself, or the unit's own."""
    unit = unit_of(indicator, column)
    return np.abs(values) if unit is Unit.PRICE else np.full(len(values), unit.value)


def scale(indicator: Indicator, column: str, bars: Bars, values: Floats) -> Floats:
    """The scale at every bar: the larger of the value and the largest price in the bar's window, or the unit's own.

    The window is as long as the warm-up; of a VWAP it is the bar alone, since its value is a mean of prices already.
    """
    unit = unit_of(indicator, column)
    if unit is not Unit.PRICE:
        return np.full(len(values), unit.value)
    return np.fmax(np.abs(values), _window_max(_sizes(indicator, bars), indicator.warm_up + 1))


@lru_cache(maxsize=512)
def definitions_of(indicators: tuple[Indicator, ...]) -> Mapping[str, Indicator]:
    """The indicators by column."""
    return {column: one for one in indicators for column in one.columns}


@lru_cache(maxsize=1024)
def definition_of(column: str) -> Indicator:
    """The indicator that a column belongs to: ``bollinger_20_2p5_upper -> bollinger(20,2.5)``. UnknownNameError."""
    known = catalogue()
    for kind, cls in known.items():
        rest = column.removeprefix(kind)
        if rest == column and column != kind:
            continue
        for part in cls.parts or ("",):
            made = _made(cls, rest.removesuffix(f"_{part}") if part else rest)
            if made is not None and column in made.columns:
                return made
    raise UnknownNameError("column", column, known)


def _made(cls: type[Indicator], parameters: str) -> Indicator | None:
    """An indicator from the parameters in a column's name (``_20_2p5``); None when they are not of this kind."""
    given = [part.replace("p", ".") if part[:1].isdigit() else part for part in parameters.split("_")[1:]]
    try:
        return parse_indicators(f"{cls.kind}({','.join(given)})" if given else cls.kind)[0]
    except InputError:
        return None


def _sizes(indicator: Indicator, bars: Bars) -> Floats:
    """The largest size that the indicator reads of each bar: of prices, or of volume where it reads nothing else."""
    reads = [name for name in indicator.reads if name in SOURCES]
    priced = [name for name in reads if name != "volume"] or reads
    sizes: Floats = np.max([np.abs(getattr(bars, name)) for name in priced], axis=0)
    return sizes


def _window_max(values: Floats, length: int) -> Floats:
    """The largest of the last ``length`` values at each place, by windows of doubled length."""
    result, covered = values, 1
    while covered < min(length, len(values)):
        step = min(covered, length - covered)
        result = np.concatenate([result[:step], np.maximum(result[step:], result[:-step])])
        covered += step
    return result
