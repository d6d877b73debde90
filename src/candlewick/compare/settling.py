"""Settling: the smallest set of causes under which the columns of a reference agree: tried alone, then together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from candlewick.columnar import Floats
from candlewick.compare.account import Account, Pair
from candlewick.compare.formulas import formulas_of
from candlewick.compare.sheet import Flags, Sheet
from candlewick.compare.solve import solve

LEAST = 3
"""Cells that a formula must bring to agree where it leaves others open."""
TRUE = 0.9
"""Share of the cells moved by a formula that must then agree."""
ORIGINS = 6
"""Places where their history may begin that are tried."""


def settle(sheet: Sheet, account: Account, pairs: Sequence[Pair]) -> Account:
    """The account with what its columns ask for: which edits count for indicators, where their history begins, other
    formulas, closes that no column shows. With the fewest cells left open, and among those the fewest causes."""
    indicators = [pair for pair in pairs if pair.meaning.indicator is not None]
    if not indicators:
        return account
    best = _settled(sheet, account, indicators)
    if not _open(sheet, best, indicators):
        return best
    # A close that nothing shows looks like another history to a recursion: tried with and without such causes.
    starts = [best, replace(account, effective=best.effective)]
    if best.origin is not None:
        starts.append(replace(account, effective=best.effective, origin=best.origin))
    for start in starts:
        solved = solve(sheet, start, indicators)
        if solved is not start:
            after = _settled(sheet, replace(account, solved=solved.solved), indicators)
            best = min(best, after, key=lambda one: _cost(sheet, one, indicators))
    return best


def _settled(sheet: Sheet, account: Account, pairs: Sequence[Pair]) -> Account:
    best, reached = account, _WORST
    for effective, origin in _worlds(sheet, account, pairs):
        if reached[0] == 0 and effective != best.effective:
            break  # edits that a reference shows go into its indicators, unless that leaves rows open
        tried = _with_formulas(sheet, replace(account, effective=effective, origin=origin), pairs)
        cost = _cost(sheet, tried, pairs)
        if cost < reached:
            best, reached = tried, cost
        if reached[0] == 0 and reached[1] <= len(account.names):
            break  # nothing is different but what was known before
    return best


_WORST: tuple[float, float] = (np.inf, np.inf)


def _worlds(sheet: Sheet, account: Account, pairs: Sequence[Pair]) -> Iterator[tuple[frozenset[str], int | None]]:
    """Which edits go into indicators and where history begins, the likeliest first."""
    causes = sorted(account.causes)
    origins = [None, *_origins(sheet, account, pairs)]
    for count in range(len(causes), -1, -1):
        for chosen in combinations(causes, count):
            yield from ((frozenset(chosen), origin) for origin in origins)


def _origins(sheet: Sheet, account: Account, pairs: Sequence[Pair]) -> list[int]:
    """Where their history may begin: at the first row shown, or where the empty cells of warm-ups say."""
    bars = sheet.computed(account)
    at, there = sheet.rows(account, bars)
    rows = np.flatnonzero(there)
    if not len(rows):
        return []
    first = int(at[rows[0]])
    places = [first]
    for pair in pairs:
        known = np.flatnonzero(np.isfinite(pair.theirs.values) & there)
        if len(known) and pair.meaning.indicator is not None:
            own = sheet.values(account, pair.meaning, None)
            defined = int(np.argmax(np.isfinite(own)))  # from the first bar of a series to the first value
            if known[0] > rows[0]:
                places.append(int(at[known[0]]) - defined)
    # From the first bar on is what we do ourselves.
    return [int(bars.microseconds[place]) for place in dict.fromkeys(places) if 0 < place < len(bars)][:ORIGINS]


def _with_formulas(sheet: Sheet, account: Account, pairs: Sequence[Pair]) -> Account:
    """Each column by the formula that it takes, those first that others take already."""
    for pair in pairs:
        account = _column(sheet, account, pair)
    return account


def _column(sheet: Sheet, account: Account, pair: Pair) -> Account:
    place = pair.theirs.place
    plain = sheet.judge(account, pair)
    if plain.agrees.all():
        return account
    filled = _filled(sheet, account, pair)
    if filled is not account:
        return filled
    used = set(account.names)
    options = [replace(account, formulas={**account.formulas, place: one}) for one in formulas_of(pair.meaning)]
    options.append(replace(account, carried=account.carried | {place}))
    if sheet.warming(account, pair).any():
        options.append(replace(account, longer=account.longer | {place}))
    options.sort(key=lambda one: len(set(one.names) - used))
    best, gain = account, 0
    for option in options:
        judged = sheet.judge(option, pair)
        if judged.agrees.all() and _tells(plain.agrees, option, account):
            return option
        won = int((judged.agrees & ~plain.agrees).sum()) - int((plain.agrees & ~judged.agrees).sum())
        moved = _moved(plain.expected, judged.expected, judged.limit) | (judged.agrees & ~plain.agrees)
        proved = option.formulas != account.formulas or float(judged.agrees.mean()) >= TRUE
        if proved and won > gain and won >= LEAST and float(judged.agrees[moved].mean()) >= TRUE:
            best, gain = option, won
    best = _filled(sheet, best, pair)
    longer = replace(best, longer=best.longer | {place})
    return longer if best is not account and sheet.judge(longer, pair).agrees.all() else best


def _tells(agreed: Flags, option: Account, account: Account) -> bool:
    """A state that is fitted to the rows proves nothing unless more rows differ than it has numbers."""
    return option.carried == account.carried or int((~agreed).sum()) > 4


def _filled(sheet: Sheet, account: Account, pair: Pair) -> Account:
    """What is shown for undefined: one number wherever ours has none."""
    judged = sheet.judge(account, pair)
    left = ~judged.agrees
    shown = pair.theirs.values[left]
    hollow = np.isnan(judged.expected[left]) & sheet.present(account)[left]
    if left.any() and hollow.all() and len(set(shown.tolist())) == 1 and float(shown[0]) in (0.0, 50.0, 100.0):
        return replace(account, fills={**account.fills, pair.theirs.place: float(shown[0])})
    return account


def _moved(before: Floats, after: Floats, limit: Floats) -> Flags:
    both = np.isfinite(before) & np.isfinite(after)
    distance = np.abs(np.where(both, before, 0.0) - np.where(both, after, 0.0))
    found: Flags = (distance > np.where(np.isfinite(limit), limit, 0.0)) | (np.isfinite(before) != np.isfinite(after))
    return found


def _open(sheet: Sheet, account: Account, pairs: Sequence[Pair]) -> int:
    return sum(int((~sheet.judge(account, pair).agrees).sum()) for pair in pairs)


def _cost(sheet: Sheet, account: Account, pairs: Sequence[Pair]) -> tuple[float, float]:
    return _open(sheet, account, pairs), len(account.names)
