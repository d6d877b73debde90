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
from candlewick.compare.formulas import formulas_of
from candlewick.compare.ground import OURS, SESSION, Way
from candlewick.compare.labels import OPEN, Labels, candidates
from candlewick.compare.sheet import Sheet

Score = Callable[[Account], float]

BETTER = 0.25
"""Share of the rows by which another reading of labels must be better than ours: chance alone brings less."""
ENOUGH = 0.9
"""Share of the rows at which indicators alone settle the labels."""
FOREIGN = 0.7
"""What a row counts that agrees by another formula than ours."""
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
        agrees = sheet.present(account)
        for pair in priced:
            agrees = agrees & sheet.judge(account, pair).agrees
        return float(agrees.sum()) - 0.5 * _lacking(sheet, account)

    return score


def by_indicators(sheet: Sheet, match: Callable[[Account], list[Pair]]) -> Score:
    """Rows that agree in the mean of the columns that fit, less half of each bar that one side lacks. A column that
    agrees by another formula only counts for less: an average of opens is nearly one of the closes a bar before."""

    def score(account: Account) -> float:
        pairs = match(account)
        rows = [max(_agreeing(sheet, account, pair), FOREIGN * _by_formula(sheet, account, pair)) for pair in pairs]
        return (float(np.mean(rows)) if rows else 0.0) - 0.5 * _lacking(sheet, account)

    return score


def _lacking(sheet: Sheet, account: Account) -> int:
    """Bars, between the first and the last row that has one, which only one side has."""
    opened, there = sheet.opened(account), sheet.present(account)
    time = sheet.ground.bars(account.way).microseconds
    ours = 0
    if there.any():
        span = np.searchsorted(time, [opened[there].min(), opened[there].max()])
        ours = int(span[1] - span[0] + 1) - len(np.unique(opened[there]))
    return ours + int(((opened >= time[0]) & (opened <= time[-1]) & ~there).sum())


def _agreeing(sheet: Sheet, account: Account, pair: Pair) -> int:
    return int(sheet.judge(account, pair).agrees.sum())


def _by_formula(sheet: Sheet, account: Account, pair: Pair) -> int:
    ways = [replace(account, formulas={pair.theirs.place: formula}) for formula in formulas_of(pair.meaning)]
    return max((_agreeing(sheet, one, pair) for one in ways), default=0)


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
