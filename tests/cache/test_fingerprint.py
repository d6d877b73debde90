"""Fingerprint: equal parts, equal digits; anything else, other digits."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from candlewick.cache.fingerprint import arithmetic_of, fingerprint, texts_of
from candlewick.indicators import parse_indicators

names = st.text(min_size=1, max_size=5)
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=6), st.lists(st.text(max_size=3)).map(tuple)
)
parts = st.dictionaries(names, values, max_size=5)


@given(parts, st.randoms(use_true_random=False))
def test_the_order_of_the_parts_is_nothing(given_parts: dict[str, Any], random: Any) -> None:
    shuffled = list(given_parts.items())
    random.shuffle(shuffled)
    digits = fingerprint(**given_parts)
    assert digits == fingerprint(**dict(shuffled))
    assert len(digits) == 32
    assert set(digits) <= set("0123456789abcdef")


@given(parts, parts)
def test_other_parts_other_digits(some: dict[str, Any], others: dict[str, Any]) -> None:
    assume(_typed(some) != _typed(others))
    assert fingerprint(**some) != fingerprint(**others)


def test_golden() -> None:
    """The digits are stored and compared by others: they change only on purpose."""
    assert fingerprint(symbol="SPY", revision=3, end=None, indicators=("sma(9)",)) == GOLDEN


def test_arithmetic_differs_by_what_computes() -> None:
    desk, average = parse_indicators("desk"), parse_indicators("sma(9)")
    assert len({arithmetic_of(()), arithmetic_of(average), arithmetic_of(desk)}) == 3
    assert arithmetic_of(average) == arithmetic_of(parse_indicators("sma(10)"))
    assert texts_of(average) == ("sma(9)",)


def _typed(given_parts: dict[str, Any]) -> Any:
    return {name: (type(value), value) for name, value in given_parts.items()}


GOLDEN = "981a1997e8680d9c7ea6961204d28536"
