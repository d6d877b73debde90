"""Summary: what an ingest did, every input row counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

SHOWN = 100
"""Warnings that are told; of more, how many there are."""


@dataclass(frozen=True)
class IngestSummary:
    """``rows == inserted + updated + unchanged + duplicates + quarantined``, always.

    ``rows``: data rows of the files; ``duplicates``: identical rows that collapsed into one; ``off_session``: stored
    rows outside the calendar's sessions (information: bars leave them out); ``symbols``: those that rows were stored
    for, sorted.
    """

    rows: int
    inserted: int
    updated: int
    unchanged: int
    duplicates: int
    quarantined: int
    off_session: int
    seconds: float
    symbols: list[str]
    warnings: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass
class Tally:
    """The counts while they grow."""

    rows: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    quarantined: int = 0
    off_session: int = 0
    symbols: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    def summary(self, seconds: float) -> IngestSummary:
        """The counts as they are."""
        figures = (self.inserted, self.updated, self.unchanged, self.duplicates, self.quarantined, self.off_session)
        return IngestSummary(self.rows, *figures, round(seconds, 3), sorted(self.symbols), _told(self.warnings))


def _told(warnings: Sequence[str]) -> list[str]:
    more = len(warnings) - SHOWN
    return [*warnings[:SHOWN], *([f"and {more:,} more warnings"] if more > 0 else [])]
