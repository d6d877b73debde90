"""Factory: a function by its text form ``module:function``, since a measuring process is told what to build in words.

So the validator needs to import neither the application nor the server, and tests hand in defective ones.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from candlewick.errors import InputError


def find_factory(path: str) -> Callable[..., Any]:
    """The function at ``module:function``. Raises InputError when there is none."""
    module, _, name = path.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError("factory", path, "give module:function of what is installed", "cannot be found") from error
    if not callable(found):
        raise InputError("factory", path, "give module:function", "is no function")
    function: Callable[..., Any] = found
    return function
