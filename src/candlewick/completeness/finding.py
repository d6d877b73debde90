"""Finding: one thing that is missing, late or suspicious, with the figures that say so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from candlewick.store.repository import iso
from candlewick.timeframe import Timeframe


class Kind(StrEnum):
    """What is found. The names are stable: users filter by them."""

    MISSING_SYMBOL = "missing symbol"
    LATE = "late"
    MISSING_SESSIONS = "missing sessions"
    SHORT_SESSION = "short session"
    MISSING_MINUTES = "missing minutes"
    JUMP = "jump"
    STALE_PRICE = "stale price"
    FLAT_BARS = "flat bars"
    ZERO_VOLUME = "zero volume"
    OFF_GRID = "off grid"
    DUPLICATES = "duplicates"
    REFUSED = "refused"


ABSENT = frozenset({Kind.MISSING_SYMBOL, Kind.LATE, Kind.MISSING_SESSIONS, Kind.SHORT_SESSION, Kind.MISSING_MINUTES})
"""Kinds that candles from a file can fill."""


class Sure(StrEnum):
    """How sure a finding is: the calendar or the data leave no other reading, one is unlikely, or one is thinkable."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


@dataclass(frozen=True)
class Finding:
    """``start <= t < end`` (microseconds UTC) is where it is; ``count`` of ``unit`` is how much.

    ``symbols``: whom it is about, the first of them in ``symbol``; ``evidence``: figures by name.
    """

    kind: Kind
    symbol: str
    timeframe: Timeframe
    calendar: str
    start: int
    end: int
    count: int
    unit: str
    sure: Sure
    evidence: dict[str, Any] = field(default_factory=dict)
    symbols: tuple[str, ...] = ()

    @property
    def about(self) -> tuple[str, ...]:
        """Every symbol that it is about."""
        return self.symbols or (self.symbol,)

    def amount(self) -> str:
        """How much it is, in words: ``40 candles``, ``1 session``."""
        return f"{self.count:,} {self.unit.removesuffix('s') if self.count == 1 else self.unit}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times in ISO UTC with Z."""
        return {
            "kind": str(self.kind),
            "symbol": self.symbol,
            "symbols": list(self.about),
            "timeframe": str(self.timeframe),
            "calendar": self.calendar,
            "from": iso(self.start),
            "to": iso(self.end),
            "count": self.count,
            "unit": self.unit,
            "sure": str(self.sure),
            "evidence": {name: value for name, value in self.evidence.items() if value is not None},
        }


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The newest first; at one time by kind, then by symbol."""
    kinds = list(Kind)
    return sorted(findings, key=lambda one: (-one.end, kinds.index(one.kind), one.symbol, one.start))
