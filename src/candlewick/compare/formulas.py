"""Formulas: how other platforms compute what goes by the same name, each with the names of what it does otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from candlewick.bars import Bars
from candlewick.columnar import Floats
from candlewick.compare.smoothing import deviation, plain, ratio, recursive, seeded, sums, weighted
from candlewick.compare.titles import Meaning
from candlewick.indicators import ATR, EMA, MACD, RSI, SMA, VWAP, WMA, Bollinger, PercentB, StandardDeviation, TrueRange
from candlewick.indicators.indicator import Indicator
from candlewick.indicators.vwap import ANCHORS

SAYS = {
    "sample_deviation": "the deviation is divided by period - 1 (sample), not by period (population)",
    "first_value_seed": "the average starts from its first value, not from the mean of its first period",
    "adjusted_weights": "the average is divided by the weights so far (pandas' ewm with adjust=True)",
    "wilder_smoothing": "smoothed with Wilder's factor 1 / period, not 2 / (period + 1)",
    "exponential_smoothing": "smoothed with the factor 2 / (period + 1), not Wilder's 1 / period",
    "simple_smoothing": "a simple mean of the last period, not a recursion",
    "aligned_seeds": "the fast average is seeded late, so that both seeds end at one bar (TA-Lib)",
    "simple_signal": "the signal is a simple mean of the line",
    "partial_windows": "windows at the start of the series are taken although they are not full",
    "first_bar_range": "the first bar counts, with its own range",
    "price_width": "the width is in units of the price, not a ratio of the middle",
    "percent": "shown in percent",
    "vwap_on_close": "the price weighted by volume is the close, not (high + low + close) / 3",
    "vwap_on_open": "the price weighted by volume is the open, not (high + low + close) / 3",
    "vwap_on_hl2": "the price weighted by volume is (high + low) / 2, not (high + low + close) / 3",
    "vwap_on_ohlc4": "the price weighted by volume is (open + high + low + close) / 4, not (high + low + close) / 3",
    "anchor_session": "the sums begin again with each session",
    "anchor_week": "the sums begin again with each week",
    "anchor_month": "the sums begin again with each month",
    "anchor_first": "the sums never begin again",
    "source_close": "computed from the close",
    "source_open": "computed from the open",
    "source_high": "computed from the high",
    "source_low": "computed from the low",
    "source_hl2": "computed from (high + low) / 2",
    "source_hlc3": "computed from (high + low + close) / 3",
    "source_ohlc4": "computed from (open + high + low + close) / 4",
}
"""Every difference of formula by its name, in words."""

Made = Callable[[Bars], Floats]
Smooth = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Formula:
    """Another way to one column: ``names`` of what is different, and its values at every bar."""

    names: tuple[str, ...]
    values: Made


def formulas_of(meaning: Meaning) -> tuple[Formula, ...]:
    """Every other way to a column, those with the fewest differences first."""
    indicator = meaning.indicator
    if indicator is None or type(indicator) not in _FAMILIES:
        return ()
    found = _FAMILIES[type(indicator)](indicator, meaning.part)
    return tuple(sorted(found, key=lambda one: len(one.names)))


def _price(bars: Bars, name: str) -> Floats:
    o, h, low, c = bars.open, bars.high, bars.low, bars.close
    prices: dict[str, Callable[[], Any]] = {
        "hl2": lambda: (h + low) / 2,
        "hlc3": lambda: (h + low + c) / 3,
        "ohlc4": lambda: (o + h + low + c) / 4,
    }
    found: Floats = prices[name]() if name in prices else getattr(bars, name)
    return found


def _others(source: str) -> list[str]:
    return [one for one in ("close", "hl2", "hlc3", "ohlc4", "open", "high", "low") if one != source]


def _sma(of: SMA, _: int) -> Iterator[Formula]:
    def value(bars: Bars, source: str, least: int) -> Floats:
        return plain(_price(bars, source), of.period, least)

    yield Formula(("partial_windows",), partial(value, source=of.source, least=1))
    for source in _others(of.source):
        yield Formula((f"source_{source}",), partial(value, source=source, least=of.period))


def _wma(of: WMA, _: int) -> Iterator[Formula]:
    def value(bars: Bars, source: str) -> Floats:
        return weighted(_price(bars, source), of.period)

    for source in _others(of.source):
        yield Formula((f"source_{source}",), partial(value, source=source))


def _ema(of: EMA, _: int) -> Iterator[Formula]:
    usual, wilder = 2 / (of.period + 1), 1 / of.period

    def value(bars: Bars, source: str, factor: float, seed: str) -> Floats:
        values = _price(bars, source)
        return (
            recursive(values, factor, adjust=seed == "adjusted_weights") if seed else seeded(values, of.period, factor)
        )

    for seed, factor in product(("first_value_seed", "adjusted_weights", ""), (usual, wilder)):
        names = _names(seed, "wilder_smoothing" if factor != usual else "")
        if names:
            yield Formula(names, partial(value, source=of.source, factor=factor, seed=seed))
    for source, seed in product(_others(of.source), ("", "first_value_seed")):
        yield Formula(_names(seed, f"source_{source}"), partial(value, source=source, factor=usual, seed=seed))


def _averages(period: int) -> list[tuple[tuple[str, ...], Smooth]]:
    """Ways to smooth, beside Wilder's from a mean."""
    wilder, usual = 1 / period, 2 / (period + 1)
    return [
        (("first_value_seed",), partial(recursive, factor=wilder)),
        (("adjusted_weights",), partial(recursive, factor=wilder, adjust=True)),
        (("exponential_smoothing",), partial(seeded, period=period, factor=usual)),
        (("exponential_smoothing", "first_value_seed"), partial(recursive, factor=usual)),
        (("exponential_smoothing", "adjusted_weights"), partial(recursive, factor=usual, adjust=True)),
        (("simple_smoothing",), partial(plain, period=period)),
    ]


