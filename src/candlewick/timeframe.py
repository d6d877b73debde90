"""Timeframe: how long a bar is, as a frozen value with one text form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from candlewick.errors import InputError

MINUTE = 60_000_000
"""Microseconds in a minute, the unit of every time in the package."""

EXPECTED = "give whole minutes (1m, 5m, 90m), hours (1h, 4h), 1d, 1w or 1mo"
_TEXT = re.compile(r"([1-9][0-9]{0,4})(mo|[mhdw])")


class Span(StrEnum):
    """What the buckets of a timeframe are cut from."""

    PERIOD = "m"
    SESSION = "d"
    WEEK = "w"
    MONTH = "mo"


@dataclass(frozen=True, order=True)
class Timeframe:
    """A bar's length: whole minutes inside a trading period, or one session, ISO week or calendar month of sessions.

    ``minutes`` is 0 for the calendar spans. Text form: ``5m 1h 4h 90m 1d 1w 1mo``; 60 minutes are written ``1h``.
    """

    rank: int
    minutes: int
    span: Span

    @classmethod
    def parse(cls, text: str | Timeframe, parameter: str = "timeframe") -> Timeframe:
        """``"5m" -> Timeframe``. Raises InputError for anything that is not a timeframe."""
        if isinstance(text, Timeframe):
            return text
        if not isinstance(text, str):
            raise InputError(parameter, text, EXPECTED)
        return cls._parsed(text, parameter)

    @classmethod
    @lru_cache(maxsize=512)  # on the path of every look-up; text that is refused is not kept
    def _parsed(cls, text: str, parameter: str) -> Timeframe:
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise InputError(parameter, text, EXPECTED)
        count, unit = int(match[1]), match[2]
        if unit in ("m", "h"):
            minutes = count * (60 if unit == "h" else 1)
            if minutes > 1440:
                raise InputError(parameter, text, EXPECTED, "is longer than a day")
            return cls(0, minutes, Span.PERIOD)
        if count != 1:
            raise InputError(parameter, text, EXPECTED, "counts several sessions, weeks or months")
        span = Span(unit)
        return cls({Span.SESSION: 1, Span.WEEK: 2, Span.MONTH: 3}[span], 0, span)

    @property
    def intraday(self) -> bool:
        """True when buckets are cut inside a trading period."""
        return self.span is Span.PERIOD

    @property
    def microseconds(self) -> int:
        """Length of a full intraday bucket; 0 for 1d, 1w and 1mo, whose length the calendar decides."""
        return self.minutes * MINUTE

    def divides(self, coarser: Timeframe) -> bool:
        """True when bars of ``coarser`` can be made of whole candles of this timeframe."""
        if self.intraday:
            return not coarser.intraday or coarser.minutes % self.minutes == 0
        if self.span is Span.WEEK:
            return coarser.span is Span.WEEK
        return self.rank <= coarser.rank

    def __hash__(self) -> int:
        """The rank says the span. Part of the key of every series, so it is cheap."""
        return self.rank * 10_000 + self.minutes

    def __str__(self) -> str:
        if not self.intraday:
            return f"1{self.span}"
        return f"{self.minutes // 60}h" if self.minutes % 60 == 0 else f"{self.minutes}m"

    def __repr__(self) -> str:
        return f"Timeframe({str(self)!r})"
