"""Growing: pieces of a series give the same bars as all of it, also when it begins again at a known bar."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.aggregation import aggregate
from candlewick.aggregation.growing import Growing
from candlewick.bars import Bars
from candlewick.candles import Candles
from candlewick.errors import HorizonError, InputError, UnknownNameError
from candlewick.sessions.calendar import find_calendar
from candlewick.timeframe import MINUTE, Timeframe

pytestmark = pytest.mark.kernel

START = 1_703_808_000_000_000
"""2023-12-29T00:00:00Z, when Tokyo opens."""

ONE = Timeframe.parse("1m")


@st.composite
def candles(draw: Any) -> Candles:
    days = draw(st.lists(st.integers(0, 8), min_size=1, max_size=4, unique=True))
    minutes = [day * 1440 + at for day in days for at in draw(st.lists(st.integers(0, 400), min_size=1, max_size=8))]
    time = START + np.unique(minutes) * MINUTE
    close = np.array(draw(st.lists(st.integers(1, 9), min_size=len(time), max_size=len(time))), dtype=float)
    volume = np.array(draw(st.lists(st.integers(0, 1), min_size=len(time), max_size=len(time))), dtype=float)
    return Candles(
        symbol="S",
        timeframe=ONE,
        calendar=draw(st.sampled_from(["XTKS", "24/7"])),
        time=time,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=volume,
    )


def fresh(series: Candles, timeframe: str, zero_volume: str) -> Growing:
    return Growing(series.symbol, ONE, Timeframe.parse(timeframe), series.calendar, zero_volume)


def joined(parts: list[Bars]) -> list[Any]:
    """Every column but ``final``, which is not Growing's to say."""
    names = ("microseconds", "open", "high", "low", "close", "volume", "n", "anchor")
    return [np.concatenate([getattr(part, name) for part in parts]).tolist() for name in names]


timeframes = st.sampled_from(["1m", "5m", "1h", "1d", "1w", "1mo"])
zero_volumes = st.sampled_from(["keep", "drop"])


@given(candles(), timeframes, zero_volumes, st.lists(st.integers(0, 32), max_size=3))
def test_pieces_give_the_bars_of_the_whole(series: Candles, timeframe: str, zero_volume: str, cuts: list[int]) -> None:
    growing = fresh(series, timeframe, zero_volume)
    edges = [0, *sorted(min(cut, len(series)) for cut in cuts), len(series)]
    closed = [growing.take(series.rows(first, last)) for first, last in pairwise(edges)]
    whole = aggregate(series, timeframe, zero_volume=zero_volume)
    assert joined([*closed, growing.newest()]) == joined([whole])
    assert growing.newest().source == ONE


@given(candles(), timeframes, zero_volumes, st.data())
def test_it_begins_again_at_any_known_bar(series: Candles, timeframe: str, zero_volume: str, data: Any) -> None:
    whole = aggregate(series, timeframe, zero_volume=zero_volume)
    if not len(whole):
        return
    row = data.draw(st.integers(0, len(whole) - 1))
    begin = int(whole.microseconds[row])
    again = fresh(series, timeframe, zero_volume).again_from(int(whole.anchor[row]))
    closed = [again.take(series.rows(0, 0)), again.take(series.between(begin, None))]
    assert joined([*closed, again.newest()]) == joined([whole.rows(row, len(whole))])


@given(candles(), timeframes)
def test_a_copy_goes_on_apart(series: Candles, timeframe: str) -> None:
    growing = fresh(series, timeframe, "keep")
    growing.take(series.rows(0, 1))
    before = joined([growing.newest()])
    growing.copy().take(series.rows(1, len(series)))
    assert joined([growing.newest()]) == before


def test_an_error_changes_nothing() -> None:
    calendar = find_calendar("XNYS")
    growing = Growing("S", ONE, ONE, calendar)
    inside = 1_704_205_800_000_000
    growing.take(_flat(inside))
    before = joined([growing.newest()])
    with pytest.raises(HorizonError):
        growing.take(_flat(calendar.known[1] + MINUTE))
    assert joined([growing.newest()]) == before
    assert growing.end == inside + MINUTE


def test_what_cannot_be_is_refused() -> None:
    calendar = find_calendar("24/7")
    with pytest.raises(InputError, match="timeframe"):
        Growing("S", Timeframe.parse("5m"), Timeframe.parse("7m"), calendar)
    with pytest.raises(UnknownNameError, match="zero_volume"):
        Growing("S", ONE, ONE, calendar, "fill")
    growing = Growing("S", ONE, ONE, calendar)
    assert len(growing.newest()) == 0
    assert growing.nbytes > 0
    with pytest.raises(InputError, match="make no bar"):
        _ = growing.end


def _flat(at: int) -> Candles:
    one = np.ones(1)
    return Candles(
        symbol="S", timeframe="1m", calendar="XNYS", time=np.array([at]), open=one, high=one, low=one,
        close=one, volume=one,
    )  # fmt: skip
