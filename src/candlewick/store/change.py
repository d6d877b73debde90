"""Change: what a write does to a series, decided in one place for every store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from candlewick.candles import VALUES, Candles
from candlewick.columnar import Floats, Integers
from candlewick.store.history import day_of
from candlewick.store.repository import Upserted

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Change:
    """Rows of the incoming candles that are ``new`` and that are ``different`` from a stored one (boolean masks)."""

    new: Mask
    different: Mask

    @cached_property
    def upserted(self) -> Upserted:
        """The counts."""
        inserted, updated = int(np.count_nonzero(self.new)), int(np.count_nonzero(self.different))
        return Upserted(inserted, updated, len(self.new) - inserted - updated)

    def first_day(self, incoming: Candles) -> int:
        """The earliest UTC day with a new or different candle. The write must change something."""
        return day_of(incoming.microseconds[int(np.argmax(self.new | self.different))])

    def rewrites(self, incoming: Candles, last: int) -> bool:
        """True when the past changes: a candle is replaced, or one comes before the newest stored one."""
        new_times = incoming.microseconds[self.new]
        return bool(self.different.any() or (len(new_times) and new_times[0] < last))


def appended(incoming: Candles) -> Change:
    """Every candle is new: nothing stored needs to be read for it."""
    return Change(np.ones(len(incoming), np.bool_), np.zeros(len(incoming), np.bool_))


def compared(incoming: Candles, time: Integers, values: Mapping[str, Floats]) -> Change:
    """Compare with the stored candles of the same span: ``time`` sorted, ``values`` by column name."""
    if len(time) == 0:
        return appended(incoming)
    at = np.minimum(np.searchsorted(time, incoming.microseconds), len(time) - 1)
    stored = time[at] == incoming.microseconds
    differ = np.zeros(len(incoming), np.bool_)
    for name in VALUES:
        differ |= values[name][at] != getattr(incoming, name)
    return Change(~stored, stored & differ)
