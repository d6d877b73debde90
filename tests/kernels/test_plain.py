"""Checked pointers refuse what a raw pointer would read in silence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.kernels.plain import address, entry, inline, routine, shift


@given(size=st.integers(0, 20), moves=st.lists(st.integers(-25, 25), max_size=3), index=st.integers(-30, 50))
def test_a_pointer_reads_its_array_and_nothing_else(size: int, moves: list[int], index: int) -> None:
    array = np.arange(size, dtype=np.float64)
    pointer = address(array)
    for count in moves:
        pointer = shift(pointer, count)
    place = sum(moves) + index
    if 0 <= place < size:
        assert pointer[index] == place
        pointer[index] = -1.0
        assert array[place] == -1.0
    else:
        with pytest.raises(IndexError, match="outside"):
            pointer[index]
        with pytest.raises(IndexError, match="outside"):
            pointer[index] = 0.0


def test_a_table_is_read_row_by_row() -> None:
    assert address(np.arange(6.0).reshape(2, 3))[4] == 4.0


def test_a_table_with_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="contiguous"):
        address(np.arange(12.0).reshape(3, 4)[:, :2])


def test_marks_leave_functions_as_they_are() -> None:
    def function() -> float:
        return float(np.float64(0.0) / np.float64(0.0))

    assert inline(function) is function
    assert routine(function) is function
    assert np.isnan(entry("float64()")(function)())
    with pytest.raises(TypeError, match="signature"):
        entry("")
