"""The same names as ``compiled``, in ordinary Python: pointers check every index that they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

F = TypeVar("F", bound=Callable[..., Any])


def sqrt(value: float) -> Any:
    """The square root as compiled code has it: NaN below 0, not an error."""
    return np.sqrt(value)


def inline(function: F) -> F:
    """Marks a function that is inlined into its caller; here it is left as it is."""
    return function


def routine(function: F) -> F:
    """Marks a function that is called, not inlined; here it is left as it is."""
    return function


def entry(signature: str) -> Callable[[F], F]:
    """Marks a function called from Python; here only the signature's presence is checked."""
    if not signature:
        raise TypeError("an entry needs a signature")

    def mark(function: F) -> F:
        def called(*arguments: Any) -> Any:
            with np.errstate(all="ignore"):  # as compiled code has it: 0/0 is NaN
                return function(*arguments)

        return called  # type: ignore[return-value]

    return mark


class CheckedPointer:
    """A flat view of an array that refuses indices outside it. Reads give numpy scalars, so 0/0 is NaN as compiled."""

    __slots__ = ("_flat", "_start")

    def __init__(self, array: npt.NDArray[Any], start: int = 0) -> None:
        if not array.flags.c_contiguous:
            raise ValueError("a pointer needs a contiguous array")
        self._flat = array.reshape(-1)
        self._start = start

    def moved(self, count: int) -> CheckedPointer:
        """A pointer ``count`` elements on."""
        return CheckedPointer(self._flat, self._start + int(count))

    def __getitem__(self, index: int) -> Any:
        return self._flat[self._inside(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        self._flat[self._inside(index)] = value

    def _inside(self, index: int) -> int:
        place = self._start + int(index)
        if not 0 <= place < self._flat.size:
            raise IndexError(f"pointer index {place} outside 0 to {self._flat.size - 1}")
        return place


def address(array: npt.NDArray[Any]) -> CheckedPointer:
    """An array as a checked pointer."""
    return CheckedPointer(array)


def shift(pointer: CheckedPointer, count: int) -> CheckedPointer:
    """A pointer moved on by ``count`` elements."""
    return pointer.moved(count)
