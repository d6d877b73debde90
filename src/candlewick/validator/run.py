"""Run: the checklist from top to bottom; a check that ends with an error is unknown, and the next one runs.

A check that may stand apart is begun together with the one before it, where neither goes by a clock.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from candlewick.clock import Clock, SystemClock
from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.report import Report
from candlewick.validator.result import Result, unknown


def run_checks(context: Context, checks: Sequence[Check], clock: Clock | None = None) -> Report:
    """Every check's result, in their order; ``age_seconds`` counts from its end to the end of the last one.

    Nothing that a check raises gets out: it is that check's evidence, and blocks.
    """
    time = clock or SystemClock()

    def ended(check: Check) -> tuple[Result, float]:
        context.progress(check.name)
        return _outcome(check, context), time.monotonic()

    found: list[tuple[Result, float]] = []
    begun: Future[tuple[Result, float]] | None = None
    with ThreadPoolExecutor(1) as beside:
        for check, following in zip(checks, [*checks[1:], None], strict=True):
            if begun is not None:
                found.append(begun.result())
                begun = None
                continue
            if following is not None and following.apart and not check.timed:
                begun = beside.submit(ended, following)
            found.append(ended(check))
    now = time.monotonic()
    return Report([replace(result, age_seconds=max(0.0, now - at)) for result, at in found])


def _outcome(check: Check, context: Context) -> Result:
    try:
        return check.run(context)
    except Exception as error:  # noqa: BLE001 - the one place where whatever a check meets becomes its evidence
        return unknown(check.name, check.threshold, evidence_of(error), f"{type(error).__name__}: {error}")


def evidence_of(error: BaseException) -> dict[str, str]:
    """Kind and text of an error, and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    return {"error": type(error).__name__, "text": str(error), "where": where}
