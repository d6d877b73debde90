"""Outcome: what became of one request, and of one request that both engines computed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import NamedTuple


class Verdict(StrEnum):
    """What comparing two answers says."""

    EQUAL = "equal"
    MISMATCH = "mismatch"
    V1_INEXACT = "v1 inexact"


class Result(StrEnum):
    """How an attempt ended. Refused: the caller's own mistake, such as an unknown symbol."""

    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"


class Attempt(NamedTuple):  # a tuple, because two or three are made for each request: a third of a dataclass's time
    """One engine at one request. ``error``: the exception's type; ``refused``: it was the caller's mistake;
    ``overrun``: the engine was given up on at its deadline."""

    engine: str
    seconds: float
    error: str | None = None
    refused: bool = False
    overrun: bool = False

    @property
    def result(self) -> Result:
        """Answered, refused or failed."""
        return Result.ANSWERED if self.error is None else Result.REFUSED if self.refused else Result.FAILED


@dataclass(frozen=True, slots=True)
class Pair:
    """One request at both engines. ``at``: monotonic seconds when it was asked.

    ``chosen``: it was decided before either engine ran that both would; only such pairs are evidence, because a failure
    of V2 brings V1's outcome along while a failure of V1, where V2 answers, would go unseen. ``first``: the first of
    its shape that V2 computed in this process, which says nothing about its speed. ``deadline``: seconds given to V2.
    """

    key: str
    step: int
    at: float
    v1: Attempt | None
    v2: Attempt | None
    verdict: Verdict | None = None
    chosen: bool = True
    first: bool = False
    deadline: float = inf


class Outcome(NamedTuple):
    """One request as the caller met it. ``arm``: ``classic``, ``optimized``, or ``explicit``.

    ``attempts``: every engine tried, in order, before and after a fallback. ``error``: what was raised in the end.
    """

    key: str
    step: int
    arm: str
    at: float
    seconds: float
    attempts: tuple[Attempt, ...]
    fallback: bool = False
    error: str | None = None
