"""Mix: a desk's day as seeded steps: what is asked, the candles that arrive meanwhile, and what is put right later.

Every constant below was written down before any engine was measured on the mix, and is not changed to suit one:

* 200 symbols, the middle of what our users follow, with 20 sessions stored: a month, so that hourly bars have history.
* 120 requests a minute: eight seats with fifteen charts each, and a chart asks again when a minute has closed.
* Skew 1.0, Zipf's own law: a few names are on every screen, most are on one now and then.
* Nine in ten requests are about the end of the series (today; the last five sessions) or yesterday, as charts are; the
  rest is history: some sessions of the past month, or all that is stored.
* Half of the charts are of 5m; most carry the desk preset, so the same definitions come again, as on real screens.
* Every minute each symbol that traded gets a candle; every fifteenth a candle of today or yesterday is corrected.
* The cache has the 512 MB that `max_cache_mb` has by default: nobody is asked to tune it first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from candlewick.candles import VALUES, Candles
from candlewick.columnar import Floats
from candlewick.errors import InputError
from candlewick.service.request import Request
from candlewick.sources.simulated import simulate
from candlewick.timeframe import MINUTE

SEED = 20_250_106
SYMBOLS = 200
SESSIONS = 20
REQUESTS = 120
SKEW = 1.0
CORRECTED_EVERY = 15
CACHE_MB = 512
CALENDAR = "XNYS"
START = "2024-01-02"
TIMEFRAMES = {"1m": 0.2, "5m": 0.5, "15m": 0.2, "1h": 0.1}
INDICATORS = {"desk": 0.7, "sma(9),bollinger(20,2)": 0.2, "rsi(14),macd(12,26,9)": 0.1}
RANGES = {"today": 0.5, "recent": 0.3, "yesterday": 0.1, "past": 0.07, "whole": 0.03}
RECENT = 5
"""Sessions on a chart of the last days; a look into the past is as long at most."""


@dataclass(frozen=True)
class Ask:
    """A request. ``kind``: which of RANGES it is about."""

    request: Request
    kind: str


@dataclass(frozen=True)
class Append:
    """A minute has closed: one candle of every symbol that traded in it."""

    candles: tuple[Candles, ...]


@dataclass(frozen=True)
class Correct:
    """One stored candle, put right."""

    candles: Candles


Step = Ask | Append | Correct


@dataclass(frozen=True)
class Mix:
    """The day after ``sessions`` stored ones, up to its minute ``minutes``. The same fields give the same steps.

    Raises InputError for fewer than one of anything, and for fewer than RECENT sessions.
    """

    seed: int = SEED
    symbols: int = SYMBOLS
    sessions: int = SESSIONS
    minutes: int = 390
    requests: int = REQUESTS
    skew: float = SKEW

    def __post_init__(self) -> None:
        for name, least in (("symbols", 1), ("sessions", RECENT), ("minutes", 1), ("requests", 1)):
            if getattr(self, name) < least:
                raise InputError(name, getattr(self, name), f"give {least} or more")

    @property
    def names(self) -> list[str]:
        """The symbols, the most asked for first: ``MIX000``."""
        return [f"MIX{number:03d}" for number in range(self.symbols)]

    @cached_property
    def market(self) -> list[Candles]:
        """Every candle of each symbol, today's included."""
        return list(simulate(self.names, CALENDAR, self.sessions + 1, self.seed, START))

    @cached_property
    def opens(self) -> list[int]:
        """When each stored session opened, and last today's: microseconds UTC."""
        one = self.market[0]
        first, last = (int(one.microseconds[row]) for row in (0, -1))
        periods = one.calendar.periods(first, last + 1)
        return [int(at) for at in periods.open[np.diff(periods.label, prepend=periods.label[0] - 1) != 0]]

    def history(self) -> list[Candles]:
        """What is stored before the day begins."""
        return [candles.between(None, self.opens[-1]) for candles in self.market]

    def steps(self) -> Iterator[Step]:
        """The day: each minute its candles, now and then a correction, then the minute's requests."""
        random = np.random.default_rng([self.seed, self.symbols])
        today = [candles.between(self.opens[-1], None) for candles in self.market]
        ends = self.opens[-1] + np.arange(self.minutes + 1) * MINUTE
        places = [np.searchsorted(one.microseconds, ends).tolist() for one in today]
        for minute in range(self.minutes):
            rows = (one.rows(at[minute], at[minute + 1]) for one, at in zip(today, places, strict=True))
            yield Append(tuple(row for row in rows if len(row)))
            if minute % CORRECTED_EVERY == CORRECTED_EVERY - 1:
                yield self._corrected(random, minute)
            yield from self._asked(random)

    def asks(self, count: int) -> list[Ask]:
        """The first ``count`` requests of the day, without what happens between them."""
        random = np.random.default_rng([self.seed, self.symbols])
        found: list[Ask] = []
        while len(found) < count:
            found += self._asked(random)
        return found[:count]

    def _corrected(self, random: np.random.Generator, minute: int) -> Correct:
        """A candle of yesterday or of today so far, closing at another price within its own high and low."""
        candles = self.market[random.integers(self.symbols)]
        known = candles.between(self.opens[-2], self.opens[-1] + minute * MINUTE)
        row = int(random.integers(len(known)))
        old = known.rows(row, row + 1)
        values = {name: getattr(old, name) for name in VALUES}
        values["close"] = np.where(old.close == old.low, old.high, old.low)
        values["volume"] = old.volume + 1
        return Correct(Candles.trusted(old.symbol, old.timeframe, old.calendar, old.microseconds, values))

    def _asked(self, random: np.random.Generator) -> list[Ask]:
        return [self._ask(random, int(symbol)) for symbol in random.choice(self.symbols, self.requests, p=self._shares)]

    def _ask(self, random: np.random.Generator, symbol: int) -> Ask:
        timeframe = drawn(random, TIMEFRAMES)
        indicators = drawn(random, INDICATORS)
        kind = drawn(random, RANGES)
        start, end = self._range(random, kind)
        return Ask(replace(self._forms[timeframe, indicators], symbol=self.names[symbol], start=start, end=end), kind)

    def _range(self, random: np.random.Generator, kind: str) -> tuple[int | None, int | None]:
        opens = self.opens
        if kind == "today":
            return opens[-1], None
        if kind == "recent":
            return opens[-RECENT], None
        if kind == "yesterday":
            return opens[-2], opens[-1]
        if kind == "past":
            first = int(random.integers(len(opens) - 1))
            return opens[first], opens[min(first + int(random.integers(1, RECENT + 1)), len(opens) - 1)]
        return None, None

    @cached_property
    def _forms(self) -> dict[tuple[str, str], Request]:
        """Parsed once: the mix measures answers, not how text is read."""
        return {(length, specs): Request.of("-", length, specs) for length in TIMEFRAMES for specs in INDICATORS}

    @cached_property
    def _shares(self) -> Floats:
        weights = [rank**-self.skew for rank in range(1, self.symbols + 1)]
        shares: Floats = np.array(weights) / sum(weights)
        return shares


def drawn(random: np.random.Generator, weights: dict[str, float]) -> str:
    """One of the names, as often as its weight says."""
    names = list(weights)
    place = int(np.searchsorted(np.cumsum(list(weights.values())), random.random(), side="right"))
    return names[min(place, len(names) - 1)]