def _rsi(of: RSI, _: int) -> Iterator[Formula]:
    def value(bars: Bars, smooth: Smooth, first: bool, source: str) -> Floats:
        change = np.diff(_price(bars, source), prepend=np.nan)
        if first:
            change[:1] = 0.0
        gain, loss = smooth(np.maximum(change, 0.0)), smooth(np.maximum(-change, 0.0))
        return ratio(100 * gain, gain + loss)

    wilder: Smooth = partial(seeded, period=of.period, factor=1 / of.period)
    for (names, smooth), first in product([((), wilder), *_averages(of.period)], (False, True)):
        shown = _names(*names, "first_bar_range" if first else "")
        if shown:
            yield Formula(shown, partial(value, smooth=smooth, first=first, source=of.source))
    for source in _others(of.source):
        yield Formula((f"source_{source}",), partial(value, smooth=wilder, first=False, source=source))


def _ranges(bars: Bars, first: bool) -> Floats:
    before = np.concatenate([[np.nan], bars.close[:-1]])
    found: Floats = np.maximum(bars.high, before) - np.minimum(bars.low, before)
    if first:
        found[:1] = bars.high[:1] - bars.low[:1]
    return found


def _true_range(_: TrueRange, __: int) -> Iterator[Formula]:
    yield Formula(("first_bar_range",), partial(_ranges, first=True))


def _atr(of: ATR, _: int) -> Iterator[Formula]:
    def value(bars: Bars, smooth: Smooth, first: bool) -> Floats:
        return smooth(_ranges(bars, first))

    wilder: Smooth = partial(seeded, period=of.period, factor=1 / of.period)
    for (names, smooth), first in product([((), wilder), *_averages(of.period)], (False, True)):
        shown = _names(*names, "first_bar_range" if first else "")
        if shown:
            yield Formula(shown, partial(value, smooth=smooth, first=first))


_WINDOWS: tuple[tuple[tuple[str, ...], int, bool], ...] = (
    ((), 0, False),
    (("sample_deviation",), 0, True),
    (("partial_windows",), 1, False),
    (("partial_windows", "sample_deviation"), 1, True),
)
"""Names, the least values of a window (0: all), and whether the deviation is that of a sample."""


def _stddev(of: StandardDeviation, _: int) -> Iterator[Formula]:
    def value(bars: Bars, least: int, sample: bool, source: str) -> Floats:
        return deviation(_price(bars, source), of.period, least or of.period, sample)

    for names, least, sample in _WINDOWS[1:]:
        yield Formula(names, partial(value, least=least, sample=sample, source=of.source))
    for source in _others(of.source):
        yield Formula((f"source_{source}",), partial(value, least=0, sample=False, source=source))


