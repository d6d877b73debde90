"""The parity law on real minutes: the engines agree, or the exact value clears the optimized one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from candlewick.kernels.build import jit_disabled
from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.service.parity import compare
from candlewick.service.request import Request
from candlewick.sources.ingest import ingest
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository

pytestmark = pytest.mark.untraced

CALENDARS = {
    "SPY": "XNYS",
    "IBM": "XNYS",
    "BAC": "XNYS",
    "AAPL": "XNYS",
    "YESBANK": "XBOM",
    "NIFTY50": "XBOM",
    "BTCUSD": "24/7",
}
TIMEFRAMES = ("1m", "5m", "15m", "1h", "4h", "1d", "1w", "1mo")
DESK = "desk"
EVERY = (
    "sma(9) sma(20,volume) ema(20,high) ema(50) wma(14) rsi(14) rsi(2,low) atr(14) true_range stddev(20) vwap "
    "vwap(week) vwap(month) vwap(first) bollinger(20,2) percent_b(20,2) macd(12,26,9) stochastic(14,3,3)"
)


@pytest.fixture(scope="module")
def store(shared_data: Path) -> Iterator[MemoryStore]:
    with MemoryStore() as store:
        for symbol, calendar in CALENDARS.items():
            ingest(store, shared_data / "minute" / f"{symbol}.csv", calendar=calendar)
        yield store


def check(store: CandleRepository, requests: list[Request]) -> dict[str, int]:
    """Both engines' answers to each request, judged; how often each verdict was given."""
    verdicts: dict[str, int] = {}
    with ClassicService(store) as classic, OptimizedService(store) as optimized:
        for request in requests:
            found = compare(classic.candles(request), optimized.candles(request), store, request)
            about = f"{request.symbol} {request.timeframe} from {request.start} to {request.end}"
            assert found.verdict in ("equal", "v1 inexact"), (
                f"{about}: {found.differences[:1] and found.differences[0]}"
            )
            assert (found.verdict == "equal") == (not found.differences)
            verdicts[found.verdict] = verdicts.get(found.verdict, 0) + 1
    return verdicts


def some_of(store: CandleRepository, symbol: str, timeframe: str, specs: str, ranges: int, seed: int) -> list[Request]:
    """The whole range and random parts of it, zero volume kept and dropped, the forming bar shown and not."""
    random = np.random.default_rng([seed, *symbol.encode(), *timeframe.encode()])
    first, last = store.date_range(symbol, "1m")
    requests = [Request.of(symbol, timeframe, specs)]
    for _ in range(ranges):
        low, high = sorted(int(at) for at in random.integers(first, last, 2))
        requests.append(
            Request.of(
                symbol,
                timeframe,
                specs,
                start=low,
                end=None if random.random() < 0.3 else high,
                zero_volume="drop" if random.random() < 0.3 else "keep",
                final_only=bool(random.random() < 0.3),
            )
        )
    return requests


@pytest.mark.parametrize("symbol", CALENDARS)
def test_desk_of_every_file(store: MemoryStore, symbol: str) -> None:
    timeframes = ("5m", "1d") if jit_disabled() else ("1m", "5m", "1h", "1d", "1w")
    requests = [one for timeframe in timeframes for one in some_of(store, symbol, timeframe, DESK, 2, seed=1)]
    verdicts = check(store, requests)
    assert verdicts["equal"] >= len(requests) // 2


def test_where_pandas_loses_most_digits_it_is_found_out(store: MemoryStore) -> None:
    """So the judgement is not idle: the deviations of BTCUSD at 1m differ by far more than the tolerance."""
    assert check(store, [Request.of("BTCUSD", "1m", "stddev(20),bollinger(20,2)")]) == {"v1 inexact": 1}


@pytest.mark.slow
@pytest.mark.parametrize("timeframe", TIMEFRAMES)
@pytest.mark.parametrize("symbol", CALENDARS)
def test_every_indicator_of_every_file_at_every_timeframe(store: MemoryStore, symbol: str, timeframe: str) -> None:
    for specs in (EVERY, DESK):
        check(store, some_of(store, symbol, timeframe, specs, 12, seed=2))
