"""Combinations: any causes put into an export together are all named, and none besides."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.compare.exports import Export, at_timeframe, closes, quiet, sampled, with_close, without

from candlewick.compare import compare
from candlewick.sources.simulated import simulate

pytestmark = pytest.mark.slow
SETS = ("desk", "sma(9),ema(9),rsi(14),bollinger(20,2)", "macd,bollinger(20,2),vwap,stochastic")


@settings(max_examples=60)
@given(data=st.data(), seed=st.integers(0, 10**6), shown=st.booleans())
def test_whatever_is_put_in_is_named(tmp_path_factory, data, seed, shown):
    (minutes,) = simulate(["S"], data.draw(st.sampled_from(["XNYS", "XBOM", "XTKS", "24/7"])), 2, seed)
    candles = at_timeframe(minutes, data.draw(st.sampled_from(["5m", "10m"])))
    rows = len(candles)
    # A bar that is missing or quiet must be seen to be: without prices only a close is.
    kinds = ["source", "sample_deviation", "history", "labels", "rounding", *(["missing_bar", "zero_volume"] * shown)]
    chosen = data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3, unique=True))
    places = data.draw(st.lists(st.integers(rows // 2, rows - 10), min_size=7, max_size=7, unique=True))
    theirs = candles
    if "source" in chosen:
        close = round(float(candles.close[places[0]]) * data.draw(st.sampled_from([0.97, 0.99, 1.01, 1.02])), 2)
        assume(close != candles.close[places[0]])
        theirs = with_close(theirs, places[0], close)
    if "zero_volume" in chosen:
        theirs = quiet(theirs, sorted(places[1:6]))
    if "missing_bar" in chosen:
        theirs = without(theirs, places[6])
    if "history" in chosen:
        theirs = theirs.rows(rows // 6, len(theirs))
    export = Export.of(theirs, data.draw(st.sampled_from(SETS)), bars=shown)
    if "sample_deviation" in chosen:
        export = sampled(export)
    if "labels" in chosen:
        late, early = export.rows(slice(0, -1)), export.rows(slice(1, None))
        ways = (export.stamped(closes(theirs, export)), late.stamped(export.time[1:]), early.stamped(export.time[:-1]))
        export = data.draw(st.sampled_from(ways))
    if "rounding" in chosen:
        export = export.rounded(2)
    found = compare(candles, export.write(tmp_path_factory.mktemp("any") / "export.csv"))
    assert {cause.name for cause in found.causes} == set(chosen)
    assert found.unexplained == ()
