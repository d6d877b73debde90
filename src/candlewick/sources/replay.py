"""Replay: candles that are there already, told again one after the other, as they came about.

1. `steps` puts the candles of several symbols into the order in which a market would have told them: each when it is
   over, and before that some times while it forms (`formed`).
2. `pace` waits between the steps, so many times faster than the market was; long gaps take no longer than `LONGEST`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from candlewick.candles import VALUES, Candles
from candlewick.columnar import Integers
from candlewick.errors import InputError
from candlewick.sessions.calendar import Calendar, find_calendar
from candlewick.timeframe import MINUTE

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = 5 * MINUTE
"""Microseconds of the market that a night, a break or a gap takes, at most."""

FASTEST = 1_000_000.0


@dataclass(frozen=True)
class Step:
    """Candles that a market tells at one moment: ``at``, microseconds UTC. ``final``: they will not change."""

    at: int
    candles: tuple[Candles, ...]
    final: bool


def steps(series: Sequence[Candles], parts: int = 1) -> Iterator[Step]:
    """What the market tells, moment after moment. ``parts``: how often a candle is told, the last time as it is.

    The candles must be of one timeframe. Raises InputError for fewer than one part, and for timeframes of no length.
    """
    if parts < 1:
        raise InputError("parts", parts, "give 1 or more")
    if not series:
        return
    length = series[0].timeframe.microseconds
    if not length:
        raise InputError("timeframe", str(series[0].timeframe), "replay candles of minutes or hours")
    opens = np.unique(np.concatenate([one.microseconds for one in series]))
    for opened in opens.tolist():
        now = tuple(cut for one in series if len(cut := one.between(opened, opened + 1)))
        for part in range(1, parts):
            at = opened + length * part // parts
            yield Step(at, tuple(formed(one, part, parts) for one in now), final=False)
        yield Step(opened + length, now, final=True)


def formed(candle: Candles, part: int, parts: int) -> Candles:
    """A single candle as it was when ``part`` of ``parts`` of it were over: it went from its open to the nearer of low
    and high, then to the other one, then to its close. Made up, but for the candle that it ends as."""
    if part >= parts:
        return candle
    first, high, low, last = (float(getattr(candle, name)[0]) for name in ("open", "high", "low", "close"))
    path = [first, low, high, last] if first - low <= high - first else [first, high, low, last]
    been = path[: 1 + part * 3 // parts]
    values = {
        "open": np.array([first]),
        "high": np.array([max(been)]),
        "low": np.array([min(been)]),
        "close": np.array([been[-1]]),
        "volume": np.floor(candle.volume * part / parts),
    }
    return Candles.trusted(candle.symbol, candle.timeframe, candle.calendar, candle.microseconds, values)


def pace(
    told: Iterable[Step], speed: float, wait: Callable[[float], bool], clock: Callable[[], float] = time.monotonic
) -> Iterator[Step]:
    """The steps, each at its time, ``speed`` times as fast as the market. ``wait`` waits so many seconds, and ends it
    by giving True. What is late is given at once. Raises InputError for a speed of no use."""
    check_speed(speed)
    due, before = clock(), None
    for step in told:
        if before is not None:
            due += min(step.at - before, LONGEST) / 1e6 / speed
        before = step.at
        if (left := due - clock()) > 0 and wait(left):
            return
        yield step


def check_speed(speed: float) -> None:
    """Raise InputError for a speed of no use."""
    if not 0 < speed <= FASTEST:
        raise InputError("speed", speed, f"give a number above 0, up to {FASTEST:g}")


def renamed(candles: Candles, symbol: str) -> Candles:
    """The same candles of another symbol."""
    values = {name: getattr(candles, name) for name in VALUES}
    return Candles.trusted(symbol, candles.timeframe, candles.calendar, candles.microseconds, values)


def moved(candles: Candles, start: int, calendar: str | Calendar = "24/7") -> Candles:
    """The candles as if the first one had opened at ``start`` (microseconds UTC), one behind the other: nights and gaps
    are `LONGEST` at most. Their own sessions mean nothing then, so they get another calendar."""
    values = {name: getattr(candles, name) for name in VALUES}
    time_ = _closed_up(candles.microseconds) + start
    return Candles.trusted(candles.symbol, candles.timeframe, find_calendar(calendar), time_, values)


def _closed_up(opens: Integers) -> Integers:
    longest = max(LONGEST, int(np.min(np.diff(opens), initial=LONGEST)))
    return np.concatenate([[0], np.cumsum(np.minimum(np.diff(opens), longest))]).astype(np.int64)[: len(opens)]


def table_of(step: Step) -> pa.Table:
    """A step's candles as one table with a column of symbols, as an ingest takes it."""
    import pyarrow as pa

    columns = {name: np.concatenate([getattr(one, name) for one in step.candles]) for name in ("time", *VALUES)}
    symbols = [one.symbol for one in step.candles for _ in range(len(one))]
    times = pa.array(columns.pop("time"), pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    return pa.table({"symbol": symbols, "time": times, **columns})
