"""A store looked through: peers, bounds, order, and what is not stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.completeness.conftest import LONG_AFTER, at, found, kept, rows, stored

from candlewick.candles import Candles
from candlewick.completeness.asked import Asked
from candlewick.completeness.finding import Kind, Sure
from candlewick.completeness.scan import scan
from candlewick.errors import UnknownSeriesError
from candlewick.sources.simulated import simulate
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import QuarantinedRow
from candlewick.timeframe import MINUTE

OUTAGE = at("2024-01-03T16:00:00Z"), at("2024-01-03T17:00:00Z")


def market(many: int, sessions: int = 4) -> list[Candles]:
    return list(simulate([f"S{number:02}" for number in range(many)], "XNYS", sessions, 8))


def test_an_outage_of_all_is_told_once_and_only_possible() -> None:
    series = [kept(one, ~rows(one, *OUTAGE)) for one in market(6)]
    (one,) = found(series).findings
    assert (one.kind, len(one.about), one.sure) == (Kind.MISSING_MINUTES, 6, Sure.LIKELY)
    lone, *rest = market(6)
    (two,) = found([kept(lone, ~rows(lone, *OUTAGE)), *rest]).findings
    assert (two.about, two.sure, two.evidence["peers_with_candles"]) == (("S00",), Sure.CERTAIN, 5)
    others = [kept(one, ~rows(one, OUTAGE[0] - MINUTE * 30, OUTAGE[1] + 30 * MINUTE)) for one in rest]
    told = found([kept(lone, ~rows(lone, *OUTAGE)), *others]).findings
    assert {len(one.about): one.sure for one in told} == {5: Sure.CERTAIN, 1: Sure.POSSIBLE}


def test_no_more_peers_are_read_than_are_needed() -> None:
    lone, *rest = market(35)
    (one,) = found([kept(lone, ~rows(lone, *OUTAGE)), *rest]).findings
    assert one.evidence["peers_looked_at"] <= 10


def test_what_is_told_is_bounded_and_the_newest_first() -> None:
    series = []
    for number, one in enumerate(market(9)):
        start = OUTAGE[0] + number * 20 * MINUTE
        series.append(kept(one, ~rows(one, start, start + 30 * MINUTE)))
    store = stored(series)
    seen = scan(store, Asked(now=LONG_AFTER), limit=4)
    assert (seen.found, len(seen.findings), len(seen.single), seen.looked_at) == (9, 4, 9, 9)
    assert [one.symbol for one in seen.findings] == ["S08", "S07", "S06", "S05"]


def test_symbols_that_are_not_stored_are_missing() -> None:
    series = market(2)
    steps: list[str] = []
    seen = scan(stored(series), Asked(("S00", "S0", "zzz", "S00"), now=LONG_AFTER), step=steps.append)
    near, far = sorted(seen.findings, key=lambda one: one.symbol)
    assert (near.kind, near.evidence["stored"], near.evidence["nearest"]) == (Kind.MISSING_SYMBOL, False, "S01, S00")
    assert "nearest" not in far.evidence
    assert (seen.looked_at, steps) == (1, ["S00", "S0", "zzz"])
    assert seen.single[0].sure is Sure.CERTAIN


def test_a_symbol_stored_at_another_length_says_which() -> None:
    days = Candles(
        symbol="D",
        timeframe="1d",
        calendar="XNYS",
        time=["2024-01-02"],
        open=[1.0],
        high=[1.0],
        low=[1.0],
        close=[1.0],
        volume=[1.0],
    )
    (one,) = found([days], symbols=("D",)).findings
    assert one.evidence["stored_timeframes"] == "1d"
    (none,) = found([], at("2024-01-02T00:00:00Z"), at("2024-01-03T00:00:00Z"), symbols=("D",)).findings
    assert (none.calendar, none.start, none.end) == ("", at("2024-01-02T00:00:00Z"), at("2024-01-03T00:00:00Z"))
    assert not found([days]).looked_at


def test_a_symbol_without_a_candle_in_the_range_is_missing_there() -> None:
    first, second = market(2, 8)
    start, end = at("2024-01-04T00:00:00Z"), at("2024-01-06T00:00:00Z")
    (one,) = found([kept(first, ~rows(first, start, end)), second], start, end).findings
    assert (one.kind, one.symbol, one.count, one.unit) == (Kind.MISSING_SESSIONS, "S00", 2, "sessions")
    early = kept(first, first.microseconds >= end)
    (two,) = found([early, second], start, end).findings
    assert (two.kind, two.count, two.sure) == (Kind.MISSING_SYMBOL, 2, Sure.POSSIBLE)


def test_refused_rows_of_symbols_that_are_not_stored_are_told_unless_symbols_are_asked_for() -> None:
    store = stored(market(1))
    store.quarantine([QuarantinedRow("c", 2, "a.csv", "", "no symbol", ",2024-01-03T15:00:00Z,1", 0)])
    (one,) = scan(store, Asked(now=LONG_AFTER)).findings
    assert (one.kind, one.symbol, one.count) == (Kind.REFUSED, "", 1)
    assert not scan(store, Asked(("S00",), now=LONG_AFTER)).findings


class Vanishing(MemoryStore):
    """A store whose series are deleted while one looks."""

    def read(self, symbol: str, *about: Any, **more: Any) -> Candles:
        raise UnknownSeriesError("symbol", symbol, [])


def test_a_series_that_is_deleted_meanwhile_is_missing() -> None:
    store = Vanishing()
    store.upsert_many(market(2))
    assert [one.evidence["stored"] for one in scan(store, Asked(now=LONG_AFTER)).findings] == [False, False]


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_one_that_lags_behind_its_peers_is_late_also_long_afterwards(lag: int) -> None:
    first, second = market(2, 6)
    days = np.unique(first.time.astype("datetime64[D]"))
    if lag:
        first = kept(first, first.time < days[-lag])
    seen = found([first, second])
    assert [(one.kind, one.symbol) for one in seen.findings] == ([(Kind.LATE, "S00")] if lag else [])
    assert all(one.evidence["sessions_behind"] == lag for one in seen.findings)


def test_one_that_stops_within_the_newest_session_of_its_peers_is_late() -> None:
    first, second = market(2, 6)
    last = at("2024-01-09T18:00:00Z")
    cut = kept(first, first.microseconds < last)
    (one,) = found([cut, second]).findings
    assert (one.kind, one.symbol, one.start) == (Kind.LATE, "S00", last)
    (alone,) = found([cut]).findings
    assert (alone.kind, alone.start) == (Kind.MISSING_MINUTES, last)


def test_candles_after_the_close_leave_a_series_in_order() -> None:
    (one,) = market(1)
    time = np.append(one.microseconds, one.microseconds[-1] + 120 * MINUTE)
    values = {name: np.append(getattr(one, name), 50.0) for name in ("open", "high", "low", "close", "volume")}
    late = Candles(symbol="S00", timeframe="1m", calendar="XNYS", time=time, **values)
    only = Candles(
        symbol="X", timeframe="1m", calendar="XNYS", time=time[-1:], **{name: v[-1:] for name, v in values.items()}
    )
    assert not found([late]).findings
    assert [one.kind for one in found([only]).findings] == []
