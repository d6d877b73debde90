"""Account: one explanation of a reference: everything that is taken to be different from ours, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from candlewick.compare.edits import SOURCE, Edit
from candlewick.compare.formulas import Formula, formulas_of
from candlewick.compare.ground import ALL_HOURS, SESSION, Way
from candlewick.compare.labels import OPEN, Labels
from candlewick.compare.reference import Column
from candlewick.compare.titles import Meaning

LABELS, BUCKETS, OFF_BY_ONE, DROPPED = "labels", "session_anchor", "minute_shift", "zero_volume"
HISTORY, ROUNDING, UNDEFINED = "history", "rounding", "undefined"


@dataclass(frozen=True, eq=False)
class Pair:
    """A column of theirs and the one of ours that it is; ``how`` that was found: ``name``, ``fit`` or ``given``."""

    theirs: Column
    meaning: Meaning
    how: str


@dataclass(frozen=True, eq=False)
class Account:
    """What is different. ``edits``: to our bars, of which those with a cause in ``causes`` are done, and those in
    ``effective`` also go into indicators. ``solved``: closes found from indicators. ``origin``: where their history
    begins (microseconds UTC; None: where ours does). By place of their column: ``formulas``, ``carried`` (a state from
    before the first row shown), ``fills`` (what is shown for undefined), ``longer`` (values while ours warm up).
    ``rounded``: figures may be off by what they are rounded to."""

    way: Way = field(default_factory=Way)
    labels: Labels = OPEN
    edits: tuple[Edit, ...] = ()
    causes: frozenset[str] = frozenset()
    effective: frozenset[str] = frozenset()
    solved: tuple[Edit, ...] = ()
    origin: int | None = None
    formulas: Mapping[int, Formula] = field(default_factory=dict)
    carried: frozenset[int] = frozenset()
    fills: Mapping[int, float] = field(default_factory=dict)
    longer: frozenset[int] = frozenset()
    rounded: bool = True

    @property
    def names(self) -> list[str]:
        """Every cause that this account has, rounding aside."""
        found = []
        if self.labels != OPEN:
            found.append(LABELS)
        if self.way.buckets != SESSION:
            found.append(BUCKETS)
        if self.way.minutes:
            found.append(OFF_BY_ONE)
        if self.way.drop:
            found.append(DROPPED)
        found += sorted(self.causes - {DROPPED} if self.way.drop else self.causes)
        if self.solved and SOURCE not in self.causes:
            found.append(SOURCE)
        if self.origin is not None or self.carried or self.longer:
            found.append(HISTORY)
        found += dict.fromkeys(name for formula in self.formulas.values() for name in formula.names)
        if self.fills:
            found.append(UNDEFINED)
        return found

    def without(self, name: str, pairs: tuple[Pair, ...]) -> Account:
        """The same account with one cause taken back."""
        if name == LABELS:
            return replace(self, labels=OPEN)
        if name == BUCKETS:
            return replace(self, way=replace(self.way, buckets=SESSION))
        if name == OFF_BY_ONE:
            return replace(self, way=replace(self.way, minutes=0))
        if name == HISTORY:
            return replace(self, origin=None, carried=frozenset(), longer=frozenset())
        if name == UNDEFINED:
            return replace(self, fills={})
        if name == ROUNDING:
            return replace(self, rounded=False)
        taken = replace(self, causes=self.causes - {name}, effective=self.effective - {name})
        if name == DROPPED:
            taken = replace(taken, way=replace(self.way, drop=False))
        if name == SOURCE:
            taken = replace(taken, solved=())
        left = {}
        for pair in pairs:
            formula = self.formulas.get(pair.theirs.place)
            if formula is None or name not in formula.names:
                if formula is not None:
                    left[pair.theirs.place] = formula
                continue
            rest = set(formula.names) - {name}
            other = next((one for one in formulas_of(pair.meaning) if set(one.names) == rest), None)
            if other is not None:
                left[pair.theirs.place] = other
        return replace(taken, formulas=left)


NOTHING = Account(rounded=False)
"""The account by which nothing is different."""


def way_says(way: Way) -> str:
    """Where their buckets begin, in words."""
    of = "every candle, outside sessions too," if way.buckets == ALL_HOURS else "the candles of sessions"
    return f"bars of {of} begin at full multiples of the timeframe since local midnight, not at the session's open"
