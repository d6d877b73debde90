"""Solve: which close would explain what indicators show, where the reference itself shows none that differs.

A change of one close moves an average by a known share of it at that bar and at every bar behind. Each row thus bounds
the change from both sides; one that lies within the bounds of several rows is the answer, the roundest of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from candlewick.columnar import Floats
from candlewick.compare.account import Account, Pair
from candlewick.compare.edits import SOURCE, Edit, reaching
from candlewick.compare.sheet import Flags, Sheet
from candlewick.compare.written import Written

MOST = 25
"""Closes that are solved for in one reference; beyond it the source is another one altogether."""
STEPS = 8
"""Of Newton's method, for columns in which a close does not count in proportion."""
LINEAR = (("sma", 0), ("ema", 0), ("wma", 0), ("bollinger", 1), ("macd", 0), ("macd", 1), ("macd", 2))
CLOSES = (("rsi", 0), ("bollinger", 0), ("bollinger", 2), ("percent_b", 0), ("stddev", 0))
NEARLY = (*CLOSES, ("atr", 0), ("vwap", 0))
"""Columns, by kind and part, in which a close counts in proportion; that follow from closes alone; that follow from
them too."""


def solve(sheet: Sheet, account: Account, pairs: Sequence[Pair]) -> Account:
    """The account with the closes that explain what it leaves open; itself where there are none."""
    best = account
    for _ in range(MOST):
        wrong = {pair.theirs.place: ~sheet.judge(best, pair).agrees for pair in pairs}
        edits = list(_edits(sheet, best, pairs, wrong))
        if not edits:
            return best
        options = [replace(best, solved=(*best.solved, one)) for one in dict.fromkeys(edits)]
        left = [sum(int((~sheet.judge(one, pair).agrees).sum()) for pair in pairs) for one in options]
        if min(left) + 1 >= sum(int(one.sum()) for one in wrong.values()):
            return best
        best = options[left.index(min(left))]
    return best


def _edits(sheet: Sheet, account: Account, pairs: Sequence[Pair], wrong: dict[int, Flags]) -> Iterator[Edit]:
    """A change of the close at the first row that is wrong: from columns in which it counts in proportion, then from
    more; with a high and low that reach to it, and without."""
    bars = sheet.computed(account)
    start = 0.0
    for kinds in (LINEAR, (*LINEAR, *CLOSES), NEARLY):
        chosen = _columns(pairs, wrong, kinds)
        edit = _one(sheet, account, chosen, wrong, start) if chosen else None
        if edit is not None:
            bar = int(np.searchsorted(bars.microseconds, edit.time))
            start = edit.values[0][1] - float(bars.close[bar])
            yield replace(edit, values=reaching(bars, bar, edit.values, ()))
            yield edit
        if kinds != LINEAR and start:
            break


def alone(sheet: Sheet, account: Account, pair: Pair, row: int) -> float | None:
    """The close that would explain one value by itself; None for a column that does not follow from closes."""
    kinds = {(pair.meaning.indicator.kind, pair.meaning.part)} if pair.meaning.indicator is not None else set()
    if not kinds & {*LINEAR, *NEARLY}:
        return None
    opened = int(sheet.opened(account)[row])
    close = _close(sheet, account, opened)
    if close is None:
        return None
    change, low, high = 0.0, close, close
    for _ in range(STEPS):
        bounds = _bounds(sheet, account, pair, opened, close, change)
        if not np.isfinite(bounds.middle[row]):
            return None
        change, low, high = (float(one[row]) for one in (bounds.middle, bounds.low, bounds.high))
    return _round(sheet, close + low, close + high, close + change)


@dataclass(frozen=True, eq=False)
class Bounds:
    """By row: the change of a close that would give the value shown, and how far it may be off."""

    low: Floats
    high: Floats
    middle: Floats
    tells: Flags


def _columns(pairs: Sequence[Pair], wrong: dict[int, Flags], kinds: Sequence[tuple[str, int]]) -> list[Pair]:
    return [
        pair
        for pair in pairs
        if pair.meaning.indicator is not None
        and (pair.meaning.indicator.kind, pair.meaning.part) in kinds
        and wrong[pair.theirs.place].any()
    ]


def _one(sheet: Sheet, account: Account, chosen: Sequence[Pair], wrong: dict[int, Flags], change: float) -> Edit | None:
    """The close at the first row that is wrong, if one change explains it and what follows."""
    row = min(int(np.argmax(wrong[pair.theirs.place])) for pair in chosen)
    there = sheet.rows(account, sheet.computed(account))[1]
    if not there[row]:
        return None
    opened = int(sheet.opened(account)[row])
    close = _close(sheet, account, opened)
    if close is None or any(edit.time == opened for edit in account.solved):
        return None
    low, high, told = -np.inf, np.inf, 0
    for _ in range(STEPS):
        low, high, told = -np.inf, np.inf, 0
        known = [_bounds(sheet, account, pair, opened, close, change) for pair in chosen]
        for at in range(row, len(there)):
            cut = [(b.low[at], b.high[at]) for b in known if b.tells[at]]
            new_low = max([low, *(one[0] for one in cut)])
            new_high = min([high, *(one[1] for one in cut)])
            if new_low > new_high:
                break
            low, high = new_low, new_high
            told += len(cut)
        if not told or not (np.isfinite(low) and np.isfinite(high)):
            return None
        step = (low + high) / 2 - change
        change += step
        if abs(step) <= 1e-12 * abs(close):
            break
    if told < 2:
        return None
    value = _round(sheet, float(close + low), float(close + high), float(close + change))
    if value == close:
        return None
    return Edit(opened, "set", SOURCE, (("close", value),), "solved from indicators", 0.0, hidden=True)


def _close(sheet: Sheet, account: Account, opened: int) -> float | None:
    bars = sheet.computed(account)
    at = int(np.searchsorted(bars.microseconds, opened))
    return float(bars.close[at]) if at < len(bars) and bars.microseconds[at] == opened else None


def _bounds(sheet: Sheet, account: Account, pair: Pair, opened: int, close: float, change: float) -> Bounds:
    """How each row bounds the change, from how the column answers to a small one about ``change``."""
    step = max(abs(close), 1e-9) * 1e-4
    plain = replace(account, carried=account.carried - {pair.theirs.place})
    at = replace(plain, solved=(*plain.solved, _trial(opened, close + change)))
    beside = replace(plain, solved=(*plain.solved, _trial(opened, close + change + step)))
    here, there = sheet.judge(at, pair), sheet.judge(beside, pair)
    share = (there.expected - here.expected) / step
    answers = np.isfinite(share) & (np.abs(share) > 1e-300)
    divisor = np.where(answers, share, 1.0)
    middle = np.where(answers, change + (pair.theirs.values - here.expected) / divisor, np.nan)
    wide = np.where(answers, np.abs(here.limit / divisor), np.nan)
    # A row tells something where a change would show: where it answers by more than it may be off.
    tells = np.isfinite(middle) & (np.abs(share) * max(abs(close) * 1e-2, 1e-12) > here.limit)
    return Bounds(middle - wide, middle + wide, middle, tells)


def _trial(opened: int, close: float) -> Edit:
    return Edit(opened, "set", SOURCE, (("close", close),), hidden=True)


def _round(sheet: Sheet, low: float, high: float, middle: float) -> float:
    """The number with the fewest digits, from as many as our closes have on, within the bounds."""
    closes = sheet.ground.bars().close
    usual = Written.of_numbers(closes[:: max(1, len(closes) // 200)]).decimals
    for digits in range(min(usual, 8), 12):
        value = round(middle, digits)
        if low <= value <= high:
            return value
    return middle
