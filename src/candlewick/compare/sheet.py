"""Sheet: what a reference must show if an account were true, and where it does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from candlewick.bars import Bars
from candlewick.columnar import Floats, Integers
from candlewick.compare.account import Account, Pair
from candlewick.compare.edits import applied, of_causes
from candlewick.compare.formulas import Formula
from candlewick.compare.ground import Ground
from candlewick.compare.modes import carried
from candlewick.compare.reference import Reference
from candlewick.compare.titles import Meaning
from candlewick.engine.compute import compute
from candlewick.service.scale import scale

Flags = npt.NDArray[np.bool_]

KEPT = 8_000_000
"""Floats that a sheet keeps: beyond it what was computed is computed anew."""


@dataclass(frozen=True, eq=False)
class Judged:
    """One column under an account, by row: what is expected, how far off the reference may be, where it agrees."""

    expected: Floats
    limit: Floats
    agrees: Flags

    def off(self, theirs: Floats) -> Floats:
        """How far the reference is off; infinite where only one side has a value."""
        both = np.isfinite(theirs) & np.isfinite(self.expected)
        neither = ~np.isfinite(theirs) & ~np.isfinite(self.expected)
        distance = np.where(both, np.abs(theirs - np.where(both, self.expected, 0.0)), np.inf)
        return np.where(neither, 0.0, distance)


@dataclass(frozen=True, eq=False)
class Sheet:
    """A reference beside our candles. ``tolerance``: relative, of what a column counts (`service.scale`)."""

    ground: Ground
    reference: Reference
    tolerance: float
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    def opened(self, account: Account) -> Integers:
        """The open of the bar that each row stands for."""
        key = ("opened", account.way, account.labels)
        if key not in self._kept:
            self._kept[key] = account.labels.opened(self.reference.time, self.ground, account.way)
        found: Integers = self._kept[key]
        return found

    def shown(self, account: Account) -> Bars:
        """The bars that the reference shows."""
        return self._bars(account, account.causes, False)

    def computed(self, account: Account) -> Bars:
        """The bars that its indicators are computed from."""
        return self._bars(account, account.effective, True)

    def rows(self, account: Account, bars: Bars) -> tuple[Integers, Flags]:
        """For each row the place of its bar, and whether there is one."""
        opened = self.opened(account)
        if not len(bars):
            return np.zeros(len(opened), dtype=np.int64), np.zeros(len(opened), dtype=np.bool_)
        at = np.minimum(np.searchsorted(bars.microseconds, opened), len(bars) - 1)
        return at, bars.microseconds[at] == opened

    def present(self, account: Account) -> Flags:
        """Which rows have a bar."""
        return self.rows(account, self.shown(account))[1]

    def beyond(self, account: Account) -> Flags:
        """Which rows lie before our first bar or after our last one."""
        opened, bars = self.opened(account), self.ground.bars(account.way)
        outside: Flags = (opened < bars.microseconds[0]) | (opened > bars.microseconds[-1])
        return outside

    def judge(self, account: Account, pair: Pair) -> Judged:
        """One column under an account."""
        theirs = pair.theirs.values
        half = self._half(pair) if account.rounded else 0.0
        if pair.meaning.indicator is None:
            bars = self.shown(account)
            at, there = self.rows(account, bars)
            expected = np.where(there, getattr(bars, pair.meaning.column)[at], np.nan)
            limit = self.tolerance * np.fmax(np.abs(expected), np.abs(theirs)) + half
            agrees = ~(np.abs(theirs - expected) > limit) & there
            return Judged(expected, limit, agrees | ~np.isfinite(theirs) & there)
        bars = self.computed(account)
        at, there = self.rows(account, bars)
        place = pair.theirs.place
        own = self.values(account, pair.meaning, account.formulas.get(place))
        expected = np.where(there, own[at], np.nan)
        sizes = self._scale(account, pair.meaning, bars)[at]
        limit = self.tolerance * np.fmax(np.where(there, sizes, 0.0), np.fmax(np.abs(expected), 0.0)) + half
        limit = limit + self._lean(account, pair.meaning, account.formulas.get(place), at, there, own)
        if place in account.carried:
            expected = self._carried(pair, bars, at, there, limit, expected)
        agrees = (np.abs(theirs - expected) <= limit) | (np.isnan(theirs) & np.isnan(expected))
        if place in account.fills:
            agrees |= np.isnan(expected) & (theirs == account.fills[place]) & there
        if place in account.longer:
            agrees |= self.warming(account, pair)
        # A row that is only shown, and that no indicator was computed from, says nothing about indicators.
        agrees |= self.present(account) & ~there
        return Judged(expected, limit, agrees)

    def warming(self, account: Account, pair: Pair) -> Flags:
        """Rows at which ours still warms up while the reference has a value."""
        at, there = self.rows(account, self.computed(account))
        own = self.values(account, pair.meaning, account.formulas.get(pair.theirs.place))
        first = int(np.argmax(np.isfinite(own))) if np.isfinite(own).any() else len(own)
        found: Flags = there & (at < first) & np.isfinite(pair.theirs.values)
        return found

    def values(self, account: Account, meaning: Meaning, formula: Formula | None, lean: float = 0.0) -> Floats:
        """A column over all computed bars; undefined before the history begins."""
        names = None if formula is None else formula.names
        key = (
            "values",
            *self._edits_key(account, account.effective, True),
            account.origin,
            meaning.column,
            names,
            lean,
        )
        if key not in self._kept:
            bars = self._bars(account, account.effective, True, lean)
            if len(self._kept) * len(bars) > KEPT:
                self._kept.clear()
            first = 0 if account.origin is None else int(np.searchsorted(bars.microseconds, account.origin))
            result = np.full(len(bars), np.nan)
            cut = bars.rows(first, len(bars))
            if len(cut) and formula is not None:
                result[first:] = formula.values(cut)
            elif len(cut) and meaning.indicator is not None:
                frame = compute(cut, meaning.indicator)
                for column in meaning.indicator.columns:  # its other columns are asked for next
                    whole = np.full(len(bars), np.nan)
                    whole[first:] = frame[column]
                    self._kept[(*key[:-3], column, names, lean)] = whole
                result = self._kept[key]
            self._kept[key] = result
        found: Floats = self._kept[key]
        return found

    def _half(self, pair: Pair) -> Floats:
        key = ("half", pair.theirs.place)
        if key not in self._kept:
            self._kept[key] = pair.theirs.written.half(pair.theirs.values) * (1 + 1e-6)
        found: Floats = self._kept[key]
        return found

    def _bars(self, account: Account, causes: frozenset[str], computed: bool, lean: float = 0.0) -> Bars:
        key = ("bars", *self._edits_key(account, causes, computed), lean)
        if key not in self._kept:
            edits = of_causes(account.edits, causes)
            if computed:
                edits += account.solved
            bars = applied(self.ground.bars(account.way), edits, self.ground, lean)
            self._kept[key] = bars, account.edits  # kept alive: its identity is part of the key
        found: Bars = self._kept[key][0]
        return found

    def _edits_key(self, account: Account, causes: frozenset[str], computed: bool) -> tuple[Any, ...]:
        return account.way, id(account.edits) if account.edits else 0, causes, account.solved if computed else ()

    def _scale(self, account: Account, meaning: Meaning, bars: Bars) -> Floats:
        key = ("scale", *self._edits_key(account, account.effective, True), meaning.column)
        if key not in self._kept and meaning.indicator is not None:
            self._kept[key] = scale(meaning.indicator, meaning.column, bars, np.full(len(bars), np.nan))
        found: Floats = self._kept[key]
        return found

    def _lean(
        self, account: Account, meaning: Meaning, formula: Formula | None, at: Integers, there: Flags, own: Floats
    ) -> Floats:
        """How far a column can be off because prices that we read from the reference were rounded."""
        none = np.zeros(len(at))
        if not account.rounded or not any(edit.slack > 0 for edit in of_causes(account.edits, account.effective)):
            return none
        both = [self.values(account, meaning, formula, lean) for lean in (1.0, -1.0)]
        spread = np.maximum(*(np.abs(one - own) for one in both))
        return np.where(there & np.isfinite(spread[at]), spread[at], 0.0)

    def _carried(self, pair: Pair, bars: Bars, at: Integers, there: Flags, limit: Floats, expected: Floats) -> Floats:
        rows = np.flatnonzero(there)
        if not len(rows):
            return expected
        first, last = int(at[rows[0]]), int(at[rows[-1]]) + 1
        theirs, slack = np.full(last - first, np.nan), np.full(last - first, np.nan)
        theirs[at[rows] - first] = pair.theirs.values[rows]
        slack[at[rows] - first] = limit[rows]
        found = carried(pair.meaning, bars.rows(first, last), theirs, slack)
        if found is None:
            return expected
        result = expected.copy()
        result[rows] = found[at[rows] - first]
        # Their warm-up may reach into the rows shown: a state says nothing of where it ends.
        return np.where(np.isnan(pair.theirs.values) & np.isnan(expected), np.nan, result)
