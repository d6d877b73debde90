"""Titles: what other platforms call their columns."""

from __future__ import annotations

import pytest

from candlewick.compare.titles import everything, meaning_of, read_title
from candlewick.errors import UnknownNameError


@pytest.mark.parametrize(
    ("title", "how", "column"),
    [
        ("Open", "name", "open"),
        ("Volume", "name", "volume"),
        ("<CLOSE>", "name", "close"),
        ("sma_9_high", "name", "sma_9_high"),
        ("bollinger_20_2p5_upper", "name", "bollinger_20_2p5_upper"),
        ("EMA 9", "said", "ema_9"),
        ("EMA (21)", "said", "ema_21"),
        ("SMA(50)", "said", "sma_50"),
        ("RSI 14", "said", "rsi_14"),
        ("BB Upper (20, 2.5)", "said", "bollinger_20_2p5_upper"),
        ("MACD 12 26 9", "said", "macd_12_26_9_line"),
        ("VWAP", "said", "vwap"),
        ("Basis", "kind", "bollinger_20_2_middle"),
        ("Upper", "kind", "bollinger_20_2_upper"),
        ("Lower Band", "kind", "bollinger_20_2_lower"),
        ("Bollinger BandWidth", "kind", "bollinger_20_2_width"),
        ("BB %B", "kind", "percent_b_20_2"),
        ("EMA", "kind", "ema_5"),
        ("MA", "kind", "sma_5"),
        ("WMA", "kind", "wma_5"),
        ("Signal", "kind", "macd_12_26_9_signal"),
        ("Histogram", "kind", "macd_12_26_9_histogram"),
        ("MACD", "kind", "macd_12_26_9_line"),
        ("%K", "kind", "stochastic_14_3_3_k"),
        ("%D", "kind", "stochastic_14_3_3_d"),
        ("ATR", "kind", "atr_14"),
        ("Average True Range", "kind", "atr_14"),
        ("True Range", "said", "true_range"),
        ("StdDev", "kind", "stddev_20"),
    ],
)
def test_what_a_title_means(title, how, column):
    found = read_title(title)
    assert (found.how, found.meanings[0].column) == (how, column)


@pytest.mark.parametrize("title", ["RSI-based MA", "Volume MA", "Smoothing Line"])
def test_what_is_none_of_ours(title):
    assert read_title(title).meanings == ()


@pytest.mark.parametrize("title", ["Plot", "Whatever", "x"])
def test_what_says_nothing_may_be_anything(title):
    assert (read_title(title).how, read_title(title).meanings) == ("none", tuple(everything()))


def test_numbers_that_are_no_parameters():
    found = read_title("EMA 9 close 0 1")
    assert found.how == "kind"
    assert found.meanings[0].column == "ema_9"  # the likeliest


def test_every_usual_definition_stands_once():
    columns = [meaning.column for meaning in everything()]
    assert len(set(columns)) == len(columns) > 90
    for meaning in everything():
        assert meaning.indicator.columns[meaning.part] == meaning.column
    assert meaning_of("close").part == 0
    with pytest.raises(UnknownNameError):
        meaning_of("nothing_9")
