"""Typed usage of the public face: mypy --strict must accept this file."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import candlewick as cw


def bars_of(candles: cw.Candles) -> cw.Bars:
    bars: cw.Bars = cw.aggregate(candles, "5m", zero_volume="drop")
    final: npt.NDArray[np.bool_] = bars.final
    assert final.all()
    return bars.only_final()


def indicators_of(candles: cw.Candles) -> npt.NDArray[np.float64]:
    frame: cw.IndicatorFrame = cw.compute(candles, ["sma(9)", cw.Bollinger(20, 2)])
    again: cw.IndicatorFrame = cw.compute(candles, ["sma(9)", cw.Bollinger(20, 2)], out=frame)
    return again["sma_9"]


def live(candles: cw.Candles) -> bytes:
    stream = cw.Stream("desk", symbol="ACME", timeframe="5m", calendar="XNYS", source="1m")
    frame: cw.IndicatorFrame = stream.update(candles)
    assert frame.rows == len(frame.time)
    return stream.save()


def stored(url: str) -> list[str]:
    with cw.open_store(url) as store:
        answer: cw.Answer = cw.query(store, "ACME", "5m", "desk")
        assert answer.indicators is not None
        return list(answer.indicators)


def universe(series: list[cw.Candles]) -> list[cw.IndicatorFrame]:
    return list(cw.compute_many(series, "rsi(14)", last=True))
