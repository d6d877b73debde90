"""Every registered indicator is held to the laws, with usual, shortest and odd parameters."""

from __future__ import annotations

import pytest

from candlewick.indicators import REGISTRY, parse_indicators
from candlewick.testing.indicator_laws import IndicatorLaws

pytestmark = pytest.mark.kernel

HELD = [
    "sma(9)",
    "sma(1)",
    "sma(60,volume)",
    "ema(9)",
    "ema(1)",
    "ema(26,high)",
    "wma(14)",
    "wma(1)",
    "wma(50,low)",
    "rsi(14)",
    "rsi(1)",
    "rsi(3,open)",
    "atr(14)",
    "atr(1)",
    "true_range",
    "stddev(20)",
    "stddev(1)",
    "stddev(60,high)",
    "vwap",
    "vwap(first)",
    "vwap(week)",
    "vwap(month)",
    "bollinger(20,2)",
    "bollinger(2,0.5)",
    "bollinger(50,2.5,low)",
    "percent_b(20,2)",
    "percent_b(5,1.5,high)",
    "macd(12,26,9)",
    "macd(1,2,1)",
    "macd(5,35,5,open)",
    "stochastic(14,3,3)",
    "stochastic(1,1,1)",
    "stochastic(5,1,4)",
]


def _laws_of(text: str) -> type[IndicatorLaws]:
    (indicator,) = parse_indicators(text)
    name = "Test_" + "_".join(indicator.columns[0].split("_"))
    made = type(name, (IndicatorLaws,), {"indicator": indicator, "__module__": __name__})
    if text.partition("(")[0] in [one.partition("(")[0] for one in HELD[: HELD.index(text)]]:
        made.pytestmark = [pytest.mark.untraced]  # type: ignore[attr-defined]  # the first of a kind reaches its lines
    return made


for _text in HELD:
    _cls = _laws_of(_text)
    globals()[f"{_cls.__name__}_{HELD.index(_text)}"] = _cls
del _cls


def test_every_registered_indicator_is_held_to_the_laws() -> None:
    held = {parse_indicators(text)[0].kind for text in HELD}
    assert held == {kind for kind, cls in REGISTRY.items() if cls.__module__.startswith("candlewick.")}
