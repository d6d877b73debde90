"""Classic (V1): each request read, aggregated and computed anew with pandas; nothing is kept between requests."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import numpy as np

from candlewick.cache.fingerprint import fingerprint
from candlewick.columnar import Floats
from candlewick.errors import CandlewickError, DeadlineError, EngineError, LimitError
from candlewick.service.answer import Answer, read_only
from candlewick.service.classic_bars import Buckets, as_bars, bars_frame, candle_close
from candlewick.service.classic_history import enough, read_start
from candlewick.service.classic_indicators import check_known, indicator_columns
from candlewick.service.question import adjustment
from candlewick.service.range import Resolved, resolve_range
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.sessions.calendar import Calendar, find_calendar
from candlewick.store.repository import CandleRepository, Series, Snapshot
from candlewick.store.then import known_at
from candlewick.timeframe import Timeframe

if TYPE_CHECKING:
    import pandas as pd


class ClassicService(AnalyticsService):
    """What a good pandas user writes: reads what the request needs and a little history, computes, forgets.

    Raises, beside what every service does, InputError for an indicator that has no pandas form here (a plug-in).
    """

    engine = "classic"

    def __init__(self, store: CandleRepository) -> None:
        self._store = store

    def candles(self, request: Request) -> Answer:
        began = time.perf_counter()
        check_known(request.indicators)
        store = known_at(self._store, request.as_of)
        resolved = resolve_range(store, request)
        store = resolved.seen(store)
        while True:
            snapshot, frame = self._bars(store, request, resolved)
            asked = _asked(frame, resolved)
            end = resolved.settles(request.timeframe)
            revision = store.revision_before(request.symbol, resolved.series.timeframe, end)
            if revision <= snapshot.series.revision:
                break  # else these bars were written to after they were read: read them again
        if request.final_only:
            asked = slice(asked.start, max(asked.start, min(asked.stop, int(frame["final"].sum()))))
        bars = as_bars(frame, snapshot.candles, request.timeframe).rows(asked.start, asked.stop)
        if len(bars) > request.limit:
            raise LimitError(request.limit, len(bars))
        columns: dict[str, Floats] = {}
        for indicator in request.indicators:
            for name, values in indicator_columns(indicator, frame).items():
                columns[name] = read_only(values.to_numpy()[asked])
        return Answer(
            bars=bars,
            indicators=columns,
            source=resolved.series.timeframe,
            engine=self.engine,
            revision=revision,
            fingerprint=self._fingerprint(request, resolved, revision, int(np.count_nonzero(bars.final))),
            seconds=time.perf_counter() - began,
            splits=resolved.splits,
        )

    def candles_many(
        self, requests: Sequence[Request], *, deadline: float | None = None
    ) -> list[Answer | CandlewickError]:
        if not requests:
            return []
        pool = ThreadPoolExecutor(thread_name_prefix="candlewick-classic")
        try:
            futures = [pool.submit(self._outcome, request) for request in requests]
            done = wait(futures, timeout=deadline).done
            return [
                future.result() if future in done else DeadlineError(0.0 if deadline is None else deadline)
                for future in futures
            ]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # one that is late ends by itself, its answer unread

    def symbols(self) -> list[Series]:
        return self._store.series()

    def _outcome(self, request: Request) -> Answer | CandlewickError:
        try:
            return self.candles(request)
        except CandlewickError as error:
            return error
        except Exception as error:  # noqa: BLE001 - handed to the caller in the request's place
            failure = EngineError(self.engine, type(error).__name__, str(error))
            failure.__cause__ = error
            return failure

    def _bars(self, store: CandleRepository, request: Request, resolved: Resolved) -> tuple[Snapshot, pd.DataFrame]:
        """Candles of the range with enough history, and their bars."""
        source, first, last = resolved.series.timeframe, resolved.series.first, resolved.series.last
        calendar, high = find_calendar(resolved.series.calendar), resolved.high
        low = None if resolved.low is None else min(resolved.low, last + 1)
        finish = None if high is None or high > last else _finish(calendar, request.timeframe, high)
        times = 1
        while True:
            start = (
                first if low is None else read_start(request.indicators, calendar, request.timeframe, first, low, times)
            )
            whole = start <= first
            snapshot = store.snapshot(request.symbol, source, None if whole else start, finish)
            until = request.complete_until
            if until is None:
                until = candle_close(calendar, source, snapshot.series.last)
            frame = bars_frame(snapshot.candles, request.timeframe, zero_volume=request.zero_volume, until=until)
            if whole or low is None or enough(request.indicators, frame, low):
                return snapshot, frame
            times *= 2

    def _fingerprint(self, request: Request, resolved: Resolved, revision: int, final: int) -> str:
        """What the numbers depend on; of the time up to which bars are final, only how many of these are."""
        import pandas as pd

        return fingerprint(
            engine=self.engine,
            pandas=pd.__version__,
            symbol=request.symbol,
            timeframe=str(request.timeframe),
            source=str(resolved.series.timeframe),
            calendar=find_calendar(resolved.series.calendar).version,
            revision=revision,
            start=resolved.low,
            end=resolved.high,
            indicators=tuple(one.text for one in request.indicators),
            zero_volume=request.zero_volume,
            final_only=request.final_only,
            final=final,
            **adjustment(resolved),
        )


def _asked(frame: pd.DataFrame, resolved: Resolved) -> slice:
    """The rows of the range: whole bars that open in it."""
    times = frame["time"].to_numpy()
    first = 0 if resolved.low is None else int(np.searchsorted(times, resolved.low))
    last = len(times) if resolved.high is None else int(np.searchsorted(times, resolved.high))
    return slice(first, max(first, last))


def _finish(calendar: Calendar, timeframe: Timeframe, high: int) -> int:
    """Up to where to read, so that the last bar that opens before ``high`` is whole."""
    held = Buckets.of(calendar, timeframe, high - 1, high).end_of(high - 1)
    return high if held is None else max(high, held)
