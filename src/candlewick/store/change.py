"""Change: what a write does to a series, decided in one place for every store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from candlewick.candles import VALUES, Candles
from candlewick.columnar import Floats, Integers
from candlewick.store.repository import Upserted

Mask = npt.NDArray[np.bool_]


class Counted(NamedTuple):
    """What a write of candles does to a series. ``first``: time of the first that is new or different; ``first_new``:
    of the first that is new; None where there is none."""

    inserted: int
    updated: int
    first: int | None
    first_new: int | None


@dataclass(frozen=True)
class Change:
    """Rows of the incoming candles that are ``new`` and that are ``different`` from a stored one (boolean masks).

    ``upserted`` has the counts.
    """

    new: Mask
    different: Mask
    upserted: Upserted

    def counted(self, incoming: Candles) -> Counted:
        """What an entry of a catalogue needs to know of it (`store/entry_after.py`)."""
        time, inserted, updated = incoming.microseconds, self.upserted.inserted, self.upserted.updated
        if inserted == len(time):
            first = int(time[0]) if inserted else None
            return Counted(inserted, 0, first, first)
        first = int(time[(self.new | self.different).argmax()]) if inserted or updated else None
        return Counted(inserted, updated, first, int(time[self.new.argmax()]) if inserted else None)


def appended(incoming: Candles) -> Change:
    """Every candle is new: nothing stored needs to be read for it."""
    none = np.zeros(len(incoming), np.bool_)
    return Change(~none, none, Upserted(len(none)))


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
