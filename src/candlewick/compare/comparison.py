"""Comparison: what became of a reference: what was matched, what is equal, what differs, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FIRST = 5
"""Rows of a cause that are listed with it."""


@dataclass(frozen=True)
class Match:
    """A column of the reference, the one of ours that it is, and how that was found: ``name``, ``fit``, ``given``."""

    theirs: str
    ours: str
    how: str


@dataclass(frozen=True)
class Cause:
    """Why rows differ. ``kind``: ``formula labels session missing_bar zero_volume source history rounding undefined``;
    ``name``: the same, or which formula; ``says``: in words; ``also``: readings that explain as much.

    ``rows``: how many rows differ without it; ``first``: the first of their times. ``columns``: of ours. ``before``,
    ``after``: the largest difference in those rows without it and with it, None where one side had no value.
    ``evidence``: bars, values or digits that it is about.
    """

    kind: str
    name: str
    says: str
    rows: int
    first: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    before: float | None = None
    after: float | None = None
    evidence: tuple[Mapping[str, Any], ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """One value: ``theirs``, ``ours`` for the bar of that time, and ``expected``, ours with every cause applied.

    ``close``: of a value that nothing explains, the close of its bar that would.
    """

    column: str
    theirs: float | None
    ours: float | None
    expected: float | None
    explained: bool
    close: float | None = None


@dataclass(frozen=True)
class DifferingRow:
    """A row that differs: its time as the reference has it, the names of its causes, and the values that differ."""

    time: str
    causes: tuple[str, ...]
    explained: bool
    figures: tuple[Figure, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class Comparison:
    """A reference compared with ours. ``rows`` were compared, of which ``equal`` agree as they are.

    ``unmatched``: titles of theirs that none of our columns fits. ``beyond``: rows outside our series, not compared.
    ``refused``: lines that could not be used, with the reason.
    """

    symbol: str
    timeframe: str
    reference: str
    matched: tuple[Match, ...]
    unmatched: tuple[str, ...]
    rows: int
    equal: int
    beyond: int
    refused: tuple[tuple[int, str], ...]
    causes: tuple[Cause, ...]
    differing: tuple[DifferingRow, ...]

    @property
    def same(self) -> bool:
        """True when nothing differs."""
        return not self.differing

    @property
    def unexplained(self) -> tuple[DifferingRow, ...]:
        """The rows that no cause explains."""
        return tuple(row for row in self.differing if not row.explained)

    def cause(self, name: str) -> Cause | None:
        """The cause of a name; None when it is none of these."""
        return next((cause for cause in self.causes if cause.name == name), None)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: times ISO UTC, undefined None."""
        return {
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "reference": self.reference,
            "same": self.same,
            "rows": self.rows,
            "equal": self.equal,
            "differing": len(self.differing),
            "unexplained": len(self.unexplained),
            "beyond": self.beyond,
            "refused": [{"line": line, "reason": reason} for line, reason in self.refused],
            "matched": [asdict(match) for match in self.matched],
            "unmatched": list(self.unmatched),
            "causes": [_plain(asdict(cause)) for cause in self.causes],
            "differing_rows": [_plain(asdict(row)) for row in self.differing],
        }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value
