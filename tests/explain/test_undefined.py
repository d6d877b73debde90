"""Why a value is undefined, where no indicator of ours says it."""

from __future__ import annotations

import numpy as np

from candlewick.engine.trial_bars import bars_from_closes
from candlewick.explain.column import Column
from candlewick.explain.undefined import UNEXPLAINED, why_undefined
from candlewick.indicators import SMA

BARS = bars_from_closes(100.0 + np.sin(np.arange(30.0)))


def test_a_bars_own_column_is_never_undefined() -> None:
    assert why_undefined(Column.of("close"), BARS, 3) == UNEXPLAINED


def test_an_indicator_of_ones_own_has_its_own_reasons() -> None:
    class Own(SMA):
        kind = "own"

    column = Column("own_5", Own(5))
    assert why_undefined(column, BARS, 2) == "warm-up: 5 bars are needed, 3 are there"
    assert why_undefined(column, BARS, 20) == "undefined by its own definition"
