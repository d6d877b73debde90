"""Change: what a write does to a series, decided in one place for every store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from candlewick.candles import VALUES, Candles
from candlewick.columnar import Floats, Integers
from candlewick.store.history import day_of
from candlewick.store.repository import Upserted

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Change:
    """Rows of the incoming candles that are ``new`` and that are ``different`` from a stored one (boolean masks).

    ``upserted`` has the counts.
    """

    new: Mask
    different: Mask
    upserted: Upserted

    def first_day(self, incoming: Candles) -> int:
        """The earliest UTC day with a new or different candle. The write must change something."""
        first = 0 if self.upserted.inserted == len(self.new) else (self.new | self.different).argmax()
        return day_of(incoming.microseconds[first])

    def rewrites(self, incoming: Candles, last: int) -> bool:
        """True when the past changes: a candle is replaced, or one comes before the newest stored one."""
        inserted = self.upserted.inserted
        if self.upserted.updated or not inserted:
            return self.upserted.updated > 0
        first = 0 if inserted == len(self.new) else self.new.argmax()
        return bool(incoming.microseconds[first] < last)


def appended(incoming: Candles) -> Change:
    """Every candle is new: nothing stored needs to be read for it."""
    none = np.zeros(len(incoming), np.bool_)
    return Change(~none, none, Upserted(inserted=len(incoming)))


def compared(incoming: Candles, time: Integers, values: Mapping[str, Floats]) -> Change:
    """Compare with the stored candles of the same span: ``time`` sorted, ``values`` by column name."""
    if len(time) == 0 or (len(incoming) and incoming.microseconds[0] > time[-1]):
        return appended(incoming)
    at = np.minimum(np.searchsorted(time, incoming.microseconds), len(time) - 1)
    stored = time[at] == incoming.microseconds
    differ = np.zeros(len(incoming), np.bool_)
    for name in VALUES:
        differ |= values[name][at] != getattr(incoming, name)
    new, different = ~stored, stored & differ
    inserted, updated = int(np.count_nonzero(new)), int(np.count_nonzero(different))
    return Change(new, different, Upserted(inserted, updated, len(incoming) - inserted - updated))
