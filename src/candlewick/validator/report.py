"""Report: the results of a checklist and what they add up to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from candlewick.validator.result import Result, Status


@dataclass(frozen=True)
class Report:
    """Results in the order of the checklist."""

    results: Sequence[Result]

    @property
    def passed(self) -> bool:
        """True when there are results and each of them passes or is waived."""
        return bool(self.results) and all(result.lets_pass for result in self.results)

    @property
    def verdict(self) -> Status:
        """``pass`` or ``fail``: a check of which nothing is known blocks as one that fails."""
        return Status.PASS if self.passed else Status.FAIL

    @property
    def blocking(self) -> list[Result]:
        """The results that stand in the way."""
        return [result for result in self.results if not result.lets_pass]

    def as_dict(self) -> dict[str, Any]:
        """``{"verdict", "checks"}``, plain values for JSON."""
        return {"verdict": str(self.verdict), "checks": [result.as_dict() for result in self.results]}
