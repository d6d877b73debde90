"""Quarantined row: a row that was refused on its way in, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from candlewick.moments import iso


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that was refused, and why. ``content``: hash of the file's bytes; ``line``: physical line in a text file,
    row number from 1 elsewhere; ``at``: when it was refused, microseconds UTC. (content, line) is its identity."""

    content: str
    line: int
    file: str
    symbol: str
    reason: str
    row: str
    at: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the time in ISO UTC with Z."""
        return {
            "file": self.file,
            "line": self.line,
            "symbol": self.symbol,
            "reason": self.reason,
            "row": self.row,
            "at": iso(self.at),
            "content": self.content,
        }
