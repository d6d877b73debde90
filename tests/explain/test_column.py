"""A column's name alone leads back to what defines it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import InputError, UnknownNameError
from candlewick.explain.column import BARS, Column
from candlewick.indicators import REGISTRY, Indicator, parse_indicators
from candlewick.indicators.indicator import SOURCES
from candlewick.indicators.vwap import ANCHORS

OURS = [cls for cls in REGISTRY.values() if cls.__module__.startswith("candlewick.")]


@st.composite
def definitions(draw: st.DrawFn) -> Indicator:
    """Any definition of ours."""
    cls = draw(st.sampled_from(OURS))
    period = st.integers(1, 100_000)
    values = {
        "source": st.sampled_from(SOURCES),
        "anchor": st.sampled_from(list(ANCHORS)),
        "deviations": st.integers(1, 9) | st.floats(1e-6, 1e20, exclude_min=True),
    }
    given_ = {field.name: draw(values.get(field.name, period)) for field in dataclasses.fields(cls)}
    if "fast" in given_:
        given_["fast"], given_["slow"] = sorted((given_["fast"], given_["slow"] + 1))
        given_["fast"] = min(given_["fast"], given_["slow"] - 1)
        if given_["slow"] > 100_000:
            given_["fast"], given_["slow"] = 5, 100_000
    return cls(**given_)


@given(one=definitions())
def test_every_column_of_every_definition_leads_back_to_it(one: Indicator) -> None:
    for column in one.columns:
        found = Column.of(column)
        assert found.indicator == one
        told = found.definition
        assert parse_indicators(told.text) == (one,)
        assert told.kind == one.kind
        assert dict(told.parameters) == dataclasses.asdict(one)
        assert told.part == (None if not one.parts else column.removeprefix(one.columns[0][: -len(one.parts[0])]))


@given(name=st.text(max_size=40))
def test_any_other_name_is_refused_in_words(name: str) -> None:
    try:
        found = Column.of(name)
    except InputError as error:
        told = error.parameter
    else:
        told = "column" if name in BARS or (found.indicator is not None and name in found.indicator.columns) else ""
    assert told == "column"


@given(one=definitions())
def test_needed_bars_never_exceed_the_warm_up(one: Indicator) -> None:
    needed = [Column.of(column).needed for column in one.columns]
    assert max(needed) == one.warm_up + 1
    assert min(needed) >= 1


@pytest.mark.parametrize(
    ("name", "text", "part", "needed"),
    [
        ("bollinger_20_2p5_upper", "bollinger(20,2.5)", "upper", 20),
        ("sma_9_high", "sma(9,high)", None, 9),
        ("vwap_week", "vwap(week)", None, 1),
        ("macd_12_26_9_line", "macd(12,26,9)", "line", 26),
        ("macd_12_26_9_signal", "macd(12,26,9)", "signal", 34),
        ("stochastic_14_3_3_k", "stochastic(14,3,3)", "k", 16),
        ("true_range", "true_range", None, 2),
        ("percent_b_5_1p5_high", "percent_b(5,1.5,high)", None, 5),
    ],
)
def test_examples(name: str, text: str, part: str | None, needed: int) -> None:
    found = Column.of(name)
    assert (found.definition.text, found.definition.part, found.needed) == (text, part, needed)


def test_a_definition_says_which_public_one_it_follows() -> None:
    told = Column.of("rsi_14").definition
    assert "TA-Lib's RSI" in told.follows
    assert told.reads == ("close",)
    assert Column.of("vwap").definition.reads == ("high", "low", "close", "volume")


def test_columns_of_bars() -> None:
    for name, meaning in BARS.items():
        told = Column.of(name).definition
        assert (told.meaning, told.part, dict(told.parameters)) == (meaning, None, {})
        assert Column.of(name).needed == 1


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("bollinger_20_upper", "bollinger_20_2_upper"),
        ("bollinger_50_upper", "bollinger_50_2_upper"),
        ("sma_9_hgh", "sma_9_high"),
        ("Close", "close"),
        ("rsi14", "rsi_14"),
        ("macd_12_26_line", "macd_12_26_9_line"),
        ("vwap_year", "vwap"),
        ("sma_9_close", "sma_9"),
    ],
)
def test_a_wrong_name_is_told_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError, match="column") as caught:
        Column.of(name)
    assert nearest in caught.value.nearest


def test_a_name_of_no_kind_is_told_a_form() -> None:
    with pytest.raises(UnknownNameError, match="give a column such as sma_9"):
        Column.of("zzz")


@pytest.mark.parametrize("name", ["", "x" * 201, 5, None])
def test_what_is_no_name(name: object) -> None:
    with pytest.raises(InputError, match="column"):
        Column.of(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["time", "final"])
def test_what_every_explanation_says(name: str) -> None:
    with pytest.raises(InputError, match="every explanation says it"):
        Column.of(name)


def test_an_indicator_that_says_nothing_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(REGISTRY["sma"], "__doc__", "SMA(period: int, source: str = 'close')")
    assert Column.of("sma_9").definition.follows == "simple moving average"
