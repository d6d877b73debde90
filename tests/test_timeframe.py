"""Timeframe: text form and back, and divides as a partial order."""

from __future__ import annotations

import pickle
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import InputError
from candlewick.timeframe import MINUTE, Span, Timeframe

MINUTES = st.integers(1, 1440)
TEXTS = st.one_of(
    MINUTES.map(lambda n: f"{n}m"), st.integers(1, 24).map(lambda n: f"{n}h"), st.sampled_from(["1d", "1w", "1mo"])
)
TIMEFRAMES = TEXTS.map(Timeframe.parse)


@given(TIMEFRAMES)
def test_text_and_back_is_the_same(timeframe: Timeframe) -> None:
    assert Timeframe.parse(str(timeframe)) == timeframe
    assert Timeframe.parse(timeframe) is timeframe
    assert hash(Timeframe.parse(str(timeframe))) == hash(timeframe)
    assert pickle.loads(pickle.dumps(timeframe)) == timeframe


@given(TEXTS)
def test_the_text_form_is_the_only_one_of_its_length(text: str) -> None:
    shown = str(Timeframe.parse(text))
    assert str(Timeframe.parse(shown)) == shown
    assert Timeframe.parse(f" {text}\n") == Timeframe.parse(text)


@given(MINUTES)
def test_an_intraday_length_is_its_minutes(minutes: int) -> None:
    timeframe = Timeframe.parse(f"{minutes}m")
    assert timeframe.intraday
    assert timeframe.minutes == minutes
    assert timeframe.microseconds == minutes * MINUTE


@given(TIMEFRAMES, TIMEFRAMES, TIMEFRAMES)
def test_divides_is_a_partial_order(a: Timeframe, b: Timeframe, c: Timeframe) -> None:
    assert a.divides(a)
    assert not (a.divides(b) and b.divides(a)) or a == b
    assert not (a.divides(b) and b.divides(c)) or a.divides(c)


@given(TIMEFRAMES, TIMEFRAMES)
def test_only_a_shorter_one_divides(a: Timeframe, b: Timeframe) -> None:
    assert not a.divides(b) or a <= b


@given(MINUTES, MINUTES)
def test_minutes_divide_as_numbers_do(a: int, b: int) -> None:
    assert Timeframe.parse(f"{a}m").divides(Timeframe.parse(f"{b}m")) == (b % a == 0)


def test_divides_between_sessions_weeks_and_months() -> None:
    divides = {(a, b) for a, b in product(("7m", "1d", "1w", "1mo"), repeat=2) if _parse(a).divides(_parse(b))}
    assert divides == {
        ("7m", "7m"), ("7m", "1d"), ("7m", "1w"), ("7m", "1mo"),
        ("1d", "1d"), ("1d", "1w"), ("1d", "1mo"), ("1w", "1w"), ("1mo", "1mo"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown", "span"),
    [
        ("1m", "1m", Span.PERIOD),
        ("60m", "1h", Span.PERIOD),
        ("90m", "90m", Span.PERIOD),
        ("240m", "4h", Span.PERIOD),
        ("24h", "24h", Span.PERIOD),
        ("1d", "1d", Span.SESSION),
        ("1w", "1w", Span.WEEK),
        ("1mo", "1mo", Span.MONTH),
    ],
)
def test_examples(text: str, shown: str, span: Span) -> None:
    timeframe = Timeframe.parse(text)
    assert str(timeframe) == shown
    assert repr(timeframe) == f"Timeframe('{shown}')"
    assert timeframe.span is span


def test_the_calendar_decides_the_length_of_a_session_week_or_month() -> None:
    assert [_parse(text).microseconds for text in ("1d", "1w", "1mo")] == [0, 0, 0]


def test_sorted_from_short_to_long() -> None:
    texts = ["1mo", "1w", "1d", "1h", "5m", "1m", "90m"]
    assert [str(each) for each in sorted(map(_parse, texts))] == ["1m", "5m", "1h", "90m", "1d", "1w", "1mo"]


NO_UNITS = ("", "m", "5", "5s", "5M", "5min", "1y")
NO_COUNTS = ("0m", "-5m", "05m", "1.5h", "1 d", "٥m", "1d1d")
NOT_TEXTS = (None, 5, b"5m", ["5m"])


@pytest.mark.parametrize("text", [*NO_UNITS, *NO_COUNTS, *NOT_TEXTS])
def test_what_is_no_timeframe_is_refused(text: object) -> None:
    with pytest.raises(InputError) as caught:
        Timeframe.parse(text, "bar")  # type: ignore[arg-type]
    assert caught.value.parameter == "bar"
    assert caught.value.value == text
    assert "1mo" in str(caught.value)


@pytest.mark.parametrize("text", ["1441m", "25h", "99999m"])
def test_longer_than_a_day_in_minutes_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is longer than a day"):
        Timeframe.parse(text)


@pytest.mark.parametrize("text", ["2d", "4w", "3mo"])
def test_several_sessions_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="counts several sessions, weeks or months"):
        Timeframe.parse(text)


def test_frozen() -> None:
    with pytest.raises(AttributeError):
        Timeframe.parse("5m").minutes = 6  # type: ignore[misc]


def _parse(text: str) -> Timeframe:
    return Timeframe.parse(text)
