"""Fresh: a series of a DuckDB store before and after a write, as its tables need to know it."""

from __future__ import annotations

from typing import NamedTuple

from candlewick.candles import Candles
from candlewick.store.catalogue import Entry
from candlewick.store.change import Change
from candlewick.store.revisions import Note


class Fresh(NamedTuple):
    """A series as it was and as it will be, and the note of the write; None where no candle changed."""

    before: Entry[int]
    after: Entry[int]
    note: Note | None

    @property
    def new(self) -> bool:
        """Whether no record of it is stored yet."""
        return self.before.series.revision == 0

    @property
    def usual(self) -> bool:
        """Whether its record is stored, and neither its calendar nor the beginning of its history changes."""
        before, after = self.before, self.after
        return (
            before.series.revision > 0
            and before.series.calendar == after.series.calendar
            and before.trail.purged is after.trail.purged
            and before.trail.retired is after.trail.retired
        )

    @property
    def step(self) -> int:
        """Where its newest stair is against the one before: 1 above, 0 in its place, -1 below."""
        if not self.before.history.days:
            return 1
        stood, stands = self.before.history.last_day, self.after.history.last_day
        return (stands > stood) - (stands < stood)


class Write(NamedTuple):
    """One series of a batch: what comes in, what that changes, and the series before and after it."""

    fresh: Fresh
    candles: Candles
    change: Change
