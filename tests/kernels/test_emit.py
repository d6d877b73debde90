"""emit: the text of a step stands alone, or is refused."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from math import exp, inf, nan, sqrt
from types import FunctionType
from typing import Any

import numpy as np
import pytest

from candlewick.indicators import parse_indicators
from candlewick.kernels import emit

WEIGHT = 0.5
COUNT = 3
NUMPY_WEIGHT = np.float64(0.25)
FAR = -inf
FLAG = True
NOTHING = None
NAMES = ["a"]


def half(value: float) -> float:
    return value * WEIGHT


def step(value: float) -> float:
    if value < 0.0:
        return nan
    return half(value) + sqrt(max(value, FAR)) + COUNT * NUMPY_WEIGHT + int(FLAG)


def other(value: float) -> float:
    return half(half(value))


def attribute(value: Any) -> float:
    return float(value.WEIGHT + value.half)


alias = half


def through_alias(value: float) -> float:
    return alias(value)


def endless(value: float) -> float:
    return endless(value - 1.0)


def ping(value: float) -> float:
    return pong(value)


def pong(value: float) -> float:
    return ping(value)


def with_default(value: float, weight: float = WEIGHT) -> float:
    return value * weight


def with_keyword(value: float, *, weight: float = 2.0) -> float:
    return value * weight


def with_inner(value: float) -> float:
    def inner(x: float) -> float:
        return x

    return inner(value)


def with_generator(value: float) -> float:
    return sum(value for _ in range(3))


@functools.cache
def decorated(value: float) -> float:
    return value


def marked(function: Callable[..., float]) -> Callable[..., float]:
    return function


@marked
def with_decorator(value: float) -> float:
    return value


@functools.wraps(half)
def wrapped(value: float) -> float:
    return value


def uses_module(value: float) -> float:
    return math.floor(value)


def uses_builtin_of_a_module(value: float) -> float:
    return exp(value)


def uses_list(value: float) -> float:
    return value + len(NAMES)


def uses_none(value: float) -> float:
    return value if NOTHING is None else 0.0


def uses_nothing_known(value: float) -> float:
    return value + unheard_of  # type: ignore[name-defined,no-any-return]  # noqa: F821


def uses_class(value: float) -> float:
    return float(Fancy(value).value)


class Fancy:
    """Not for kernels."""

    def __init__(self, value: float) -> None:
        self.value = value


def closed_over(weight: float) -> Callable[[float], float]:
    def inner(value: float) -> float:
        return value * weight

    return inner


def namesake() -> Callable[[float], float]:
    def half(value: float) -> float:
        return value / 2.0

    return half


def run(text: str, name: str) -> Any:
    """The function of a text that stands alone but for what a kernel's header provides."""
    names: dict[str, Any] = {"inline": lambda function: function, "inf": inf, "nan": nan, "sqrt": sqrt}
    exec(compile(text, "kernel", "exec", flags=0), names)
    return names[name]


def test_the_text_stands_alone_and_does_the_same() -> None:
    alone = run(emit(step), "step")
    assert [alone(value) for value in (0.0, 2.0, 9.0)] == [step(value) for value in (0.0, 2.0, 9.0)]
    assert math.isnan(alone(-1.0))


def test_each_part_stands_once_and_before_its_user() -> None:
    text = emit(step, other, step)
    assert text.count("def half(") == text.count("def step(") == text.count("WEIGHT = 0.5") == 1
    assert text.index("WEIGHT = 0.5") < text.index("def half(") < text.index("def step(") < text.index("def other(")
    assert text.count("@inline") == 3


def test_numbers_of_numpy_and_infinities_are_written_as_plain_ones() -> None:
    lines = emit(step).splitlines()
    assert {"NUMPY_WEIGHT = 0.25", "FAR = -inf", "COUNT = 3", "FLAG = True"} <= set(lines)


def test_same_functions_same_text() -> None:
    assert emit(step, other) == emit(step, other)
    assert emit() == ""


def test_an_attribute_is_no_global() -> None:
    assert "WEIGHT =" not in emit(attribute)
    assert "def half" not in emit(attribute)


def test_a_function_written_inside_another_is_moved_to_the_margin() -> None:
    assert run(emit(namesake()), "half")(5.0) == 2.5


def test_a_changed_constant_changes_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    before = emit(half)
    monkeypatch.setitem(globals(), "WEIGHT", 0.75)
    assert emit(half) != before


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (through_alias, "through_alias uses alias, which is neither a number nor a plain function"),
        (uses_module, "uses_module uses math, which is neither"),
        (uses_builtin_of_a_module, "uses exp, which is neither"),
        (uses_list, "uses NAMES, which is neither"),
        (uses_none, "uses NOTHING, which is neither"),
        (uses_nothing_known, "uses unheard_of, which is neither"),
        (uses_class, "uses Fancy, which is neither"),
        (endless, "endless calls itself"),
        (ping, "ping calls itself"),
        (with_default, "with_default has a closure, a default or a function inside"),
        (with_keyword, "with_keyword has a closure, a default"),
        (with_inner, "with_inner has a closure, a default or a function inside"),
        (with_generator, "with_generator has a closure, a default or a function inside"),
        (closed_over(2.0), "inner has a closure"),
        (decorated, "is not a plain function"),
        (wrapped, "is not a plain function"),
        (with_decorator, "with_decorator is a lambda or has a decorator"),
        (lambda value: value, "is a lambda or has a decorator"),
        (Fancy, "is not a plain function"),
        (max, "is not a plain function"),
    ],
)
def test_what_cannot_stand_alone_is_refused(function: Callable[..., Any], problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        emit(function)


def test_two_things_of_one_name_are_refused() -> None:
    with pytest.raises(TypeError, match="two different things are called half in one kernel"):
        emit(half, namesake())
    elsewhere = FunctionType(half.__code__, {**globals(), "WEIGHT": 0.75})
    with pytest.raises(TypeError, match="two different things are called WEIGHT in one kernel"):
        emit(half, elsewhere)


def test_every_step_of_the_product_stands_alone() -> None:
    every = "desk wma(7) true_range stddev(5) percent_b(20,2) macd(12,26,9) stochastic(14,3,3)"
    for indicator in parse_indicators(every):
        text = emit(type(indicator).step)
        assert callable(run(text, type(indicator).step.__name__))
