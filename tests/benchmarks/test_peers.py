"""Peers compute what we compute: every definition of the wide set, and the desk set in each library's own words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from candlewick.aggregation.batch import session_bars
from candlewick.bars import Bars
from candlewick.benchmarks import pandas_peer, polars_peer, talib_peer, talib_stream, talipp_peer
from candlewick.benchmarks.agreement import Answers, largest_difference
from candlewick.benchmarks.candle_data import minute_candles
from candlewick.benchmarks.inputs import Inputs
from candlewick.benchmarks.wide import definitions
from candlewick.engine.compute import compute
from candlewick.errors import InputError
from candlewick.indicators import Indicator, parse_indicators

ROWS = 2_500
DESK = parse_indicators("desk")


@pytest.fixture(scope="module")
def bars() -> Bars:
    return session_bars(minute_candles(ROWS))


@pytest.fixture(scope="module")
def inputs(bars: Bars) -> Inputs:
    return Inputs.of(bars)


def by_pandas(inputs: Inputs) -> Answers:
    frame = pandas_peer.desk(pandas_peer.frame(inputs))
    return {name: frame[name].to_numpy() for name in frame.columns}


def by_polars(inputs: Inputs) -> Answers:
    return polars_peer.answers(polars_peer.desk(polars_peer.frame(inputs)))


def by_talipp(inputs: Inputs) -> Answers:
    state = talipp_peer.Desk()
    begins = np.isin(np.arange(len(inputs)), inputs.starts["session"]).tolist()
    rows = zip(talipp_peer.candles_of(inputs), begins, strict=True)
    return talipp_peer.answers([state.add(candle, new) for candle, new in rows])


@pytest.mark.parametrize(
    ("package", "peer", "settled"),
    [("pandas", by_pandas, 0), ("polars", by_polars, 0), ("talipp", by_talipp, talipp_peer.SETTLED)],
)
def test_the_desk_set_in_each_librarys_own_words(
    bars: Bars, inputs: Inputs, package: str, peer: Callable[[Inputs], Answers], settled: int
) -> None:
    pytest.importorskip(package)
    assert largest_difference(dict(compute(bars, DESK)), peer(inputs), settled) < 1e-9


@pytest.mark.parametrize("definition", definitions(), ids=str)
def test_talib_and_its_polars_plug_in_compute_every_definition(
    bars: Bars, inputs: Inputs, definition: Indicator
) -> None:
    pytest.importorskip("talib")
    pytest.importorskip("polars_talib")
    right = dict(compute(bars, [definition]))
    assert largest_difference(right, talib_peer.columns(inputs, [definition]), talib_peer.SETTLED) < 1e-9
    plug_in = polars_peer.answers(polars_peer.with_talib(polars_peer.frame(inputs), [definition]))
    assert largest_difference(right, plug_in, talib_peer.SETTLED) < 1e-9


def test_talib_streams_take_a_new_session(bars: Bars, inputs: Inputs) -> None:
    pytest.importorskip("talib")
    history = 1_000
    state = talib_stream.Desk(Inputs.of(bars.rows(0, history)))
    begins = (bars.anchor & 1).astype(bool)
    assert begins[history:].any()
    columns = (values[history:].tolist() for values in (inputs.high, inputs.low, inputs.close, inputs.volume))
    candles = zip(*columns, strict=True)
    rows = [state.add(candle, new) for candle, new in zip(candles, begins[history:].tolist(), strict=True)]
    right = {name: values[history:] for name, values in compute(bars, DESK).items()}
    assert largest_difference(right, talib_stream.answers(rows)) < 1e-9


def test_vwap_by_numpy_is_the_sum_over_the_session(inputs: Inputs) -> None:
    paid = traded = 0.0
    expected = []
    for row in range(800):
        if row % 390 == 0:
            paid = traded = 0.0
        paid += (inputs.high[row] + inputs.low[row] + inputs.close[row]) / 3.0 * inputs.volume[row]
        traded += inputs.volume[row]
        expected.append(paid / traded)
    assert talib_peer.vwap(inputs, "session")[:800] == pytest.approx(expected, rel=1e-14)


@dataclass(frozen=True)
class Unheard(Indicator):
    """An indicator that no peer has."""

    kind = "unheard"


def test_a_definition_that_a_peer_lacks_is_refused(inputs: Inputs) -> None:
    pytest.importorskip("talib")
    with pytest.raises(InputError, match="no TA-Lib form"):
        talib_peer.columns(inputs, [Unheard()])
    pytest.importorskip("polars_talib")
    with pytest.raises(InputError, match="no such form"):
        polars_peer.with_talib(polars_peer.frame(inputs), [Unheard()])
