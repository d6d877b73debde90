"""Laws: nothing is missing of what was made whole, and what is taken away is found, exactly."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.completeness.conftest import LONG_AFTER, at, found, kept, rows

from candlewick.candles import Candles
from candlewick.completeness.finding import Finding, Kind, Sure
from candlewick.completeness.grid import Grid
from candlewick.sources.simulated import simulate
from candlewick.timeframe import MINUTE, Timeframe

CALENDARS = ("XNYS", "XTKS", "XBOM", "24/7")
STARTS = ("2024-01-02", "2024-03-07", "2024-10-28", "2023-12-20")
"""Among them changes of the clock, half days and a special session."""


def grid_of(candles: Candles) -> Grid:
    first, last = int(candles.microseconds[0]), int(candles.microseconds[-1])
    return Grid.between(candles.calendar, candles.timeframe, first, last + 1)


def ends(grid: Grid, session: int) -> tuple[int, int]:
    return int(grid.open[grid.first[session]]), int(grid.close[grid.first[session + 1] - 1])


def outline(one: Finding) -> tuple[Kind, int, int]:
    return one.kind, one.start, one.end


@given(
    st.integers(0, 2**32),
    st.sampled_from(CALENDARS),
    st.integers(1, 6),
    st.sampled_from(STARTS),
    st.booleans(),
)
@settings(max_examples=40)
def test_a_whole_series_of_any_seed_has_nothing_to_tell(
    seed: int, calendar: str, sessions: int, start: str, bounded: bool
) -> None:
    series = list(simulate(["A", "B"], calendar, sessions, seed, start))
    grid = grid_of(series[0])
    edges = (int(grid.open[0]), int(grid.close[-1])) if bounded else (None, None)
    assert not found(series, *edges).findings


@given(
    st.integers(0, 2**32),
    st.sampled_from(CALENDARS),
    st.sampled_from(STARTS),
    st.sets(st.integers(0, 6), min_size=1, max_size=7),
)
@settings(max_examples=40)
def test_exactly_the_sessions_that_were_taken_away_are_missing(
    seed: int, calendar: str, start: str, taken: set[int]
) -> None:
    (candles,) = simulate(["A"], calendar, 7, seed, start)
    grid = grid_of(candles)
    lost = np.zeros(len(candles), dtype=np.bool_)
    for session in taken:
        lost |= rows(candles, *ends(grid, session))
    seen = found([kept(candles, ~lost)], int(grid.open[0]), int(grid.close[-1]), symbols=("A",))
    expected = set()
    if len(taken) == 7:
        expected.add((Kind.MISSING_SYMBOL, int(grid.open[0]), int(grid.close[-1])))
    else:
        places = enumerate(sorted(taken))
        for _, members in groupby(places, key=lambda pair: pair[1] - pair[0]):
            run = [session for _, session in members]
            kind = Kind.LATE if run[-1] == 6 else Kind.MISSING_SESSIONS
            expected.add((kind, ends(grid, run[0])[0], ends(grid, run[-1])[1]))
    assert {outline(one) for one in seen.findings} == expected
    for one in seen.findings:
        assert one.unit != "sessions" or one.count == sum(one.start <= ends(grid, k)[0] < one.end for k in taken)


@given(st.data(), st.integers(0, 2**32), st.sampled_from(CALENDARS), st.sampled_from(STARTS))
@settings(max_examples=40)
def test_exactly_the_minutes_that_were_taken_away_are_missing(
    data: st.DataObject, seed: int, calendar: str, start: str
) -> None:
    (candles,) = simulate(["A"], calendar, 5, seed, start)
    grid = grid_of(candles)
    session = data.draw(st.integers(0, 4), "session")
    size = int(grid.first[session + 1] - grid.first[session])
    many = data.draw(st.integers(20, max(20, int(size * 0.4))), "many")
    if size < 3 * many:  # special sessions of an hour
        many = size // 3
    since = int(grid.first[session]) + data.draw(st.integers(0, size - many), "since")
    left = kept(candles, ~rows(candles, int(grid.open[since]), int(grid.close[since + many - 1])))
    # Minutes without a trade beside the stretch belong to it.
    there = np.zeros(len(grid), dtype=np.bool_)
    there[grid.place(left.microseconds)] = True
    low, high = since, since + many
    while low > grid.first[session] and not there[low - 1]:
        low -= 1
    while high < grid.first[session + 1] and not there[high]:
        high += 1
    kind = Kind.LATE if session == 4 and high == grid.first[5] else Kind.MISSING_MINUTES
    seen = found([left], int(grid.open[0]), int(grid.close[-1]))
    assert [outline(one) for one in seen.findings] == [(kind, int(grid.open[low]), int(grid.close[high - 1]))]
    assert seen.findings[0].count == high - low


@given(st.integers(0, 2**32), st.floats(0.62, 0.95), st.sampled_from(["XNYS", "24/7"]), st.integers(0, 3))
@settings(max_examples=20)
def test_a_session_with_half_or_fewer_of_its_candles_is_short(
    seed: int, share: float, calendar: str, session: int
) -> None:
    (candles,) = simulate(["A"], calendar, 5, seed)
    grid = grid_of(candles)
    inside = rows(candles, *ends(grid, session))
    inside[np.flatnonzero(inside)[0]] = False
    lost = inside & (np.random.default_rng(seed).random(len(candles)) < share)
    seen = found([kept(candles, ~lost)], int(grid.open[0]), int(grid.close[-1]))
    assert [outline(one) for one in seen.findings] == [(Kind.SHORT_SESSION, *ends(grid, session))]
    (one,) = seen.findings
    assert one.count + one.evidence["there"] == one.evidence["slots"]


@given(st.integers(0, 2**32), st.floats(0.3, 0.9), st.floats(0.3, 0.9))
@settings(max_examples=20)
def test_a_thin_symbol_is_not_told_for_minutes_without_a_trade(seed: int, first: float, second: float) -> None:
    series = []
    for candles, share in zip(simulate(["A", "B"], "XNYS", 8, seed), (first, second), strict=True):
        lost = np.random.default_rng([seed, len(series)]).random(len(candles)) < share
        series.append(kept(candles, ~lost))
    assert not found(series).findings


def test_a_thin_symbol_is_told_for_a_gap_that_is_long_for_it() -> None:
    (candles,) = simulate(["A"], "XNYS", 8, 3)
    thin = kept(candles, np.random.default_rng(1).random(len(candles)) >= 0.7)
    grid = grid_of(candles)
    start = int(grid.open[grid.first[4] + 100])
    gap = kept(thin, ~rows(thin, start, start + 150 * MINUTE))
    (one,) = found([gap]).findings
    assert one.kind is Kind.MISSING_MINUTES
    assert one.start <= start
    assert one.end >= start + 150 * MINUTE
    short = kept(thin, ~rows(thin, start, start + 10 * MINUTE))
    assert not found([short]).findings


def test_far_more_single_minutes_than_usual_are_told_as_scattered() -> None:
    (candles,) = simulate(["A"], "XNYS", 6, 2)
    grid = grid_of(candles)
    low, high = ends(grid, 3)
    lost = rows(candles, low, high) & ((candles.microseconds - low) // MINUTE % 4 == 1)
    (one,) = found([kept(candles, ~lost)]).findings
    assert outline(one) == (Kind.MISSING_MINUTES, low, high)
    assert one.evidence["scattered"] is True
    assert one.count >= np.count_nonzero(lost)
    # Too few sessions do not say what is usual.
    few = rows(candles, *ends(grid, 2)) | rows(candles, low, high)
    assert not found([kept(candles, ~lost & few)]).findings


def test_a_symbol_that_trades_on_some_days_only_is_judged_by_how_often_it_does() -> None:
    days = np.arange(np.datetime64("2023-01-02"), np.datetime64("2023-12-29"))
    days = days[np.is_busday(days, holidays=["2023-01-02", "2023-01-16", "2023-02-20", "2023-04-07", "2023-05-29"])]
    days = days[
        ~np.isin(days, np.array(["2023-06-19", "2023-07-04", "2023-09-04", "2023-11-23", "2023-12-25"], "M8[D]"))
    ]
    chance = np.random.default_rng(4).random(len(days))

    def daily(share: float, gone: slice) -> Candles:
        chosen = chance >= share
        chosen[0] = chosen[-1] = True
        chosen[gone] = False
        value = np.full(int(chosen.sum()), 10.0)
        price = value + np.arange(len(value)) % 7
        return Candles(
            symbol="D",
            timeframe="1d",
            calendar="XNYS",
            time=days[chosen],
            open=price,
            high=price,
            low=price,
            close=price,
            volume=value,
        )

    about = {"timeframe": Timeframe.parse("1d")}
    assert not found([daily(0.5, slice(0, 0))], **about).findings
    (long,) = found([daily(0.5, slice(100, 150))], **about).findings
    assert long.kind is Kind.MISSING_SESSIONS
    assert long.count >= 50
    (one,) = found([daily(0.0, slice(100, 101))], **about).findings
    assert (one.kind, one.count) == (Kind.MISSING_SESSIONS, 1)


def test_what_lies_before_the_oldest_candle_is_only_possible() -> None:
    (candles,) = simulate(["A"], "XNYS", 5, 9)
    grid = grid_of(candles)
    left = kept(candles, candles.microseconds >= ends(grid, 2)[0])
    assert not found([left]).findings
    (one,) = found([left], int(grid.open[0])).findings
    assert outline(one) == (Kind.MISSING_SESSIONS, ends(grid, 0)[0], ends(grid, 1)[1])
    assert (one.sure, one.evidence["before_the_oldest_candle"]) == (Sure.POSSIBLE, True)


@pytest.mark.parametrize(
    ("now", "kind", "start"),
    [
        ("2024-01-08T13:00:00Z", None, ""),  # Monday before the open
        ("2024-01-08T14:34:00Z", None, ""),  # the first minutes may still come
        ("2024-01-08T15:00:00Z", Kind.LATE, "2024-01-08T14:30:00Z"),
        ("2024-02-02T15:00:00Z", Kind.LATE, "2024-01-08T14:30:00Z"),
        ("2024-03-02T15:00:00Z", None, ""),  # more than twenty sessions later: it has ended
    ],
)
def test_late_is_what_could_be_there_by_now(now: str, kind: Kind | None, start: str) -> None:
    candles = list(simulate(["A", "B"], "XNYS", 4, 1, "2024-01-02"))
    seen = found(candles, now=at(now))
    assert [one.kind for one in seen.findings] == ([] if kind is None else [kind])
    if kind is not None:
        (one,) = seen.findings
        assert one.about == ("A", "B")
        assert one.start == at(start)
        assert one.end <= at(now)
    assert bool(seen.ended) == (now == "2024-03-02T15:00:00Z")


def test_a_series_may_be_late_within_its_session() -> None:
    late, busy = simulate(["A", "B"], "XNYS", 3, 5)
    start, end = at("2024-01-04T18:00:00Z"), at("2024-01-04T19:00:00Z")
    series = [kept(late, late.microseconds < start), kept(busy, busy.microseconds < end)]
    (one,) = found(series, now=end + 6 * MINUTE).findings
    assert (one.kind, one.symbol, one.end) == (Kind.LATE, "A", end + MINUTE)
    assert one.sure is Sure.CERTAIN
    assert one.evidence["peers_with_candles"] == 1


def test_a_range_is_judged_by_what_came_before_it() -> None:
    (candles,) = simulate(["A"], "XNYS", 12, 5)
    grid = grid_of(candles)
    low, high = ends(grid, 10)
    lost = rows(candles, low, high) & ((candles.microseconds - low) // MINUTE % 5 < 3)
    seen = found([kept(candles, ~lost)], low, high)
    assert [outline(one) for one in seen.findings] == [(Kind.SHORT_SESSION, low, high)]
    assert not found([kept(candles, ~lost)], *ends(grid, 9)).findings
    assert not found([kept(candles, ~lost)], LONG_AFTER, LONG_AFTER + MINUTE).findings


def test_nothing_is_due_in_a_range_outside_of_sessions() -> None:
    (candles,) = simulate(["A"], "XNYS", 3, 5)
    assert not found([candles], at("2024-01-03T22:00:00Z"), at("2024-01-04T10:00:00Z")).findings
