"""Served: an answer and how it came about, as the application hands it to whoever asked."""

from __future__ import annotations

from dataclasses import dataclass

from candlewick.service.answer import Answer

ARMS = ("classic", "optimized", "explicit")
"""Where a request was counted: in one of the two arms of the rollout, or in none since it named its engine."""

CHOICES = ("auto", "classic", "optimized")
"""What a caller may ask for: ``auto`` follows the rollout."""


@dataclass(frozen=True)
class Served:
    """``arm``: one of `ARMS`. ``fallback``: the arm's engine failed or overran, and V1 answered instead (then
    ``answer.engine`` is ``classic`` though ``arm`` is ``optimized``). ``seconds``: from the request to the answer."""

    answer: Answer
    arm: str
    fallback: bool
    seconds: float
