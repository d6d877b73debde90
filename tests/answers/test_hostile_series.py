"""Bounds on series made to hurt, drawn by hypothesis and stated by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlewick.engine import laws
from candlewick.engine.trial_bars import bars_from_closes
from candlewick.indicators import REGISTRY, Bollinger, Indicator, StandardDeviation, parse_indicators
from candlewick.indicators.exact import root

pytestmark = [pytest.mark.kernel, pytest.mark.untraced]

OURS = [parse_indicators("sma(9)")[0], *(cls() for kind, cls in REGISTRY.items() if kind not in ("sma", "ema", "wma"))]
OURS += [parse_indicators("ema(9)")[0], parse_indicators("wma(9)")[0]]


@st.composite
def hostile_closes(draw: st.DrawFn) -> np.ndarray:
    """Stretches of walks, flats, jumps and bad ticks at scales from 1e-8 to 1e8."""
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    pieces = []
    level = 10.0 ** draw(st.integers(-8, 6))
    for kind in draw(st.lists(st.sampled_from(["walk", "flat", "jump", "tick", "spread", "trend"]), max_size=8)):
        n = draw(st.integers(1, 80))
        if kind == "flat":
            pieces.append(np.full(n, level))
        elif kind == "walk":
            pieces.append(level + np.round(np.cumsum(random.normal(0, 2, n))) * level * 1e-4)
        elif kind == "jump":
            level *= 10.0 ** draw(st.integers(-2, 2))
        elif kind == "tick":
            pieces.append(np.array([1e8]))
        elif kind == "spread":
            pieces.append(np.round(random.normal(0, 3, n), 1) * level)
        else:
            pieces.append(level * (1.0 + 0.001 * np.arange(n)))
    return np.concatenate([np.full(3, level), *pieces])


@pytest.mark.parametrize("indicator", OURS, ids=str)
@settings(max_examples=settings().max_examples * 2 // 3)
@given(closes=hostile_closes())
def test_bounds_hold(indicator: Indicator, closes: np.ndarray) -> None:
    laws.check_bounds(indicator, bars_from_closes(closes, tick=abs(closes[0]) * 1e-4))


@pytest.mark.parametrize("indicator", OURS, ids=str)
@settings(max_examples=settings().max_examples * 2 // 3)
@given(closes=hostile_closes(), data=st.data())
def test_splits_hold(indicator: Indicator, closes: np.ndarray, data: st.DataObject) -> None:
    bars = bars_from_closes(closes, tick=abs(closes[0]) * 1e-4)
    laws.check_split(indicator, bars, data.draw(st.lists(st.integers(1, len(closes)), max_size=10)))
    laws.check_prefix(indicator, bars, [data.draw(st.integers(0, len(closes)))])


def relative_errors(closes: np.ndarray, period: int, first: int = 0) -> float:
    """Largest relative error of the rolling deviation from bar ``first`` on; exact zeros must be met exactly."""
    found = laws.whole(StandardDeviation(period), bars_from_closes(closes))[0]
    values = [Fraction(float(x)) for x in closes]
    worst = 0.0
    for t in range(max(first, period - 1), len(closes)):
        window = values[t - period + 1 : t + 1]
        mean = sum(window) / period
        exact = root(sum((x - mean) ** 2 for x in window) / period)
        if exact == 0:
            assert found[t] == 0.0
        else:
            worst = max(worst, float(abs(Fraction(float(found[t])) - exact) / exact))
    return worst


def tick_walk(n: int, start: float, tick: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return start + np.cumsum(random.integers(-2, 3, n)) * tick


@pytest.mark.parametrize("period", [5, 20, 100])
def test_deviation_at_price_1e5_with_tick_001(period: int) -> None:
    assert relative_errors(np.round(tick_walk(1200, 1e5, 0.01, 7), 2), period) <= 1e-11


@pytest.mark.parametrize("period", [5, 20, 100])
def test_deviation_after_a_bad_tick_has_left_the_window(period: int) -> None:
    closes = np.round(tick_walk(900, 100.0, 0.01, 8), 2)
    closes[300] = 1e8
    assert relative_errors(closes, period, first=300 + period) <= 1e-11


def test_deviation_keeps_its_digits_at_1e_8() -> None:
    assert relative_errors(tick_walk(900, 1e-8, 1e-12, 9), 20) <= 1e-11


@given(
    before=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
    level=st.floats(-1e6, 1e6),
    period=st.integers(1, 20),
    flat=st.integers(0, 300),
)
def test_flat_windows_are_exactly_0(before: list[float], level: float, period: int, flat: int) -> None:
    closes = np.array([*before, *[level] * (period + flat)])
    bars = bars_from_closes(closes, tick=0.0)
    deviation = laws.whole(StandardDeviation(period), bars)[0]
    assert (deviation[len(before) + period - 1 :] == 0.0).all()
    upper, middle, lower, width = laws.whole(Bollinger(period, 2.0), bars)[:, len(before) + period - 1 :]
    assert (upper == middle).all()
    assert (lower == middle).all()
    assert (width == 0.0).all() if level else np.isnan(width).all()
