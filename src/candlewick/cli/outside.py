"""Outside: the stored candles outside of sessions, which bars leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlewick.candles import PRICES, VALUES

if TYPE_CHECKING:
    from candlewick.candles import Candles
    from candlewick.cli.output import Columns


def outside_columns(candles: Candles, *, drop_flat: bool = False) -> Columns:
    """The candles that lie in no trading period, as columns of an answer: ``n`` is 1 and each is final.

    ``drop_flat`` leaves out those whose four prices are equal and that have no volume.
    """
    chosen = ~candles.calendar.inside(candles.microseconds)
    if drop_flat:
        flat = np.logical_and.reduce([getattr(candles, name) == candles.open for name in PRICES])
        chosen &= ~(flat & (candles.volume == 0))
    count = int(np.count_nonzero(chosen))
    values = {name: getattr(candles, name)[chosen] for name in VALUES}
    return {
        "time": candles.time[chosen],
        **values,
        "n": np.ones(count, dtype=np.int32),
        "final": np.ones(count, dtype=np.bool_),
    }
