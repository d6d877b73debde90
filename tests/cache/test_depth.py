"""Depth: enough is kept for what is asked, and never less than before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from candlewick.cache.depth import FEWEST, TIMES, deeper, first_kept
from candlewick.sessions.table import DAY
from candlewick.store.repository import Series
from candlewick.timeframe import MINUTE, Timeframe

timeframes = st.sampled_from(["1m", "5m", "1h", "1d", "1w", "1mo"]).map(Timeframe.parse)
lows = st.one_of(st.none(), st.integers(-100, 3000).map(lambda day: day * DAY))


def series(days: int, rows: int) -> Series:
    return Series("S", Timeframe.parse("1m"), "24/7", rows, 0, days * DAY, 1, 0)


@given(timeframes, lows, lows, st.integers(0, 2000), st.integers(1, 10**6), st.sampled_from([0, FEWEST]))
def test_what_is_kept_reaches_as_far_as_what_is_asked(
    timeframe: Timeframe, low: int | None, other: int | None, days: int, rows: int, fewest: int
) -> None:
    record = series(days, rows)
    first = first_kept(record, timeframe, low, fewest)
    second = deeper(record, timeframe, other, fewest, first)
    for kept, asked in ((first, low), (second, other), (second, low)):
        assert kept is None or (asked is not None and record.first < kept <= max(asked, record.last))
        assert kept is None or asked is None or asked >= record.last or kept <= asked
    assert second is None or (first is not None and second <= first)


def test_golden() -> None:
    """Five sessions of 1m are kept from the start, two days of 24/7; paging back doubles what is kept."""
    record = series(1000, 1000 * 1440)
    one = Timeframe.parse("1m")
    assert first_kept(record, one, record.last, FEWEST) == record.last - 2 * DAY - 4 * MINUTE
    assert first_kept(record, one, record.last, 0) == record.last, "of a view that is asked once"
    sparse = series(1000, 1000 * 390)
    assert first_kept(sparse, one, sparse.last, FEWEST) == sparse.last - FEWEST * (1440 * MINUTE * 1000 // (390 * 1000))
    assert first_kept(record, one, record.last - 9 * DAY, FEWEST) == record.last - 9 * DAY
    assert deeper(record, one, record.last - 10 * DAY, FEWEST, record.last - 9 * DAY) == record.last - 10 * TIMES * DAY
    assert first_kept(record, one, record.first, FEWEST) is None
    assert first_kept(record, Timeframe.parse("1d"), record.last, FEWEST) is None
