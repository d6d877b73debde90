"""Solve and edits at their edges: where nothing can be solved, and references that show little."""

from __future__ import annotations

import numpy as np
import pytest
from tests.compare.exports import Export, at_timeframe, quiet, rebuilt, with_close, without
from tests.compare.injections import changed, middle

import candlewick as cw
from candlewick.compare import compare
from candlewick.compare.account import Account, Pair
from candlewick.compare.edits import Shown, found
from candlewick.compare.ground import OURS, Ground
from candlewick.compare.reference import reference_of
from candlewick.compare.sheet import Sheet
from candlewick.compare.solve import alone, solve
from candlewick.compare.titles import meaning_of


def sheet_of(candles, **columns):
    table = {"time": candles.time, **columns}
    reference = reference_of(table, timeframe=candles.timeframe, calendar=candles.calendar)
    pairs = [Pair(column, meaning_of(column.title), "name") for column in reference.columns]
    return Sheet(Ground(candles, candles.timeframe), reference, 1e-9), pairs


def test_what_has_no_close_to_solve_for(candles):
    bars = cw.aggregate(candles, "5m")
    high = cw.compute(bars, "sma(9,high),stochastic")
    sheet, pairs = sheet_of(candles, stochastic_14_3_3_k=high["stochastic_14_3_3_k"] + 1, close=candles.close)
    account = Account()
    assert solve(sheet, account, pairs) is account
    assert [alone(sheet, account, pair, 50) for pair in pairs] == [None, None]


def test_the_last_value_alone_proves_nothing(candles):
    values = cw.compute(cw.aggregate(candles, "5m"), "sma(9)")["sma_9"].copy()
    values[-1] += 1
    sheet, pairs = sheet_of(candles, sma_9=values)
    account = Account()
    assert solve(sheet, account, pairs) is account
    assert alone(sheet, account, pairs[0], len(values) - 1) == pytest.approx(candles.close[-1] + 9)
    assert alone(sheet, account, pairs[0], 2) is None  # ours has no value there


def test_a_close_that_is_gone_again_at_the_next_bar_is_none(candles):
    values = cw.compute(cw.aggregate(candles, "5m"), "sma(9)")["sma_9"].copy()
    values[100] += 1
    sheet, pairs = sheet_of(candles, sma_9=values)
    account = Account()
    assert solve(sheet, account, pairs) is account


def test_as_many_closes_as_are_solved_for(candles):
    theirs = candles
    rows = range(60, 60 + 30 * 5, 5)
    for row in rows:
        theirs = with_close(theirs, row, round(float(theirs.close[row]) + 0.37, 2))
    values = cw.compute(cw.aggregate(theirs, "5m"), "ema(5)")["ema_5"]
    sheet, pairs = sheet_of(candles, ema_5=values)
    solved = solve(sheet, Account(), pairs).solved
    assert [edit.time for edit in solved] == candles.microseconds[list(rows)[:25]].tolist()
    assert all(dict(edit.values)["close"] == theirs.close[row] for edit, row in zip(solved, rows, strict=False))


def test_rows_of_no_bar_are_left_alone(candles):
    values = np.full(len(candles), 1.0)
    sheet, pairs = sheet_of(candles, sma_9=values)
    nowhere = Account(origin=int(candles.microseconds[-1]) + 1)
    assert solve(sheet, nowhere, pairs) is nowhere


def test_edits_need_rows_within_ours(candles):
    ground = Ground(candles, candles.timeframe)
    shown = Shown(candles.microseconds + 10**13, {"close": candles.close}, {"close": candles.close * 0}, 1e-9)
    assert found(shown, ground.bars(), ground, OURS) == []


def test_a_reference_with_closes_only(candles, compared):
    at = middle(candles)
    export = Export.of(with_close(candles, at, changed(candles))).only("close", "sma_9", "ema_9", "atr_14", "vwap")
    result = compared(candles, export)
    assert {cause.name for cause in result.causes} == {"source"}
    assert result.unexplained == ()
    (bar,) = result.cause("source").evidence
    assert bar["theirs"] == {"close": changed(candles), "high": changed(candles)}


def test_a_bar_that_we_miss_and_of_which_only_the_close_is_shown(candles, compared):
    export = Export.of(candles).only("close", "sma_9", "ema_9")
    result = compared(without(candles, middle(candles)), export)
    assert {cause.name for cause in result.causes} == {"missing_bar"}
    assert result.unexplained == ()


def test_bars_made_up_of_which_no_price_is_shown(candles, compared):
    rows = [100, 120, 140]
    theirs = quiet(candles, rows)
    ours = rebuilt(theirs, ~np.isin(np.arange(len(theirs)), rows))
    result = compared(ours, Export.of(theirs, "sma(9),ema(9)", bars=False))
    assert {cause.name for cause in result.causes} == {"zero_volume"}
    assert result.unexplained == ()


def test_days_made_of_minutes_of_which_one_is_missing(compared):
    from candlewick.sources.simulated import simulate

    (minutes,) = simulate(["SIM"], "XNYS", 8, 5)
    theirs = at_timeframe(without(minutes, 700), "1d")
    result = compared(minutes, Export.of(theirs, "sma(3)"), "1d")
    assert {cause.name for cause in result.causes} == {"missing_bar"}
    (bar,) = result.cause("missing_bar").evidence
    assert str(minutes.time[700])[:16] in bar["detail"]


def test_another_source_and_a_history_that_a_close_hides_in(candles, compared):
    cut = candles.rows(60, len(candles))
    at = middle(cut)
    theirs = with_close(cut, at, round(float(cut.close[at]) + 2.5, 2))
    result = compared(candles, Export.of(theirs, "sma(9),ema(9),rsi(14)", bars=False))
    assert {cause.name for cause in result.causes} == {"history", "source"}
    assert result.unexplained == ()


def test_a_reference_without_indicators(candles, compared):
    export = Export.of(with_close(candles, middle(candles), changed(candles))).only("close", "volume")
    result = compared(candles, export)
    assert [(cause.name, cause.rows) for cause in result.causes] == [("source", 1)]


def test_what_was_kept_is_let_go(candles, monkeypatch):
    monkeypatch.setattr("candlewick.compare.sheet.KEPT", 10)
    export = Export.of(candles)
    result = compare(candles, {"time": export.time.view("datetime64[us]"), **export.columns})
    assert result.same


def test_rows_between_bars_have_no_close(candles):
    values = cw.compute(cw.aggregate(candles, "5m"), "sma(9)")["sma_9"]
    table = {"time": candles.time + np.timedelta64(61, "s"), "sma_9": values}
    reference = reference_of(table, timeframe=candles.timeframe, calendar=candles.calendar)
    sheet = Sheet(Ground(candles, candles.timeframe), reference, 1e-9)
    pair = Pair(reference.columns[0], meaning_of("sma_9"), "name")
    account = Account()
    assert solve(sheet, account, [pair]) is account
    assert alone(sheet, account, pair, 50) is None
