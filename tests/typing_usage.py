"""Typed usage of the public face: mypy --strict must accept this file, and find an unused ignore in it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import candlewick as cw


def made(time: npt.NDArray[np.datetime64], prices: npt.NDArray[np.float64]) -> cw.Candles:
    candles = cw.Candles(
        symbol="ACME",
        timeframe=cw.Timeframe.parse("1m"),
        calendar=cw.find_calendar("XNYS"),
        time=time,
        open=prices,
        high=prices,
        low=prices,
        close=prices,
        volume=np.zeros(len(prices)),
    )
    close: npt.NDArray[np.float64] = candles.close
    opened: npt.NDArray[np.datetime64] = candles.time
    number: npt.NDArray[np.int64] = candles.microseconds
    calendar: cw.Calendar = candles.calendar
    timeframe: cw.Timeframe = candles.timeframe
    name: str = f"{candles.symbol} {timeframe} {calendar.name} {len(close)} {len(opened)} {len(number)}"
    candles.symbol = name
    return cw.Candles.from_arrow(candles.to_arrow(), symbol=name)


def cut(candles: cw.Candles, bars: cw.Bars) -> tuple[cw.Candles, cw.Bars]:
    day: cw.Candles = candles.between("2024-01-02", dt.date(2024, 1, 3))
    hour: cw.Candles = day.between(np.datetime64("2024-01-02T14:30"), dt.datetime(2024, 1, 2, 16, tzinfo=dt.UTC))
    some: cw.Bars = bars[10:20]
    return hour, some.between(1_704_205_800_000_000)


def wrong(candles: cw.Candles) -> None:
    cw.Candles(symbol="ACME", timeframe="1m")  # type: ignore[call-arg]
    candles.between(1.5)  # type: ignore[arg-type]
    candles[3]  # type: ignore[index]
    candles.closing  # type: ignore[attr-defined] # noqa: B018
    cw.aggregate(candles)  # type: ignore[call-arg]
    cw.compute(candles, 9)  # type: ignore[arg-type]
    cw.unheard_of  # type: ignore[attr-defined] # noqa: B018


def framed(frame: Any) -> Any:
    candles: cw.Candles = cw.from_frame(frame, symbol="ACME", timeframe="1m", calendar="XNYS", timezone="Asia/Tokyo")
    cw.from_frame(frame, symbol="ACME")  # type: ignore[call-arg]
    return cw.compute(candles, "desk").to_polars()["sma_9"], candles.to_pandas()


def bars_of(candles: cw.Candles) -> cw.Bars:
    bars: cw.Bars = cw.aggregate(candles, "5m", zero_volume="drop", complete_until="2024-01-02T21:00:00Z")
    many: list[cw.Bars] = cw.aggregate_many([candles], "1h", threads=2)
    final: npt.NDArray[np.bool_] = bars.final
    counts: npt.NDArray[np.int32] = bars.n
    source: cw.Timeframe = bars.source
    assert final.all()
    assert counts.all()
    assert source.divides(many[0].timeframe)
    return bars.only_final()


def indicators_of(candles: cw.Candles) -> npt.NDArray[np.float64]:
    chosen: list[str | cw.Indicator] = ["sma(9)", cw.Bollinger(20, 2)]
    cw.warm_up(chosen)
    frame: cw.IndicatorFrame = cw.compute(candles, chosen)
    again: cw.IndicatorFrame = cw.compute(candles, ["sma(9)", cw.Bollinger(20, 2)], out=frame)
    by_name: dict[str, npt.NDArray[np.float64]] = dict(again.items())
    return by_name["sma_9"]


def live(candles: cw.Candles) -> bytes:
    stream = cw.Stream("desk", symbol="ACME", timeframe="5m", calendar="XNYS", source="1m")
    frame: cw.IndicatorFrame = stream.update(candles)
    assert frame.rows == len(frame.time)
    forming: cw.IndicatorFrame = stream.peek()
    assert forming.rows < 2
    loaded: cw.Stream = cw.Stream.load(stream.save())
    return loaded.save()


def live_many(bar: dict[str, npt.NDArray[np.float64]]) -> dict[str, npt.NDArray[np.float64]]:
    return cw.StreamMany("sma(9)", ["ACME", "OTHER"]).update(bar)


def stored(url: str, file: Path) -> list[str]:
    with cw.open_store(url) as store:
        cw.ingest(store, file, calendar="XNYS", timezone="America/New_York")
        store.upsert(cw.read_csv(file, timeframe="1m", calendar="XNYS"))
        answer: cw.Answer = cw.query(store, "ACME", "5m", "desk")
        bars: cw.Bars = answer.bars
        assert answer.indicators is not None
        return [str(bars.symbol), *answer.indicators]


def universe(series: list[cw.Candles]) -> list[cw.IndicatorFrame]:
    return list(cw.compute_many(series, "rsi(14)", last=True))


def served(url: str, candles: cw.Candles) -> npt.NDArray[np.float64]:
    with cw.connect(url, key=None, timeout=5) as client:
        found: cw.Client = client
        assert found.ingest(candles).rows == len(candles)
        answer: cw.ServedAnswer = client.candles("ACME", "5m", [cw.SMA(9), "vwap"], start=dt.date(2024, 1, 2))
        for one in client.candles_many(["ACME"], "5m"):
            assert isinstance(one, cw.CandlewickError) or one.columns
        client.candles("ACME")  # type: ignore[call-arg]
        with client.stream("ACME", "5m", indicators="desk") as stream:
            for bar in stream:
                last: cw.StreamedBar = bar
                value: float = last["sma_9"]
                assert value == value
        client.stream(["ACME"], "5m", since={"ACME": last})
        column: npt.NDArray[np.float64] = answer["sma_9"]
        return column


def refused(value: Any) -> tuple[str, object, str]:
    try:
        cw.find_calendar(value)
    except cw.InputError as error:
        return error.parameter, error.value, error.expected
    except cw.CandlewickError as error:
        return str(error), value, ""
    return "", value, ""
