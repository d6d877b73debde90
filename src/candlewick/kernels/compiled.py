"""What a kernel's text is compiled with. No fast-math: contraction would make one candle differ from a batch."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

from numba import njit, types
from numba.extending import intrinsic

__all__ = ["address", "entry", "inline", "routine", "shift", "sqrt"]

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": False, "boundscheck": False}

inline = njit(forceinline=True, **_OPTIONS)
"""Marks a function that is inlined into its caller."""

routine = njit(**_OPTIONS)
"""Marks a function that is called, not inlined, by the entries of its kernel."""


def entry(signature: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Marks a function called from Python: compiled at once for this signature alone, kept on disk."""
    decorate: Callable[[Callable[..., Any]], Callable[..., Any]] = njit(signature, cache=True, **_OPTIONS)
    return decorate


@intrinsic  # type: ignore[untyped-decorator]
def address(_context: Any, array: Any) -> Any:
    """An array as a raw pointer to its first element: no reference count, no wrap-around of negative indices."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), code


@intrinsic  # type: ignore[untyped-decorator]
def shift(_context: Any, pointer: Any, _count: Any) -> Any:
    """A pointer moved on by a count of elements."""

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.gep(arguments[0], [arguments[1]])

    return pointer(pointer, types.int64), code
