"""Text forms, columns and the errors of what cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import InputError
from candlewick.indicators import (
    ATR,
    EMA,
    MACD,
    PRESETS,
    REGISTRY,
    RSI,
    SMA,
    VWAP,
    WMA,
    Bollinger,
    Indicator,
    PercentB,
    StandardDeviation,
    Stochastic,
    TrueRange,
    parse_indicators,
    register,
)
from candlewick.indicators.indicator import LONGEST, SOURCES
from candlewick.indicators.registry import signature_of

PERIODS = st.integers(1, LONGEST)
WIDTHS = st.one_of(st.integers(1, 9), st.floats(0.01, 1e6, allow_nan=False))
ANY = st.one_of(
    st.builds(SMA, PERIODS, st.sampled_from(SOURCES)),
    st.builds(EMA, PERIODS, st.sampled_from(SOURCES)),
    st.builds(WMA, PERIODS, st.sampled_from(SOURCES)),
    st.builds(RSI, PERIODS, st.sampled_from(SOURCES)),
    st.builds(ATR, PERIODS),
    st.builds(TrueRange),
    st.builds(StandardDeviation, PERIODS, st.sampled_from(SOURCES)),
    st.builds(VWAP, st.sampled_from(["session", "week", "month", "first"])),
    st.builds(Bollinger, PERIODS, WIDTHS, st.sampled_from(SOURCES)),
    st.builds(PercentB, PERIODS, WIDTHS, st.sampled_from(SOURCES)),
    st.builds(Stochastic, PERIODS, PERIODS, PERIODS),
    st.builds(MACD, st.integers(1, 50), st.integers(51, LONGEST), PERIODS, st.sampled_from(SOURCES)),
)


@given(ANY)
def test_text_gives_the_definition_back(indicator: Indicator) -> None:
    assert parse_indicators(indicator.text) == (indicator,)


@given(st.lists(ANY, min_size=1, max_size=6))
def test_different_definitions_have_different_columns(indicators: list[Indicator]) -> None:
    columns = [name for indicator in set(indicators) for name in indicator.columns]
    assert len(set(columns)) == len(columns)
    assert all(name.replace("_", "").isalnum() for name in columns if "e" not in name.split("_")[-2:][0])


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("sma(9)", ("sma_9",)),
        ("sma(9,high)", ("sma_9_high",)),
        ("ema(50)", ("ema_50",)),
        ("rsi(14)", ("rsi_14",)),
        ("rsi", ("rsi_14",)),
        ("atr(14)", ("atr_14",)),
        ("true_range", ("true_range",)),
        ("vwap", ("vwap",)),
        ("vwap(session)", ("vwap",)),
        ("vwap(first)", ("vwap_first",)),
        ("vwap(week)", ("vwap_week",)),
        ("vwap(month)", ("vwap_month",)),
        ("bollinger(20,2)", tuple(f"bollinger_20_2_{p}" for p in ("upper", "middle", "lower", "width"))),
        ("bollinger(20,2.0)", tuple(f"bollinger_20_2_{p}" for p in ("upper", "middle", "lower", "width"))),
        (
            "bollinger(20, 2.5, high)",
            tuple(f"bollinger_20_2p5_high_{p}" for p in ("upper", "middle", "lower", "width")),
        ),
        ("percent_b(20,2)", ("percent_b_20_2",)),
        ("macd(12,26,9)", ("macd_12_26_9_line", "macd_12_26_9_signal", "macd_12_26_9_histogram")),
        ("stochastic(14,3,3)", ("stochastic_14_3_3_k", "stochastic_14_3_3_d")),
    ],
)
def test_columns(text: str, columns: tuple[str, ...]) -> None:
    (indicator,) = parse_indicators(text)
    assert indicator.columns == columns
    assert str(indicator) == indicator.text


def test_presets_separators_and_repeats() -> None:
    desk = parse_indicators("desk")
    assert [indicator.text for indicator in desk] == PRESETS["desk"].split()
    assert parse_indicators("desk, sma(9), sma(3)") == (*desk, SMA(3))
    assert parse_indicators(["sma(3)", EMA(4), "desk"])[:2] == (SMA(3), EMA(4))
    assert parse_indicators(EMA(4)) == (EMA(4),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("smaa(9)", "indicator: 'smaa' is unknown; nearest: .*sma"),
        ("dsk", "indicator: 'dsk' is unknown; nearest: desk"),
        ("sma", r"indicator: 'sma\(\)' has too few or too many parameters; write it as sma\(period, source=close\)"),
        ("sma(9,close,3)", "too few or too many"),
        ("vwap(9,9)", "too few or too many"),
        ("sma(0)", "period: 0 is not valid; give a whole number of bars from 1 to 100000"),
        ("sma(-3)", "period: -3"),
        ("sma(2.5)", "period: 2.5"),
        ("sma(100001)", "period: 100001"),
        ("sma(nine)", "period: 'nine'"),
        ("sma(9,hihg)", "source: 'hihg' is unknown; nearest: high"),
        ("bollinger(20,0)", "deviations: 0"),
        ("bollinger(20,-1)", "deviations: -1"),
        ("bollinger(20,nan)", "deviations: nan"),
        ("bollinger(20,inf)", "deviations: inf"),
        ("bollinger(20,high)", "deviations: 'high'"),
        ("macd(26,12,9)", r"fast: 26 is not faster; give fewer bars than slow has \(12\)"),
        ("macd(12,26,0)", "signal: 0"),
        ("stochastic(14,0,3)", "smooth: 0"),
        ("atr(x)", "period: 'x'"),
        ("vwap(year)", "anchor: 'year' is unknown"),
        ("sma(9", "cannot be read"),
        ("sma(9))", "cannot be read"),
        ("sma(9),", "ends with a comma"),
        ("9", "cannot be read"),
        ("", "names no indicator"),
        ("  ", "cannot be read"),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_indicators(text)


@pytest.mark.parametrize("specs", [[], [9], [None]])
def test_what_is_no_spec(specs: list[object]) -> None:
    with pytest.raises(InputError, match="indicators"):
        parse_indicators(specs)  # type: ignore[arg-type]


def test_booleans_are_no_periods() -> None:
    with pytest.raises(InputError, match="period: True"):
        SMA(True)
    with pytest.raises(InputError, match="deviations: True"):
        Bollinger(20, True)


def test_a_taken_name_is_refused() -> None:
    class Other(SMA):
        pass

    with pytest.raises(InputError, match="'sma' is registered already"):
        register(Other)
    register(SMA)
    assert REGISTRY["sma"] is SMA


def test_signatures_show_defaults() -> None:
    assert signature_of(Bollinger) == "bollinger(period=20, deviations=2.0, source=close)"
    assert signature_of(TrueRange) == "true_range"


def test_the_base_promises_nothing_of_its_own() -> None:
    base = Indicator()
    for name in ("parameters", "warm_up"):
        with pytest.raises(NotImplementedError):
            getattr(base, name)
    with pytest.raises(NotImplementedError):
        base.exact(None)  # type: ignore[arg-type]
