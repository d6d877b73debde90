"""A user's own indicators: found by entry point, tried against the laws, registered only when they hold them."""

from __future__ import annotations

import functools
import threading
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from candlewick.engine.generate import batch_text
from candlewick.engine.laws import check_all
from candlewick.engine.shape import Group
from candlewick.errors import CandlewickError, InputError
from candlewick.indicators import Indicator, register
from candlewick.kernels import cache_folder, kernel_version

GROUP = "candlewick.indicators"
"""Name of the entry points; each names a subclass of Indicator all of whose parameters have defaults."""

_lock = threading.Lock()


class RefusedIndicatorError(InputError):
    """An installed indicator that is not registered, and why."""


def admit_plugins() -> bool:
    """Try every installed plug-in once in a process. True when there are any. Raises RefusedIndicatorError."""
    with _lock:
        return _admitted()


def admit(name: str, cls: object) -> None:
    """Register one class after it has held every law with its default parameters. Raises RefusedIndicatorError.

    That it has is remembered on disk under the hash of its kernel, so that the trial is made once for each version.
    """
    if not (isinstance(cls, type) and issubclass(cls, Indicator)):
        raise RefusedIndicatorError("plug-in", name, "an entry point names a subclass of Indicator", "is refused")
    try:
        indicator = cls()
        held = _held(indicator)
        if not held.exists():
            check_all(indicator)
            held.parent.mkdir(parents=True, exist_ok=True)
            held.touch()
    except (CandlewickError, TypeError, ValueError, ArithmeticError, NotImplementedError, AttributeError) as error:
        raise RefusedIndicatorError("plug-in", name, str(error), "is refused") from error
    register(cls)


@functools.cache
def _admitted() -> bool:
    found: tuple[EntryPoint, ...] = tuple(entry_points(group=GROUP))
    for entry in found:
        admit(entry.name, entry.load())
    return bool(found)


def _held(indicator: Indicator) -> Path:
    text = f"{batch_text(Group.of([indicator]).shape)}\n{indicator.text}\n{indicator.exact.__code__.co_code.hex()}"
    return cache_folder() / "laws" / kernel_version(text)
