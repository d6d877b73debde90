"""Framing: which bars a reference shows, and which of them each row stands for, before any value is looked into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from candlewick.candles import PRICES, VALUES
from candlewick.columnar import Integers
from candlewick.compare.account import Account, Pair
from candlewick.compare.edits import Shown, found
from candlewick.compare.ground import OURS, SESSION, Way
from candlewick.compare.labels import OPEN, Labels, candidates
from candlewick.compare.sheet import Sheet

Score = Callable[[Account], float]

BETTER = 0.25
"""Share of the rows by which another reading of labels must be better than ours: chance alone brings less."""
ENOUGH = 0.5
"""Share of the rows at which indicators alone settle the labels: those of another bar agree by chance only."""
COMMON = 3
"""Shifts between equal bars that are tried, the most frequent first."""


def frame(sheet: Sheet, pairs: Sequence[Pair], score: Score) -> Account:
    """The account of labels and bars under which most rows show our bars; ours unless another is clearly better.

    ``pairs``: columns of bars. ``score``: how many rows agree, by the prices or else by the indicators.
    """
    plain = Account()
    rows = len(sheet.reference)
    best, reached = plain, score(plain)
    priced = any(pair.meaning.column in PRICES for pair in pairs)
    if reached >= rows * (1.0 if priced else ENOUGH):
        return plain
    labels = [*candidates(sheet.ground), *_common_shifts(sheet, pairs)]
    ways = sheet.ground.ways()
    tried: list[tuple[Way, Labels]] = [(OURS, one) for one in labels]
    tried += [(way, OPEN) for way in ways]
    if priced and reached < 0.9 * rows:
        tried += list(product(ways, labels))
    for way, reading in tried:
        account = Account(way=way, labels=reading)
        now = score(account)
        needed = max(2.0, BETTER * rows) if reading != best.labels or way.buckets != best.way.buckets else 1.0
        more = (reading != OPEN) + (way.buckets != SESSION) + way.drop + (way.minutes != 0)
        less = (best.labels != OPEN) + (best.way.buckets != SESSION) + best.way.drop + (best.way.minutes != 0)
        if now >= reached + (needed if more > less or best is plain else 1.0):
            best, reached = account, now
    return best


def by_prices(sheet: Sheet, pairs: Sequence[Pair]) -> Score:
    """Rows whose prices are all those of our bar, less half of each bar that one side lacks."""
    priced = [pair for pair in pairs if pair.meaning.column in PRICES]

    def score(account: Account) -> float:
        opened = sheet.opened(account)
        there = sheet.present(account)
        agrees = there.copy()
        for pair in priced:
            agrees &= sheet.judge(account, pair).agrees
        time = sheet.ground.bars(account.way).microseconds
        within = opened[there]
        lacking = 0
        if len(within):
            span = np.searchsorted(time, [within.min(), within.max()])
            lacking = int(span[1] - span[0] + 1) - len(np.unique(within))
        inside = (opened >= time[0]) & (opened <= time[-1])
        return float(agrees.sum()) - 0.5 * lacking - 0.5 * float((inside & ~there).sum())

    return score


def by_indicators(match: Callable[[Account], list[Pair]], best: Callable[[Account, Pair], int]) -> Score:
    """Rows that agree in the mean of the columns that fit, each by its best formula."""

    def score(account: Account) -> float:
        pairs = match(account)
        return float(np.mean([best(account, pair) for pair in pairs])) if pairs else 0.0

    return score


def edited(sheet: Sheet, account: Account, pairs: Sequence[Pair]) -> Account:
    """The account with every edit to our bars that the reference's own bars ask for."""
    barred = [pair for pair in pairs if pair.meaning.column in VALUES]
    values = {pair.meaning.column: pair.theirs.values for pair in barred}
    slack = {pair.meaning.column: pair.theirs.written.half(pair.theirs.values) for pair in barred}
    shown = Shown(sheet.opened(account), values, slack, sheet.tolerance)
    edits = tuple(found(shown, sheet.ground.bars(account.way), sheet.ground, account.way))
    causes = frozenset(edit.cause for edit in edits)
    return replace(account, edits=edits, causes=causes, effective=causes)


def _common_shifts(sheet: Sheet, pairs: Sequence[Pair]) -> list[Labels]:
    """The shifts between times of rows and of our bars that show the same prices."""
    priced = [pair for pair in pairs if pair.meaning.column in PRICES]
    if len(priced) < len(PRICES):
        return []
    bars = sheet.ground.bars()
    digits = min(8, min(pair.theirs.written.decimals for pair in priced))
    ours: dict[tuple[float, ...], int] = {}
    columns = [np.round(getattr(bars, pair.meaning.column), digits).tolist() for pair in priced]
    for time, key in zip(bars.microseconds.tolist(), zip(*columns, strict=True), strict=True):
        ours[key] = time if key not in ours else -1  # a bar that looks like another tells nothing
    theirs = [np.round(pair.theirs.values, digits).tolist() for pair in priced]
    shifts = [
        time - ours[key]
        for time, key in zip(sheet.reference.time.tolist(), zip(*theirs, strict=True), strict=True)
        if ours.get(key, -1) != -1
    ]
    return [Labels("offset", by) for by in _most(np.array(shifts, dtype=np.int64)) if by]


def _most(shifts: Integers) -> list[int]:
    values, counts = np.unique(shifts, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:COMMON]
    return [int(values[at]) for at in order if counts[at] >= 3]