def _bollinger(of: Bollinger, part: int) -> Iterator[Formula]:
    name = of.parts[part]
    if name == "middle":
        yield from _sma(SMA(of.period, of.source), 0)
        return

    def value(bars: Bars, least: int, sample: bool, unit: str, source: str) -> Floats:
        x = _price(bars, source)
        middle = plain(x, of.period, least or of.period)
        half: Floats = of.deviations * deviation(x, of.period, least or of.period, sample)
        if name != "width":
            return middle + half if name == "upper" else middle - half
        return 2 * half if unit == "price_width" else ratio(2 * half, middle) * (100.0 if unit else 1.0)

    units = ("", "price_width", "percent") if name == "width" else ("",)
    for (names, least, sample), unit in product(_WINDOWS, units):
        shown = _names(*names, unit)
        if shown:
            yield Formula(shown, partial(value, least=least, sample=sample, unit=unit, source=of.source))
    for source in _others(of.source):
        yield Formula((f"source_{source}",), partial(value, least=0, sample=False, unit="", source=source))


def _percent_b(of: PercentB, _: int) -> Iterator[Formula]:
    def value(bars: Bars, least: int, sample: bool, unit: str) -> Floats:
        x = _price(bars, of.source)
        middle = plain(x, of.period, least or of.period)
        half = of.deviations * deviation(x, of.period, least or of.period, sample)
        return (0.5 + ratio(x - middle, 2 * half)) * (100.0 if unit else 1.0)

    for (names, least, sample), unit in product(_WINDOWS, ("", "percent")):
        shown = _names(*names, unit)
        if shown:
            yield Formula(shown, partial(value, least=least, sample=sample, unit=unit))


def _macd(of: MACD, part: int) -> Iterator[Formula]:
    fast, slow, signal = (2 / (n + 1) for n in (of.fast, of.slow, of.signal))

    def line_of(values: Floats, way: str) -> Floats:
        if way in ("first_value_seed", "adjusted_weights"):
            adjust = way == "adjusted_weights"
            return recursive(values, fast, adjust) - recursive(values, slow, adjust)
        late = of.slow - of.fast if way == "aligned_seeds" else 0
        return seeded(values, of.fast, fast, late) - seeded(values, of.slow, slow)

    smooths: dict[str, Smooth] = {
        "first_value_seed": partial(recursive, factor=signal),
        "adjusted_weights": partial(recursive, factor=signal, adjust=True),
        "simple_signal": partial(plain, period=of.signal),
    }

    def value(bars: Bars, way: str, simple: bool) -> Floats:
        line = line_of(_price(bars, of.source), way)
        if part == 0:
            return line
        usual: Smooth = partial(seeded, period=of.signal, factor=signal)
        smoothed = smooths.get("simple_signal" if simple else way, usual)(line)
        return smoothed if part == 1 else line - smoothed

    ways = ("", "first_value_seed", "adjusted_weights", "aligned_seeds")
    for way, simple in product(ways, (False, True) if part else (False,)):
        shown = _names(way, "simple_signal" if simple else "")
        if shown:
            yield Formula(shown, partial(value, way=way, simple=simple))


def _vwap(of: VWAP, _: int) -> Iterator[Formula]:
    def value(bars: Bars, price: str, anchor: str) -> Floats:
        group = np.cumsum((bars.anchor & ANCHORS[anchor]) != 0)
        return ratio(sums(_price(bars, price) * bars.volume, group), sums(bars.volume, group))

    for price, anchor in product(("hlc3", "close", "ohlc4", "hl2", "open"), ANCHORS):
        shown = _names("" if price == "hlc3" else f"vwap_on_{price}", "" if anchor == of.anchor else f"anchor_{anchor}")
        if shown:
            yield Formula(shown, partial(value, price=price, anchor=anchor))


def _names(*names: str) -> tuple[str, ...]:
    return tuple(filter(None, names))


_FAMILIES: dict[type[Indicator], Callable[[Any, int], Iterator[Formula]]] = {
    SMA: _sma,
    EMA: _ema,
    WMA: _wma,
    RSI: _rsi,
    ATR: _atr,
    TrueRange: _true_range,
    StandardDeviation: _stddev,
    Bollinger: _bollinger,
    PercentB: _percent_b,
    MACD: _macd,
    VWAP: _vwap,
}
