"""Attribution: which cause of an account explains which row. A cause explains a row that does not agree without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from candlewick.compare.account import NOTHING, ROUNDING, Account, Pair
from candlewick.compare.edits import of_causes
from candlewick.compare.sheet import Flags, Judged, Sheet


@dataclass(frozen=True, eq=False)
class View:
    """Every column under one account; ``agrees``: one line for each column, the last: whether the row has a bar."""

    judged: tuple[Judged, ...]
    agrees: Flags

    @classmethod
    def of(cls, sheet: Sheet, account: Account, pairs: Sequence[Pair]) -> View:
        """Judge every column."""
        judged = tuple(sheet.judge(account, pair) for pair in pairs)
        return cls(judged, np.stack([*(one.agrees for one in judged), sheet.present(account)]))


@dataclass(frozen=True, eq=False)
class Effect:
    """What one cause does: the cells that agree only with it, by column and row, and the largest difference there
    without and with it."""

    name: str
    cells: Flags
    before: float | None
    after: float | None

    @property
    def rows(self) -> Flags:
        """Rows with such a cell."""
        return any_row(self.cells)


@dataclass(frozen=True, eq=False)
class Attributed:
    """An account without what it does not need, the view of nothing and of all, and the effect of each cause."""

    account: Account
    nothing: View
    whole: View
    compared: Flags
    effects: tuple[Effect, ...]

    @property
    def differs(self) -> Flags:
        """Rows that are not equal as they are."""
        return any_row(~self.nothing.agrees) & self.compared

    def causes_of(self, row: int) -> tuple[str, ...]:
        """The names of what explains a row."""
        return tuple(effect.name for effect in self.effects if effect.cells[:, row].any())


def any_row(cells: Flags) -> Flags:
    """Rows with at least one such cell."""
    return np.asarray(cells.any(axis=0), dtype=np.bool_)


def attribute(sheet: Sheet, account: Account, pairs: Sequence[Pair]) -> Attributed:
    """Take back each cause in turn: what then no longer agrees is what it explains."""
    account, whole = _needed(sheet, account, tuple(pairs))
    compared = ~sheet.beyond(account)
    nothing = View.of(sheet, NOTHING, pairs)
    effects = []
    for name in [*account.names, ROUNDING]:
        without = View.of(sheet, account.without(name, tuple(pairs)), pairs)
        cells = whole.agrees & ~without.agrees & compared
        effects.append(_effect(name, cells, without, whole, pairs))
    effects = _several(sheet, account, tuple(pairs), effects, nothing, whole, compared)
    dropped = {edit.cause for edit in of_causes(account.edits, account.causes) if edit.action == "drop"}
    kept = tuple(effect for effect in effects if effect.cells.any() or effect.name in dropped)
    return Attributed(account, nothing, whole, compared, kept)


def _needed(sheet: Sheet, account: Account, pairs: tuple[Pair, ...]) -> tuple[Account, View]:
    """The account without causes that nothing depends on, the last ones first."""
    whole = View.of(sheet, account, pairs)
    dropped = {edit.cause for edit in of_causes(account.edits, account.causes) if edit.action == "drop"}
    for name in reversed(account.names):
        less = account.without(name, pairs)
        view = View.of(sheet, less, pairs)
        if name not in dropped and not (whole.agrees & ~view.agrees).any():
            account, whole = less, view
    return account, whole


def _several(
    sheet: Sheet,
    account: Account,
    pairs: tuple[Pair, ...],
    effects: list[Effect],
    nothing: View,
    whole: View,
    compared: Flags,
) -> list[Effect]:
    """Give cells that differ and agree in the end, but hang on no single cause, to each that explains them alone."""
    left = whole.agrees & ~nothing.agrees & compared
    for effect in effects:
        left = left & ~effect.cells
    if not left.any():
        return effects
    names = [effect.name for effect in effects]
    result = []
    for effect in effects:
        only = account
        for other in names:
            if other != effect.name:
                only = only.without(other, pairs)
        more = left & View.of(sheet, only, pairs).agrees
        result.append(Effect(effect.name, effect.cells | more, effect.before, effect.after))
    covered = np.any([effect.cells for effect in result], axis=0)
    rest = left & ~covered
    return [Effect(e.name, e.cells | rest, e.before, e.after) for e in result] if rest.any() else result


def _effect(name: str, cells: Flags, without: View, whole: View, pairs: Sequence[Pair]) -> Effect:
    sizes: tuple[list[float], list[float]] = ([], [])
    for place, pair in enumerate(pairs):
        for found, view in zip(sizes, (without, whole), strict=True):
            off = view.judged[place].off(pair.theirs.values)[cells[place]]
            found += off[np.isfinite(off)].tolist()
    before, after = (max(found) if found else None for found in sizes)
    return Effect(name, cells, before, after)
