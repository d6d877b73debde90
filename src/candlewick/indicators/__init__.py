"""Indicators: one small file per family, each with its definition, its scalar step and its exact form."""

from candlewick.indicators.deviation import Bollinger, PercentB, StandardDeviation
from candlewick.indicators.indicator import Indicator
from candlewick.indicators.macd import MACD
from candlewick.indicators.moving_average import EMA, SMA, WMA
from candlewick.indicators.registry import PRESETS, REGISTRY, Specs, parse_indicators, register
from candlewick.indicators.rsi import RSI
from candlewick.indicators.stochastic import Stochastic
from candlewick.indicators.true_range import ATR, TrueRange
from candlewick.indicators.vwap import VWAP

__all__ = [
    "ATR",
    "EMA",
    "MACD",
    "PRESETS",
    "REGISTRY",
    "RSI",
    "SMA",
    "VWAP",
    "WMA",
    "Bollinger",
    "Indicator",
    "PercentB",
    "Specs",
    "StandardDeviation",
    "Stochastic",
    "TrueRange",
    "parse_indicators",
    "register",
]
