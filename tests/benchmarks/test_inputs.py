"""What every contender starts from."""

from __future__ import annotations

import numpy as np
import pytest

from candlewick.aggregation.batch import session_bars
from candlewick.benchmarks.candle_data import minute_candles
from candlewick.benchmarks.inputs import Inputs


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return Inputs.of(session_bars(minute_candles(5_000)))


def test_a_session_begins_every_390_minutes(inputs: Inputs) -> None:
    assert inputs.starts["session"].tolist() == list(range(0, 5_000, 390))
    assert inputs.starts["first"].tolist() == [0]


def test_weeks_and_months_begin_where_the_calendar_does(inputs: Inputs) -> None:
    days = inputs.time.view("datetime64[us]").astype("datetime64[D]")
    weeks = (days.astype(np.int64) + 3) // 7
    assert inputs.starts["week"].tolist() == [0, *(np.flatnonzero(np.diff(weeks)) + 1).tolist()]
    assert inputs.starts["month"].tolist() == [0]


@pytest.mark.parametrize("anchor", ["session", "week", "month", "first"])
def test_numbers_count_the_starts(inputs: Inputs, anchor: str) -> None:
    number = inputs.number(anchor)
    assert number[0] == 0
    assert (np.flatnonzero(np.diff(number)) + 1).tolist() == inputs.starts[anchor].tolist()[1:]


def test_a_window_that_begins_inside_a_session_has_a_start_at_row_0() -> None:
    bars = session_bars(minute_candles(1_000)).rows(100, 600)
    found = Inputs.of(bars)
    assert found.starts["session"].tolist() == [0, 290]
    assert len(found) == 500
    assert np.shares_memory(found.close, bars.close)
