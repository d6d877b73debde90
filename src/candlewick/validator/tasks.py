"""Tasks: a list of small expectations that a check goes through; each that is not met is a finding with its words."""

from __future__ import annotations

from typing import Any


class Tasks:
    """``done`` counts all of them, ``missed`` says which were not met."""

    def __init__(self) -> None:
        self.done = 0
        self.missed: list[str] = []

    def expect(self, good: bool, words: str, found: Any = None) -> bool:
        """Note one expectation, and what was found instead when it is not met."""
        self.done += 1
        if not good:
            self.missed.append(words if found is None else f"{words}: found {str(found)[:200]}")
        return good

    def reason(self) -> str:
        """The first that was missed, and how many there are."""
        return f"{len(self.missed)} of {self.done} expectations missed, the first: {(*self.missed, '')[0]}"
