"""Matching: which column of ours each column of a reference is: by its title, then by which fits the numbers best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from candlewick.compare.account import Account, Pair
from candlewick.compare.formulas import formulas_of
from candlewick.compare.reference import Column, Reference
from candlewick.compare.sheet import Sheet
from candlewick.compare.titles import Meaning, Reading, everything, meaning_of, read_title
from candlewick.errors import InputError, UnknownNameError

FITS = 0.5
"""Share of the rows with a value that must agree before numbers alone say what a column is."""
NEAR = 0.02
"""Where a title says what a column is but not its parameters, and none agrees: the nearest, if this near (relative)."""
TRIED = 8
"""Definitions whose other formulas are tried where none fits as it stands, the nearest first."""


def given_pairs(reference: Reference, given: Mapping[str, str]) -> list[Pair]:
    """What the caller says: titles of theirs to columns of ours; ``Title#2`` is the second of that title.

    Raises UnknownNameError for a title or column that there is not.
    """
    names: dict[str, Column] = {}
    for column in reference.columns:
        again = sum(other.title == column.title for other in reference.columns if other.place < column.place)
        names[column.title if not again else f"{column.title}#{again + 1}"] = column
    pairs = []
    for theirs, ours in given.items():
        if theirs not in names:
            raise UnknownNameError("columns", theirs, names, expected="it is no column of numbers of the reference")
        pairs.append(Pair(names[theirs], meaning_of(ours), "given"))
    twice = [pair.meaning.column for pair in pairs]
    if len(set(twice)) < len(twice):
        raise InputError("columns", ", ".join(twice), "give each of our columns once", "names a column twice")
    return pairs


def bar_pairs(reference: Reference, taken: Sequence[Pair]) -> list[Pair]:
    """The columns of the bars themselves, each role once."""
    places = {pair.theirs.place for pair in taken}
    roles = {pair.meaning.column for pair in taken}
    pairs = []
    for column in reference.columns:
        reading = read_title(column.title)
        role = reading.meanings[0].column if reading.how == "name" and reading.meanings[0].indicator is None else None
        if role is not None and column.place not in places and role not in roles:
            pairs.append(Pair(column, reading.meanings[0], "name"))
            roles.add(role)
    return pairs


def indicator_pairs(sheet: Sheet, account: Account, taken: Sequence[Pair], *, quick: bool = False) -> list[Pair]:
    """Every further column that is one of our indicators: each of ours once, unless titles say otherwise.

    ``quick``: other formulas are tried only of what a title says.
    """
    places = {pair.theirs.place for pair in taken}
    found: list[Pair] = []
    loose: list[tuple[float, float, Pair]] = []
    for column in sheet.reference.columns:
        if column.place in places:
            continue
        reading = read_title(column.title)
        if reading.how == "name":
            if reading.meanings[0].indicator is not None:
                found.append(Pair(column, reading.meanings[0], "name"))
            continue
        best = _fitting(sheet, account, column, reading.meanings, other=not quick or reading.how != "none")
        if (
            not best and reading.how != "none" and not quick
        ):  # a moving average may be of another kind than its title says
            best = _fitting(sheet, account, column, tuple(everything()))
        loose += best or _nearest(sheet, account, column, reading)
    used = {pair.meaning.column for pair in (*taken, *found)}
    for _, _, pair in sorted(
        loose, key=lambda one: one[:2]
    ):  # the surest first: each column of ours fits one of theirs
        if pair.theirs.place not in places and pair.meaning.column not in used:
            used.add(pair.meaning.column)
            places.add(pair.theirs.place)
            found.append(pair)
    return sorted(found, key=lambda pair: pair.theirs.place)


def _fitting(
    sheet: Sheet, account: Account, column: Column, meanings: Sequence[Meaning], *, other: bool = True
) -> list[tuple[float, float, Pair]]:
    """The definitions that fit, as (share of rows that do not agree, distance, pair), the best first."""
    scored = []
    for meaning in meanings:
        pair = Pair(column, meaning, "fit")
        share, distance = _fit(sheet, account, pair)
        scored.append((1 - share, distance, pair))
    if other and not any(one[0] <= 1 - FITS for one in scored):
        nearest = sorted(scored, key=lambda one: one[1])[:TRIED]
        scored = [_other_way(sheet, account, pair, distance) for _, distance, pair in nearest]
    return sorted((one for one in scored if one[0] <= 1 - FITS), key=lambda one: one[:2])


def _nearest(sheet: Sheet, account: Account, column: Column, reading: Reading) -> list[tuple[float, float, Pair]]:
    """What a title says though nothing fits: as it says it, or the nearest of its kind where that is near."""
    pairs = [Pair(column, meaning, "name") for meaning in reading.meanings if reading.how != "none"]
    scored = sorted(((1.0, _fit(sheet, account, pair)[1], pair) for pair in pairs), key=lambda one: one[1])
    return [one for one in scored[:1] if reading.how == "said" or one[1] <= NEAR]


def _other_way(sheet: Sheet, account: Account, pair: Pair, distance: float) -> tuple[float, float, Pair]:
    """How well a definition fits by the best of its other formulas, or from the first row shown on."""
    shares = [0.0]
    origin = int(sheet.opened(account)[0])
    for base in (account, replace(account, origin=origin)):
        shares.append(_fit(sheet, base, pair)[0])
        for formula in formulas_of(pair.meaning):
            shares.append(_fit(sheet, replace(base, formulas={pair.theirs.place: formula}), pair)[0])
    return 1 - max(shares), distance, pair


def _fit(sheet: Sheet, account: Account, pair: Pair) -> tuple[float, float]:
    """Share of the rows with a value that agree, and the middle distance of those against the size of the column."""
    judged = sheet.judge(account, pair)
    theirs = pair.theirs.values
    both = np.isfinite(theirs) & np.isfinite(judged.expected)
    if not both.any():
        return 0.0, np.inf
    size = np.maximum(np.abs(theirs[both]), np.abs(judged.expected[both]))
    typical = max(float(np.median(size)), 1e-300)
    distance = float(np.median(np.abs(theirs[both] - judged.expected[both]))) / typical
    return float(np.mean(judged.agrees[both])), distance
