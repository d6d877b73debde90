"""Result: what one check found, as a frozen value that never leaves out what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from candlewick.errors import InputError

Figure = float | int | str
"""A number, or words where a check has no single number."""


class Status(StrEnum):
    """How a check ended. Only ``pass`` and ``waived`` let a verdict pass: what is unknown blocks as a failure does."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"


@dataclass(frozen=True)
class Result:
    """``measured`` against ``threshold``, in the unit that ``evidence`` names. ``age_seconds``: how long ago.

    Raises InputError for a result that is not waived and lacks one of the three, and for one that does not pass and
    gives no reason.
    """

    name: str
    status: Status
    measured: Figure | None
    threshold: Figure | None
    evidence: Mapping[str, Any] | None = field(repr=False)
    reason: str | None = None
    age_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.status is not Status.WAIVED:
            for part in ("measured", "threshold", "evidence"):
                if getattr(self, part) is None:
                    raise InputError(part, None, f"say what {self.name} found", "is missing")
        if self.status is not Status.PASS and not self.reason:
            raise InputError("reason", self.reason, f"say why {self.name} is {self.status}", "is missing")

    @property
    def lets_pass(self) -> bool:
        """True for a result that does not stand in the way of a verdict of pass."""
        return self.status in (Status.PASS, Status.WAIVED)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.name,
            "status": str(self.status),
            "measured": self.measured,
            "threshold": self.threshold,
            "evidence": None if self.evidence is None else dict(self.evidence),
            "reason": self.reason,
            "age_seconds": round(self.age_seconds, 3),
        }


def judged(
    name: str, good: bool, measured: Figure, threshold: Figure, evidence: Mapping[str, Any], reason: str
) -> Result:
    """Pass when ``good``, else fail with ``reason``."""
    status = Status.PASS if good else Status.FAIL
    return Result(name, status, measured, threshold, evidence, None if good else reason)


def waived(name: str, reason: str) -> Result:
    """Not measured, on purpose."""
    return Result(name, Status.WAIVED, None, None, None, reason)


def unknown(name: str, threshold: Figure, evidence: Mapping[str, Any], reason: str) -> Result:
    """Could not be measured: blocks as a failure does."""
    return Result(name, Status.UNKNOWN, "nothing", threshold, evidence, reason)
