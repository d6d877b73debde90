"""Source: one file, member of an archive, or table that rows come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

from candlewick.errors import InputError
from candlewick.sessions.calendar import Calendar, find_calendar
from candlewick.sources.local_time import find_zone
from candlewick.sources.rows import Rows
from candlewick.timeframe import Timeframe


@dataclass(frozen=True)
class Reading:
    """What the caller says about the rows: whose they are, how long each is, and where local times are."""

    calendar: Calendar
    timeframe: Timeframe
    symbol: str | None
    zone: ZoneInfo | None

    @classmethod
    def of(cls, calendar: str | Calendar, timeframe: str | Timeframe, symbol: str | None, timezone: str | None) -> Self:
        """From what callers give. Raises UnknownNameError for an unknown calendar, and InputError."""
        if symbol is not None and not symbol.strip():
            raise InputError("symbol", symbol, "give a name such as 'AAPL'", "is not a symbol")
        zone = None if timezone is None else find_zone(timezone)
        return cls(find_calendar(calendar), Timeframe.parse(timeframe), symbol and symbol.strip(), zone)


class Source(ABC):
    """Rows of one file. First `prepare`, which refuses a bad one, then `rows`, once, then the rest.

    ``name`` is shown to users, ``size`` is in bytes.
    """

    name: str
    size: int
    expands: float = 1.0
    """Bytes of text behind one byte of the file, about: more than 1 for compressed ones."""

    @abstractmethod
    def prepare(self, reading: Reading) -> None:
        """Look at the beginning. Raises FileFormatError, MissingColumnError, NaiveTimeError or InputError."""

    @abstractmethod
    def rows(self) -> Iterator[Rows]:
        """Every data row, in order, in pieces. Raises FileFormatError for a file that turns out broken."""

    @abstractmethod
    def content(self) -> str:
        """Hash of the content; known when every row was read."""

    @abstractmethod
    def raw(self, lines: Collection[int]) -> Mapping[int, str]:
        """The rows at some lines as they stand in the file."""


def check_symbol(name: str, reading: Reading, *, column: bool) -> None:
    """Raise InputError when nothing says whose the rows are."""
    if reading.symbol is None and not column:
        problem = "has no symbol column"
        raise InputError("symbol", name, "give a symbol (--symbol SPY), or a file with a symbol column", problem)
