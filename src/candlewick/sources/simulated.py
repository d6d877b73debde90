"""Simulated: made-up minute candles that look like a market's. No real trade is behind any of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import numpy as np

from candlewick.candles import Candles
from candlewick.columnar import Floats, Integers
from candlewick.errors import InputError
from candlewick.sessions.calendar import Calendar, find_calendar
from candlewick.sessions.table import Periods
from candlewick.timeframe import MINUTE, Timeframe

TICK = 0.01
DAY = 1440 * MINUTE


def simulate(
    symbols: Sequence[str], calendar: str | Calendar, sessions: int, seed: int, start: str | dt.date = "2024-01-02"
) -> Iterator[Candles]:
    """Simulated minute candles of each symbol over ``sessions`` sessions from ``start`` (a date) on.

    A random walk in ticks of 0.01 with gaps over night, volume that is high at both ends of a session, and minutes
    without a trade, which have no row. The same seed, symbol and sessions give the same bits, whatever other symbols
    are asked for. Raises InputError for a date that is none, or fewer than one session; HorizonError beyond the
    calendar.
    """
    if sessions < 1:
        raise InputError("sessions", sessions, "give 1 or more")
    known = find_calendar(calendar)
    time, place, first = _minutes(_periods(known, _day(start), sessions))
    for symbol in symbols:
        random = np.random.default_rng([seed, *symbol.encode()])
        yield _walk(symbol, known, time, place, first, random)


def _day(start: str | dt.date) -> int:
    try:
        date = dt.date.fromisoformat(start) if isinstance(start, str) else start
    except ValueError as error:
        raise InputError("start", start, "give a date such as 2024-01-02", "is not a date") from error
    return (date - dt.date(1970, 1, 1)).days


def _periods(calendar: Calendar, day: int, sessions: int) -> Periods:
    """The periods of the first sessions labelled ``day`` or later."""
    span = 2 * sessions + 14
    while True:
        found = calendar.periods((day - 1) * DAY, (day + span) * DAY)
        chosen = found.label >= day
        labels = np.unique(found.label[chosen])
        if len(labels) > sessions:  # one more than asked for, so that the last one is whole
            chosen &= found.label < labels[sessions]
            return Periods(found.open[chosen], found.close[chosen], found.label[chosen])
        span *= 2


def _minutes(periods: Periods) -> tuple[Integers, Floats, Integers]:
    """Every minute; how far through its session each is, from 0 to 1; and where each session begins."""
    time = np.concatenate([np.arange(low, high, MINUTE) for low, high in zip(periods.open, periods.close, strict=True)])
    label = np.repeat(periods.label, -(-(periods.close - periods.open) // MINUTE))
    first = np.flatnonzero(np.diff(label, prepend=label[0] - 1))
    sizes = np.diff(first, append=len(label))
    place = (np.arange(len(label)) - np.repeat(first, sizes)) / np.maximum(1, np.repeat(sizes, sizes) - 1)
    return time, place, first


def _walk(
    symbol: str, calendar: Calendar, time: Integers, place: Floats, first: Integers, random: np.random.Generator
) -> Candles:
    count = len(time)
    edge = 1 + 2 * (2 * place - 1) ** 2
    spread = random.uniform(0.0002, 0.0008) * edge
    level = np.log(random.uniform(20, 500))
    step = random.standard_normal(count) * spread
    jump = random.standard_normal(count) * spread * 0.1
    jump[first] = random.standard_normal(len(first)) * 0.008
    close = level + np.cumsum(step + jump)
    opened = close - step
    high = np.maximum(opened, close) + random.exponential(0.5, count) * spread
    low = np.minimum(opened, close) - random.exponential(0.5, count) * spread
    volume = random.lognormal(np.log(random.uniform(500, 50_000)), 0.7, count) * edge
    traded = random.random(count) >= random.uniform(0, 0.05)
    traded[first] = True
    prices = {name: _ticks(log) for name, log in (("open", opened), ("high", high), ("low", low), ("close", close))}
    return Candles(
        symbol=symbol,
        timeframe=Timeframe.parse("1m"),
        calendar=calendar,
        time=time[traded],
        **{name: column[traded] for name, column in prices.items()},
        volume=np.ceil(volume)[traded],
    )


def _ticks(log: Floats) -> Floats:
    """Prices rounded to whole ticks, at least one."""
    return np.maximum(np.rint(np.exp(log) / TICK), 1) / round(1 / TICK)
