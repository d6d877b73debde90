"""Check: one line of the checklist: a name, what it asks for, and how it is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from candlewick.validator.context import Context
from candlewick.validator.result import Figure, Result


@dataclass(frozen=True)
class Check:
    """``run`` measures and judges. ``threshold``: what is asked for, for when ``run`` ends with an error instead."""

    name: str
    threshold: Figure
    run: Callable[[Context], Result]
