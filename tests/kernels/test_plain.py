"""Plain mode: pointers that refuse what a raw one would read, and the bits of compiled code."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.kernels import build, emit
from candlewick.kernels.build import jit_disabled
from candlewick.kernels.plain import CheckedPointer, address, entry, inline, routine, shift, sqrt

pytestmark = [pytest.mark.kernel, pytest.mark.traced]

TEXT = """
@routine
def mean(p, n):
    total = 0.0
    for i in range(n):
        total += p[i]
    return total / n

@entry("void(float64[::1], float64[::1], int64)")
def survey(values, out, skip):
    p = shift(address(values), skip)
    n = values.size - skip
    q = address(out)
    m = mean(p, n)
    squares = 0.0
    for i in range(n):
        squares += (p[i] - m) * (p[i] - m)
    q[0] = m
    q[1] = sqrt(squares / n)
    q[2] = sqrt(m)
    q[3] = m / (m - m)
    q[4] = inf - inf if m > 0.0 else nan
    q[5] = p[-1] if skip > 0 else 0.0

@entry("float64(float64[:, ::1])")
def total(table):
    p = address(table)
    result = 0.0
    for i in range(table.size):
        result += p[i]
    return result
"""
HOSTILE = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(st.lists(HOSTILE, min_size=1, max_size=12), st.integers(0, 4))
def test_plain_and_compiled_give_the_same_bits(values: list[float], skip: int) -> None:
    given_values = np.array(values, dtype=np.float64)
    skip = min(skip, len(values) - 1)
    out = np.zeros((2, 6))
    for row, plain in enumerate((True, None)):
        build("modes", TEXT, plain=plain).survey(given_values, out[row], skip)
    missing = np.isnan(out)
    assert (missing[0] == missing[1]).all()
    assert out[0][~missing[0]].tobytes() == out[1][~missing[1]].tobytes()


@given(st.integers(0, 4), st.integers(0, 4))
def test_a_table_is_one_line_of_numbers(rows: int, columns: int) -> None:
    table = np.arange(float(rows * columns)).reshape(rows, columns)
    assert build("modes", TEXT, plain=True).total(table) == build("modes", TEXT).total(table) == table.sum()


@given(st.integers(1, 20), st.integers(-25, 25), st.integers(-25, 25))
def test_an_index_outside_is_refused_and_inside_is_the_array(size: int, start: int, index: int) -> None:
    array = np.arange(float(size))
    pointer = shift(address(array), start)
    if 0 <= start + index < size:
        assert pointer[index] == array[start + index]
        pointer[index] = -1.0
        assert array[start + index] == -1.0
    else:
        before = array.copy()
        with pytest.raises(IndexError, match=f"pointer index {start + index} outside 0 to {size - 1}"):
            _ = pointer[index]
        with pytest.raises(IndexError, match="outside"):
            pointer[index] = -1.0
        np.testing.assert_array_equal(array, before)


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_moves_add_up(first: int, second: int) -> None:
    array = np.arange(40.0)
    middle = shift(address(array), 20)
    assert shift(shift(middle, first), second)[0] == shift(middle, first + second)[0] == 20.0 + first + second


def test_an_empty_array_has_no_first_element() -> None:
    with pytest.raises(IndexError, match="pointer index 0 outside"):
        _ = address(np.empty(0))[0]


@pytest.mark.parametrize("array", [np.arange(6.0)[::2], np.zeros((4, 4))[:, 1:3], np.asfortranarray(np.ones((3, 2)))])
def test_an_array_with_gaps_has_no_pointer(array: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="a pointer needs a contiguous array"):
        CheckedPointer(array)


def test_what_is_read_behaves_as_compiled_numbers_do() -> None:
    @entry("void(float64[::1])")
    def divide(values: npt.NDArray[np.float64]) -> Any:
        p = address(values)
        return p[0] / p[1], p[1] / p[1], sqrt(p[2])

    quotient, undefined, root = divide(np.array([1.0, 0.0, -1.0]))
    assert quotient == np.inf
    assert np.isnan(undefined)
    assert np.isnan(root)


def test_marks_leave_functions_as_they_are() -> None:
    def function(value: float) -> float:
        return value

    assert inline(function) is function
    assert routine(function) is function
    with pytest.raises(TypeError, match="an entry needs a signature"):
        entry("")


def test_a_kernel_that_reads_outside_is_found_out() -> None:
    text = '@entry("float64(float64[::1])")\ndef after(values):\n    return address(values)[values.size]\n'
    with pytest.raises(IndexError, match="pointer index 3 outside 0 to 2"):
        build("outside", text, plain=True).after(np.zeros(3))


SCALE = 3


def scaled(value: float) -> float:
    return SCALE * value


def half_root(value: float) -> float:
    if value < 0.0:
        return nan
    return sqrt(scaled(value)) * 0.5


def namesake() -> Callable[[float], float]:
    def scaled(value: float) -> float:
        return value * 5.0

    return scaled


def calling(function: Callable[..., Any]) -> str:
    """The text of a kernel that puts an array through a function."""
    return f"""{emit(function)}

@entry("void(float64[::1], float64[::1])")
def apply(values, out):
    p = address(values)
    q = address(out)
    for i in range(values.size):
        q[i] = {function.__name__}(p[i])
"""


@given(st.lists(HOSTILE, min_size=1, max_size=12))
def test_an_emitted_function_gives_the_same_bits_in_both_modes(values: list[float]) -> None:
    out = np.empty((2, len(values)))
    for row, plain in enumerate((True, None)):
        build("modes", calling(half_root), plain=plain).apply(np.array(values), out[row])
    missing = np.isnan(out)
    assert (missing[0] == missing[1]).all()
    assert out[0][~missing[0]].tobytes() == out[1][~missing[1]].tobytes()


@pytest.mark.parametrize(("function", "factor"), [(scaled, 3.0), (namesake(), 5.0)])
def test_a_plain_kernel_calls_the_very_function_that_was_emitted(function: Any, factor: float) -> None:
    kernel = build("original", calling(function), plain=True)
    out = np.empty(2)
    kernel.apply(np.array([1.0, -2.0]), out)
    assert out.tolist() == [factor, -2.0 * factor]
    assert (kernel.scaled is function) == (function is scaled)


@pytest.mark.skipif(jit_disabled(), reason="needs compiled code")
def test_an_entry_refuses_what_its_signature_does_not_name() -> None:
    with pytest.raises(TypeError):
        build("modes", TEXT).total(np.zeros((2, 2), dtype=np.float32))
