"""Small examples that can be checked by head, and the cases where libraries differ."""

from __future__ import annotations

import numpy as np
import pytest

from candlewick.bars import Bars
from candlewick.engine.laws import whole
from candlewick.engine.trial_bars import bars_from_closes
from candlewick.indicators import ATR, EMA, MACD, RSI, SMA, VWAP, WMA, Bollinger, PercentB, Stochastic, TrueRange
from candlewick.indicators.indicator import Indicator

pytestmark = pytest.mark.kernel

NAN = float("nan")


def values_of(
    indicator: Indicator, *, row: int = 0, anchor: list[int] | None = None, **columns: list[float]
) -> list[float]:
    """One column over bars with these columns; those not given repeat the closes, volume is 1."""
    close = np.array(columns.get("close", columns.get("high")), dtype=np.float64)
    bars = bars_from_closes(close)
    given = {name: np.array(columns.get(name, close), dtype=np.float64) for name in ("open", "high", "low", "close")}
    given["volume"] = np.array(columns.get("volume", np.ones(len(close))), dtype=np.float64)
    marks = np.array(anchor if anchor is not None else [7, *[0] * (len(close) - 1)], dtype=np.uint8)
    made = Bars.made(
        "X",
        bars.timeframe,
        bars.calendar,
        bars.microseconds,
        given,
        n=bars.n,
        final=bars.final,
        anchor=marks,
        source=bars.source,
    )
    return whole(indicator, made)[row].tolist()


def same(found: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_sma() -> None:
    same(values_of(SMA(3), close=[1, 2, 3, 7]), [NAN, NAN, 2, 4])


def test_sma_of_another_source() -> None:
    same(values_of(SMA(2, "volume"), close=[1, 1, 1], volume=[10, 20, 60]), [NAN, 15, 40])


def test_ema_is_seeded_by_the_mean() -> None:
    same(values_of(EMA(3), close=[1, 2, 6, 7]), [NAN, NAN, 3, 5])


def test_wma_weighs_the_newest_most() -> None:
    same(values_of(WMA(3), close=[1, 2, 3, 10]), [NAN, NAN, 14 / 6, (2 + 6 + 30) / 6])


def test_rsi_of_rises_is_100_of_falls_0_of_nothing_undefined() -> None:
    same(values_of(RSI(2), close=[1, 2, 3, 4]), [NAN, NAN, 100, 100])
    same(values_of(RSI(2), close=[4, 3, 2, 1]), [NAN, NAN, 0, 0])
    same(values_of(RSI(2), close=[5, 5, 5, 5, 6]), [NAN, NAN, NAN, NAN, 100])


def test_rsi_of_a_stop_that_outlasts_every_digit_is_undefined() -> None:
    found = values_of(RSI(2), close=[1, 2, 1, *[1.5] * 1100])
    assert found[10] == pytest.approx(found[20])
    assert np.isnan(found[-1])


def test_true_range_reaches_to_the_close_before() -> None:
    found = values_of(TrueRange(), high=[10, 15, 9], low=[8, 14, 7], close=[9, 14.5, 8])
    same(found, [NAN, 6, 7.5])


def test_atr_starts_after_its_period() -> None:
    found = values_of(ATR(2), high=[10, 11, 12, 20], low=[8, 9, 10, 10], close=[9, 10, 11, 15])
    same(found, [NAN, NAN, 2, 6])


def test_vwap_starts_again_at_the_session_and_is_undefined_without_volume() -> None:
    closes, volumes = [10.0, 20, 30, 40, 50], [0.0, 1, 1, 0, 2]
    same(values_of(VWAP(), close=closes, volume=volumes, anchor=[7, 0, 0, 1, 0]), [NAN, 20, 25, NAN, 50])
    same(values_of(VWAP("first"), close=closes, volume=volumes, anchor=[7, 0, 0, 1, 0]), [NAN, 20, 25, 25, 37.5])
    same(values_of(VWAP("week"), close=closes, volume=volumes, anchor=[7, 0, 3, 1, 0]), [NAN, 20, 30, 30, 130 / 3])


def test_bollinger_uses_the_population_deviation_and_width_is_a_ratio() -> None:
    closes = [1.0, 3.0]
    assert [values_of(Bollinger(2, 2), row=k, close=closes)[1] for k in range(4)] == [4.0, 2.0, 0.0, 2.0]


def test_width_is_undefined_at_middle_0_and_percent_b_at_width_0() -> None:
    assert np.isnan(values_of(Bollinger(2, 2), row=3, close=[-0.1, 0.1, -0.1])[1:]).all()
    assert np.isnan(values_of(PercentB(2, 2), close=[5, 5, 5])[1:]).all()
    same(values_of(PercentB(2, 1), close=[1, 3, 1]), [NAN, 1, 0])


def test_macd_averages_are_each_seeded_by_their_own_mean() -> None:
    closes = [1.0, 2, 4, 8]
    same(
        values_of(MACD(1, 2, 2), row=0, close=closes),
        [NAN, 0.5, 4 - (1.5 + 2 / 3 * 2.5), 8 - (19 / 6 + 2 / 3 * (8 - 19 / 6))],
    )
    signal = values_of(MACD(1, 2, 2), row=1, close=closes)
    same(signal[:3], [NAN, NAN, (0.5 + 4 - (1.5 + 5 / 3)) / 2])


def test_stochastic_places_the_close_in_the_range() -> None:
    found = values_of(Stochastic(2, 1, 1), high=[10, 12, 12], low=[8, 9, 11], close=[9, 11, 12])
    same(found, [NAN, 75, 100])


def test_stochastic_of_a_zero_range_spoils_only_the_means_it_is_in() -> None:
    flat = [5.0, 5, 5, 6, 7, 8, 9]
    raw = values_of(Stochastic(2, 1, 1), close=flat)
    assert np.isnan(raw[:3]).all()
    assert np.isfinite(raw[3:]).all()
    smoothed = values_of(Stochastic(2, 2, 1), close=flat)
    assert np.isnan(smoothed[3])
    assert np.isfinite(smoothed[4:]).all()
