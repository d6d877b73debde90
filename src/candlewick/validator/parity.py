"""parity: both engines' numbers over the store's own series, judged by the exact value where they differ.

The store comes first: every stored series is read and checked row by row, since engines that agree about rows that
break the rules prove nothing. A row that is not sound fails this check.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from candlewick.service.parity import EQUAL, INEXACT, MISMATCH, VOID, compare
from candlewick.store.open import open_store
from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.requests import chosen, own_requests
from candlewick.validator.result import Result, judged, unknown

NAME = "parity"
SHOWN = 5
"""Differences that the evidence spells out."""


def run(context: Context) -> Result:
    """``measured``: unsound series and answers that are mismatches; none is allowed."""
    snapshot = context.snapshot
    verdicts: Counter[str] = Counter()
    shown: list[str] = []
    every = own_requests(snapshot.series)
    most = context.profile.answers
    requests = every if most is None else chosen(every, max(most, 2 * len(snapshot.series)))
    with context.application(snapshot.url) as built, open_store(snapshot.url) as store:
        for number, request in enumerate(requests):
            if number % 20 == 0:
                context.progress(f"{NAME}: {number} of {len(requests)} answers")
            parity = compare(built.classic.candles(request), built.optimized.candles(request), store, request)
            verdicts[parity.verdict] += 1
            if parity.verdict in (MISMATCH, VOID) and len(shown) < SHOWN:
                first = parity.differences[0] if parity.differences else "about other candles"
                shown.append(f"{request.symbol} {request.timeframe}: {first}")
    unsound = [f"{one.symbol} {one.timeframe}: {one.problem}" for one in snapshot.unsound]
    evidence: dict[str, Any] = {
        "unit": "unsound series and mismatching answers",
        "store": snapshot.extent,
        "answers": len(requests),
        "questions": len(every),
        "equal": verdicts[EQUAL],
        "v1_inexact": verdicts[INEXACT],
        "mismatches": verdicts[MISMATCH],
        "not_comparable": verdicts[VOID],
        "unsound_series": len(unsound),
        "first": [*unsound[:SHOWN], *shown],
    }
    # Nobody writes to the copy: answers of different revisions or sources are a defect here.
    bad = len(unsound) + verdicts[MISMATCH] + verdicts[VOID]
    if not requests and not unsound:
        return unknown(NAME, 0, evidence, "the store holds no candles to compare answers about")
    first = (*unsound, *shown, "")[0]
    return judged(NAME, bad == 0, bad, 0, evidence, f"{bad} of unsound series and mismatches, the first: {first}")


PARITY = Check(NAME, 0, run)
