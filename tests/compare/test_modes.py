"""Modes: what a recursion carries from before, found from what it shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import candlewick as cw
from candlewick.compare.modes import carried
from candlewick.compare.titles import meaning_of

COLUMNS = ("ema_9", "atr_14", "rsi_14", "macd_12_26_9_line", "macd_12_26_9_signal", "macd_12_26_9_histogram", "vwap")


@settings(max_examples=20)
@given(column=st.sampled_from(COLUMNS), first=st.integers(60, 150), digits=st.sampled_from([None, 2, 4]))
def test_a_longer_history_is_found_again(candles, column, first, digits):
    bars = cw.aggregate(candles, "5m")
    meaning = meaning_of(column)
    theirs = cw.compute(bars, meaning.indicator)[column][first:].copy()
    exact = theirs.copy()
    half = 1e-9 * 400 if digits is None else 0.5 * 10.0**-digits
    if digits is not None:
        theirs = np.round(theirs, digits)
    found = carried(meaning, bars.rows(first, len(bars)), theirs, np.full(len(theirs), half))
    assert found == pytest.approx(theirs, abs=half * 1.01)
    assert found == pytest.approx(exact, abs=2.2 * half)


def test_what_carries_nothing_and_what_is_too_short(candles):
    bars = cw.aggregate(candles, "5m").rows(0, 40)
    values = np.linspace(1, 2, 40)
    assert carried(meaning_of("sma_9"), bars, values, np.ones(40)) is None
    assert carried(meaning_of("ema_9"), bars, np.full(40, np.nan), np.ones(40)) is None
    assert carried(meaning_of("ema_9"), bars.rows(0, 3), values[:3], np.ones(3)) is None
    assert carried(meaning_of("ema_9"), bars, values, np.zeros(40)) is None
