"""Formulas: each against the same sum written out, and every one has its words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import candlewick as cw
from candlewick.compare.formulas import SAYS, formulas_of
from candlewick.compare.smoothing import deviation, plain, recursive, seeded, weighted
from candlewick.compare.titles import Meaning, everything, meaning_of

SERIES = st.lists(st.floats(1, 1000), min_size=1, max_size=40).map(np.array)


@given(values=SERIES, period=st.integers(1, 12))
def test_recursions(values, period):
    factor = 2 / (period + 1)
    average, expected = float(values[0]), []
    for value in values.tolist():
        average += factor * (value - average)
        expected.append(average)
    assert recursive(values, factor) == pytest.approx(np.array(expected))
    found = seeded(values, period, factor)
    assert np.isnan(found[: period - 1]).all()
    if len(values) >= period:
        average = float(values[:period].mean())
        assert found[period - 1] == pytest.approx(average)
        for value, one in zip(values[period:].tolist(), found[period:].tolist(), strict=True):
            average += factor * (value - average)
            assert one == pytest.approx(average)


@given(values=SERIES, period=st.integers(2, 12))
def test_windows(values, period):
    full, sample, part = (
        deviation(values, period, least, kind) for least, kind in ((period, False), (period, True), (1, False))
    )
    mean, some, heavy = plain(values, period), plain(values, period, 1), weighted(values, period)
    for t in range(len(values)):
        window = values[max(0, t - period + 1) : t + 1]
        assert some[t] == pytest.approx(window.mean())
        assert part[t] == pytest.approx(window.std(), abs=1e-9)
        if t < period - 1:
            assert np.isnan([full[t], sample[t], mean[t], heavy[t]]).all()
        else:
            assert full[t] == pytest.approx(window.std(), abs=1e-9)
            assert sample[t] == pytest.approx(window.std(ddof=1), abs=1e-9)
            assert mean[t] == pytest.approx(window.mean())
            assert heavy[t] == pytest.approx(np.average(window, weights=np.arange(1, period + 1)))


@settings(max_examples=10)
@given(cut=st.integers(1, 100))
def test_each_formula_gives_a_value_at_every_bar(candles, cut):
    bars = cw.aggregate(candles, "5m").rows(0, cut)
    for meaning in (meaning_of(name) for name in ("ema_9", "rsi_14", "atr_14", "vwap", "macd_12_26_9_histogram")):
        for formula in formulas_of(meaning):
            assert len(formula.values(bars)) == cut


def test_every_difference_has_its_words_and_every_way_its_names():
    named = set()
    for meaning in everything():
        ways = [formula.names for formula in formulas_of(meaning)]
        assert all(ways)
        assert len({frozenset(names) for names in ways}) == len(ways), meaning.column
        assert [len(names) for names in ways] == sorted(len(names) for names in ways)
        named |= {name for names in ways for name in names}
    named |= {name for formula in formulas_of(meaning_of("vwap_week")) for name in formula.names}
    named |= {name for formula in formulas_of(meaning_of("sma_9_high")) for name in formula.names}
    assert named == set(SAYS)
    assert formulas_of(Meaning("close")) == ()


def test_changed_formulas_are_really_others(candles):
    bars = cw.aggregate(candles, "5m")
    for column in ("ema_9", "rsi_14", "atr_14", "vwap", "bollinger_20_2_upper", "macd_12_26_9_signal", "wma_14"):
        meaning = meaning_of(column)
        ours = cw.compute(bars, meaning.indicator)[column]
        for formula in formulas_of(meaning):
            if not any(name.startswith("anchor_") for name in formula.names):
                assert not np.allclose(formula.values(bars), ours, rtol=1e-9, equal_nan=True), (column, formula.names)
