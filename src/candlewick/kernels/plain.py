"""The same names as ``compiled``, in ordinary Python: pointers check every index that they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

F = TypeVar("F", bound=Callable[..., Any])


def inline(function: F) -> F:
    """Marks a function that is inlined into its caller; here it is left as it is."""
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

    __slots__ = ("_flat",)

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self._flat = array.reshape(-1)
        if not np.shares_memory(self._flat, array) and array.size:
            raise ValueError("a pointer needs a contiguous array")

    def __getitem__(self, index: int) -> Any:
        return self._flat[self._inside(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        self._flat[self._inside(index)] = value

    def _inside(self, index: int) -> int:
        if not 0 <= index < self._flat.size:
            raise IndexError(f"pointer index {index} outside 0 to {self._flat.size - 1}")
        return int(index)


def address(array: npt.NDArray[Any]) -> CheckedPointer:
    """An array as a checked pointer."""
    return CheckedPointer(array)
