"""compute and compute_many."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import numpy as np
import pytest

import candlewick as cw
from candlewick.engine.frame import IndicatorFrame
from candlewick.errors import InputError, UnknownNameError
from candlewick.kernels.build import jit_disabled

pytestmark = pytest.mark.kernel

Maker = Callable[..., cw.Candles]
DESK = (
    "sma_9",
    "bollinger_20_2_upper",
    "bollinger_20_2_middle",
    "bollinger_20_2_lower",
    "bollinger_20_2_width",
    "vwap",
    "ema_5",
    "ema_9",
    "ema_50",
    "atr_14",
    "rsi_14",
)


def test_desk_has_its_eleven_columns_in_order(minutes: Maker) -> None:
    frame = cw.compute(minutes(80), "desk")
    assert frame.columns == DESK
    assert tuple(frame) == DESK
    assert frame.rows == 80
    assert np.isnan(frame["sma_9"][:8]).all()
    assert frame["sma_9"][8] == pytest.approx(minutes(80).close[:9].mean(), rel=1e-15)


def test_a_set_gives_what_its_members_give_alone_bit_for_bit(minutes: Maker) -> None:
    candles = minutes(700)
    texts = ["sma(9)", "ema(5)", "bollinger(20,2)", "macd", "stochastic", "vwap", "wma(7,high)", "rsi", "atr", "sma(3)"]
    for chosen in (texts, texts[::-1]):
        together = cw.compute(candles, chosen)
        for text in chosen:
            for column, values in cw.compute(candles, text).items():
                assert np.array_equal(together[column], values, equal_nan=True)


def test_candles_outside_sessions_are_left_out(minutes: Maker) -> None:
    candles = minutes(420, calendar="XNYS", start=1_704_205_800_000_000 - 15 * 60_000_000)
    frame = cw.compute(candles, "vwap(first)")
    assert frame.rows == 390
    assert frame.time[0] == np.datetime64("2024-01-02T14:30")
    alone = cw.compute(candles.rows(15, 405), "vwap(first)")
    assert np.array_equal(frame["vwap_first"], alone["vwap_first"])


def test_candles_and_their_bars_give_the_same(minutes: Maker) -> None:
    candles = minutes(100)
    assert cw.compute(candles, "desk") == cw.compute(cw.aggregate(candles, "1m"), "desk")


def test_out_is_written_again(minutes: Maker) -> None:
    first = cw.compute(minutes(90, seed=1), "desk")
    kept = first["ema_50"].copy()
    again = cw.compute(minutes(90, seed=2), "desk", out=first)
    assert np.shares_memory(again.matrix, first.matrix)
    assert not np.array_equal(again["ema_50"], kept, equal_nan=True)
    assert again == cw.compute(minutes(90, seed=2), "desk")


@pytest.mark.parametrize(
    ("specs", "rows", "message"),
    [("sma(9)", 90, "give a frame with the columns"), ("desk", 80, "give a whole frame of 90 bars")],
)
def test_an_out_that_does_not_fit_is_refused(minutes: Maker, specs: str, rows: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cw.compute(minutes(90), "desk", out=cw.compute(minutes(rows), specs))


def test_a_cut_frame_is_no_out(minutes: Maker) -> None:
    frame = cw.compute(minutes(90), "desk").between(0, 50)
    with pytest.raises(InputError, match="give a whole frame"):
        cw.compute(minutes(50), "desk", out=frame)


def test_no_bars_give_no_rows(minutes: Maker) -> None:
    frame = cw.compute(minutes(0), "desk")
    assert frame.rows == 0
    assert frame.columns == DESK


def test_definitions_and_text_mix(minutes: Maker) -> None:
    frame = cw.compute(minutes(60), ["sma(9)", cw.Bollinger(20, 2.5), cw.SMA(9)])
    assert frame.columns == ("sma_9", *(f"bollinger_20_2p5_{part}" for part in ("upper", "middle", "lower", "width")))


def test_compute_many_keeps_the_order_and_equals_compute(minutes: Maker) -> None:
    series = [minutes(50 + k, symbol=f"S{k}", seed=k) for k in range(23)]
    frames = list(cw.compute_many(series, "desk", threads=3))
    assert [frame._metadata()["symbol"] for frame in frames] == [one.symbol for one in series]
    for one, frame in zip(series, frames, strict=True):
        assert frame == cw.compute(one, "desk")


def test_compute_many_aggregates(minutes: Maker) -> None:
    series = [minutes(200, seed=k) for k in range(3)]
    for one, frame in zip(series, cw.compute_many(series, "ema(5)", timeframe="5m"), strict=True):
        assert frame == cw.compute(cw.aggregate(one, "5m"), "ema(5)")


@pytest.mark.parametrize("count", [0, 1, 15, 100, 2500])
def test_last_values_only(minutes: Maker, count: int) -> None:
    if count > 100 and jit_disabled():
        count = 120
    (last,) = cw.compute_many([minutes(count)], "desk,stochastic,macd", last=True)
    whole = cw.compute(minutes(count), "desk,stochastic,macd")
    assert last == whole.between(max(0, count - 1), count)


def test_compute_many_reads_only_a_few_series_ahead(minutes: Maker) -> None:
    taken = 0

    def endless() -> object:
        nonlocal taken
        for _ in itertools.count():
            taken += 1
            yield minutes(10)

    frames = cw.compute_many(endless(), "sma(3)", threads=2)  # type: ignore[arg-type]
    next(frames)
    assert taken <= 16 * 6
    frames.close()  # type: ignore[attr-defined]


def test_an_error_in_one_series_names_it_and_reaches_the_caller(minutes: Maker) -> None:
    with pytest.raises(InputError, match="timeframe"):
        list(cw.compute_many([minutes(10, minute=2)], "sma(3)", timeframe="5m"))


@pytest.mark.parametrize("count", [1, 40])
def test_compute_many_raises_what_compute_raises_and_leaves_no_thread(minutes: Maker, count: int) -> None:
    def computing() -> list[str]:
        return [one.name for one in threading.enumerate() if one.name.startswith("candlewick-compute-")]

    series = [minutes(20) for _ in range(count)]
    with pytest.raises(InputError, match="is no Candles"):
        cw.compute("no candles", "sma(3)")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="is no Candles"):
        list(cw.compute_many([*series[1:], "no candles"], "sma(3)", threads=2))  # type: ignore[list-item]
    assert computing() == []
    frames = cw.compute_many(series, "sma(3)", threads=2)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    assert computing() == []


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_below_one_are_refused(minutes: Maker, threads: int) -> None:
    with pytest.raises(InputError, match="threads"):
        list(cw.compute_many([minutes(10)], "sma(3)", threads=threads))


def test_unknown_names_are_refused_with_the_nearest(minutes: Maker) -> None:
    with pytest.raises(UnknownNameError, match=r"indicator: 'smaa' is unknown; nearest: .*sma"):
        cw.compute(minutes(10), "smaa(9)")
    with pytest.raises(UnknownNameError, match=r"column: 'sma_99' is unknown; nearest: sma_9"):
        cw.compute(minutes(10), "sma(9)")["sma_99"]


def test_warm_up_returns_with_the_kernels_built() -> None:
    cw.warm_up("desk")
    from candlewick.engine.kernel_choice import choose
    from candlewick.engine.plan import plan
    from candlewick.indicators import parse_indicators

    (group,) = plan(parse_indicators("desk")).groups
    assert choose(group, 1) == (group,)


def test_frame_is_a_mapping_and_speaks_arrow(minutes: Maker) -> None:
    frame = cw.compute(minutes(30), "sma(9),ema(5)")
    assert isinstance(frame, IndicatorFrame)
    assert len(frame) == 2
    assert "sma_9" in frame
    assert 9 not in frame
    table = frame.to_arrow()
    assert table.column_names == ["time", "sma_9", "ema_5"]
    assert table.column("sma_9").null_count == 8
    assert table.column("sma_9").to_pylist()[8] == frame["sma_9"][8]
    assert "IndicatorFrame ACME 1m 24/7: 30 rows" in repr(frame)


def test_an_array_is_no_frame_to_write_into(minutes: Maker) -> None:
    with pytest.raises(InputError, match="out: 'ndarray' is not valid; give a frame with the columns sma_2"):
        cw.compute(minutes(5), "sma(2)", out=np.zeros(5))  # type: ignore[arg-type]
