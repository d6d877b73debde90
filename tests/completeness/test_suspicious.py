"""What is suspicious, and what only looks so."""

from __future__ import annotations

import numpy as np
from tests.completeness.conftest import at, found, kept, rows

from candlewick.candles import PRICES, Candles
from candlewick.completeness.finding import Kind, Sure
from candlewick.completeness.grid import Grid
from candlewick.sources.simulated import simulate
from candlewick.timeframe import MINUTE, Timeframe


def one_of(calendar: str = "XNYS", sessions: int = 5, seed: int = 3) -> Candles:
    return next(simulate(["A"], calendar, sessions, seed))


def grid_of(candles: Candles) -> Grid:
    return Grid.between(
        candles.calendar, candles.timeframe, int(candles.microseconds[0]), int(candles.microseconds[-1]) + 1
    )


def test_a_stale_price_of_a_whole_session_is_one_finding() -> None:
    candles = one_of()
    start, end = at("2024-01-04T14:30:00Z"), at("2024-01-04T21:00:00Z")
    mine = rows(candles, start, end)
    same = {name: np.where(mine, 55.5, getattr(candles, name)) for name in PRICES}
    other = next(simulate(["B"], "XNYS", 5, 3))
    (one,) = found([kept(candles, slice(None), **same), other]).findings
    assert (one.kind, one.sure) == (Kind.STALE_PRICE, Sure.LIKELY)
    assert one.count == int(mine.sum())
    assert one.evidence["close"] == 55.5
    assert one.evidence["peers_that_moved"] == one.evidence["peers_looked_at"] == 1


def test_two_symbols_that_stand_still_together_are_told_once() -> None:
    start, end = at("2024-01-04T15:30:00Z"), at("2024-01-04T18:00:00Z")
    series = []
    for candles in simulate(["A", "B"], "XNYS", 5, 3):
        same = {n: np.where(rows(candles, start, end), 55.5, getattr(candles, n)) for n in PRICES}
        series.append(kept(candles, slice(None), **same))
    (one,) = found(series).findings
    assert one.about == ("A", "B")
    assert one.evidence["symbols"] == 2


def test_a_series_of_flat_bars_only_is_what_is_usual_for_it() -> None:
    candles = one_of()
    flat = dict.fromkeys(PRICES, candles.close)
    assert not found([kept(candles, slice(None), **flat)]).findings


def test_a_price_that_often_stands_still_is_not_stale() -> None:
    candles = one_of(sessions=8)
    coarse = np.maximum(np.round(candles.close * 0.2) / 0.2, 5.0)  # a tick as wide as many minutes
    prices = dict.fromkeys(PRICES, coarse)
    assert Kind.STALE_PRICE not in [one.kind for one in found([kept(candles, slice(None), **prices)]).findings]


def test_hours_and_days_stand_still_sooner_than_minutes() -> None:
    hours = np.array([at("2024-01-02T00:00:00Z") + k * 60 * MINUTE for k in range(240)])
    close = 100.0 + np.arange(240) % 9
    close[100:115] = 105.0
    candles = Candles(
        symbol="H",
        timeframe="1h",
        calendar="24/7",
        time=hours,
        open=close,
        high=close + 1,
        low=close - 1,
        close=close,
        volume=np.ones(240),
    )
    (one,) = found([candles], timeframe=Timeframe.parse("1h")).findings
    assert (one.kind, one.sure) == (Kind.STALE_PRICE, Sure.POSSIBLE)


def test_sessions_without_volume_are_told_where_others_have_some() -> None:
    candles = one_of()
    grid = grid_of(candles)
    place = grid.session[grid.place(candles.microseconds)]
    silent = kept(candles, slice(None), volume=np.where((place == 1) | (place == 2), 0.0, candles.volume))
    (one,) = found([silent]).findings
    assert (one.kind, one.sure, one.evidence["sessions"]) == (Kind.ZERO_VOLUME, Sure.CERTAIN, 2)
    assert not found([kept(candles, slice(None), volume=candles.volume * 0)]).findings
    often = kept(candles, slice(None), volume=np.where(place % 2 == 0, 0.0, candles.volume))
    assert not found([often]).findings
    flat = {name: np.where(place == 1, 7.0 + np.arange(len(candles)) % 7, getattr(candles, name)) for name in PRICES}
    unmoved = kept(candles, slice(None), volume=np.where(place == 1, 0.0, candles.volume), **flat)
    assert {one.kind: one.sure for one in found([unmoved]).findings}[Kind.ZERO_VOLUME] is Sure.LIKELY


def test_a_split_between_sessions_round_the_clock_is_a_jump_and_one_inside_is_none() -> None:
    candles = one_of("24/7", 4)
    for change, kinds in ((at("2024-01-04T00:00:00Z"), [Kind.JUMP]), (at("2024-01-04T12:00:00Z"), [])):
        late = candles.microseconds >= change
        prices = {name: np.where(late, getattr(candles, name) / 10, getattr(candles, name)) for name in PRICES}
        seen = found([kept(candles, slice(None), **prices)])
        assert [one.kind for one in seen.findings] == kinds
        assert all(one.evidence["ratio"] == "10:1" for one in seen.findings)


def test_a_pause_inside_a_session_is_no_night() -> None:
    candles = one_of("24/7", 4)
    pause = at("2024-01-04T10:00:00Z")
    late = candles.microseconds >= pause
    prices = {name: np.where(late, getattr(candles, name) / 10, getattr(candles, name)) for name in PRICES}
    gap = ~rows(candles, pause, pause + 90 * MINUTE)
    seen = found([kept(candles, gap, **prices)])
    assert [one.kind for one in seen.findings] == [Kind.MISSING_MINUTES]


def test_candles_off_the_grid_are_told_by_session_and_beside_those_on_it() -> None:
    candles = one_of()
    first = at("2024-01-02T15:00:00Z")
    twice = rows(candles, first, first + 3 * MINUTE)
    outside = np.array([at("2024-01-03T22:00:30Z")])
    time = np.concatenate([candles.microseconds, candles.microseconds[twice] + 30_000_000, outside])
    order = np.argsort(time)
    values = {}
    for name in (*PRICES, "volume"):
        column = getattr(candles, name)
        values[name] = np.concatenate([column, column[twice], column[:1]])[order]
    more = Candles(symbol="A", timeframe="1m", calendar="XNYS", time=time[order], **values)
    late, early = found([more]).findings
    assert (early.kind, early.count, early.evidence["beside_one_on_the_grid"]) == (Kind.OFF_GRID, 3, 3)
    assert (late.kind, late.count, late.evidence["example"]) == (Kind.OFF_GRID, 1, "2024-01-03T22:00:30Z")


def test_days_stand_at_the_open_of_their_session() -> None:
    days = np.array([at(f"2024-01-0{day}T14:30:00Z") for day in (2, 3, 4, 5)])
    close = np.array([10.0, 11.0, 12.0, 11.0])
    values = dict.fromkeys(PRICES, close)
    off = days + np.array([0, 60 * MINUTE, 0, 0])
    about = {"symbol": "D", "timeframe": "1d", "calendar": "XNYS", "volume": close}
    day = Timeframe.parse("1d")
    assert not found([Candles(**about, time=days, **values)], timeframe=day).findings
    (one,) = found([Candles(**about, time=off, **values)], timeframe=day).findings
    assert (one.kind, one.count) == (Kind.OFF_GRID, 1)
    night = days + np.array([0, 600 * MINUTE, 0, 0])
    assert [one.kind for one in found([Candles(**about, time=night, **values)], timeframe=day).findings] == [
        Kind.MISSING_SESSIONS
    ]
