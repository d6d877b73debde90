"""Check: one line of the checklist: a name, what it asks for, and how it is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from candlewick.validator.context import Context
from candlewick.validator.result import Figure, Result


@dataclass(frozen=True)
class Check:
    """``run`` measures and judges. ``threshold``: what is asked for, for when ``run`` ends with an error instead.

    ``apart``: it counts in a process of its own and times nothing, so it may run beside a check that times nothing.
    ``timed``: it goes by a clock, and nothing may run beside it.
    """

    name: str
    threshold: Figure
    run: Callable[[Context], Result]
    apart: bool = False
    timed: bool = True
