"""Twelve kinds of damage, in simulated and in real candles: each is found, named, and nothing else is."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from tests.completeness.conftest import DAMAGE, LONG_AFTER, Damaged, Whole, at, found, kept, rows

from candlewick.candles import Candles
from candlewick.completeness.asked import Asked
from candlewick.completeness.finding import Kind
from candlewick.completeness.grid import Grid
from candlewick.completeness.scan import scan
from candlewick.sources.ingest import ingest
from candlewick.sources.read import read_csv
from candlewick.sources.simulated import simulate
from candlewick.store.open import open_store

REAL = {
    "SPY": ("XNYS", "2013-10-04T00:00:00Z", "2013-10-12T00:00:00Z"),
    "IBM": ("XNYS", "2013-10-04T00:00:00Z", "2013-10-12T00:00:00Z"),
    "BAC": ("XNYS", "2013-10-04T00:00:00Z", "2013-10-12T00:00:00Z"),
    "NIFTY50": ("XBOM", "2019-01-01T00:00:00Z", "2019-01-05T00:00:00Z"),
    "BTCUSD": ("24/7", "2016-10-07T00:00:00Z", "2016-10-10T00:00:00Z"),
}


@functools.cache
def real(folder: Path, symbol: str, calendar: str) -> Candles:
    return read_csv(folder / "minute" / f"{symbol}.csv", timeframe="1m", calendar=calendar)


def check(damaged: Damaged, others: list[Candles], start: int, end: int) -> None:
    symbol = damaged.candles.symbol
    seen = found([damaged.candles, *others], start, end, damaged.refused, symbols=(symbol, *(o.symbol for o in others)))
    assert [one.kind for one in seen.findings] == [damaged.kind], [one.as_dict() for one in seen.findings]
    (one,) = seen.findings
    assert one.about == (symbol,)
    if damaged.kind is Kind.MISSING_SYMBOL:
        assert (one.start, one.end) == (start, end)
        return
    assert abs(one.start - damaged.start) <= damaged.leeway
    assert abs(one.end - damaged.end) <= damaged.leeway
    assert one.count >= 1


@pytest.mark.parametrize("name", DAMAGE)
@pytest.mark.parametrize("calendar", ["XNYS", "XTKS", "24/7"])
def test_simulated_candles(name: str, calendar: str) -> None:
    mine, *others = simulate(["AAA", "BBB", "CCC"], calendar, 6, 11)
    first, last = int(mine.microseconds[0]), int(mine.microseconds[-1])
    whole = Whole(mine, Grid.between(mine.calendar, mine.timeframe, first, last + 1))
    check(DAMAGE[name](whole), others, first, whole.session(5)[1])


@pytest.mark.parametrize("name", DAMAGE)
@pytest.mark.parametrize("symbol", REAL)
def test_real_candles(name: str, symbol: str, shared_data: Path) -> None:
    calendar, low, high = REAL[symbol]
    if symbol == "NIFTY50" and name == "no_volume":
        pytest.skip("an index without any volume")
    start, end = at(low), at(high)
    series = real(shared_data, symbol, calendar)
    mine = kept(series, rows(series, start, end))
    whole = Whole(mine, Grid.between(mine.calendar, mine.timeframe, start, end))
    check(DAMAGE[name](whole), [], start, end)


def test_undamaged_real_candles_have_what_their_readme_states(shared_data: Path) -> None:
    store = open_store("memory:")
    for symbol, calendar in (
        *((name, "XNYS") for name in ("SPY", "IBM", "BAC", "AAPL")),
        *((name, "XBOM") for name in ("YESBANK", "NIFTY50")),
        ("BTCUSD", "24/7"),
    ):
        ingest(store, shared_data / "minute" / f"{symbol}.csv", calendar=calendar)
    seen = scan(store, Asked(now=LONG_AFTER))
    told = {(one.symbol, one.kind, one.start, one.end) for one in seen.findings}
    assert told == {
        ("SPY", Kind.MISSING_SESSIONS, at("2013-10-14T13:30:00Z"), at("2023-08-02T20:00:00Z")),
        ("AAPL", Kind.JUMP, at("2014-06-06T19:59:00Z"), at("2014-06-09T13:31:00Z")),
        ("BTCUSD", Kind.MISSING_SESSIONS, at("2016-10-10T00:00:00Z"), at("2017-09-03T00:00:00Z")),
        ("BTCUSD", Kind.MISSING_SESSIONS, at("2017-09-05T00:00:00Z"), at("2017-12-17T00:00:00Z")),
        ("BTCUSD", Kind.MISSING_SESSIONS, at("2017-12-18T00:00:00Z"), at("2018-04-04T00:00:00Z")),
        # The day on which its missing days end has candles until 16:48.
        ("BTCUSD", Kind.MISSING_MINUTES, at("2018-04-04T16:48:00Z"), at("2018-04-05T00:00:00Z")),
    }
    assert seen.looked_at == len(store.series()) == len(seen.ended)


@pytest.mark.parametrize(("symbol", "about"), REAL.items())
def test_an_undamaged_stretch_of_real_candles_is_complete(
    symbol: str, about: tuple[str, str, str], shared_data: Path
) -> None:
    series = real(shared_data, symbol, about[0])
    assert not found([series], at(about[1]), at(about[2])).findings
