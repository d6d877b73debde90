"""Request: what is asked of a service, parsed once and frozen, so that equal questions are equal values."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from candlewick.aggregation.batch import check_zero_volume
from candlewick.engine.catalogue import resolve
from candlewick.errors import InputError
from candlewick.indicators import Specs
from candlewick.indicators.indicator import Indicator
from candlewick.moments import Moment
from candlewick.store.revisions import moment_known
from candlewick.timeframe import Timeframe

LIMIT = 100_000
"""Bars in one answer, unless the request says otherwise."""


@dataclass(frozen=True)
class Request:
    """Bars of ``start <= time < end`` with indicators. ``complete_until``: microseconds UTC up to which bars are final;
    None: the newest stored candle's close. ``limit`` counts returned bars. ``as_of``: microseconds UTC; the answer is
    made of what was known at that moment. ``adjusted``: of candles adjusted by the symbol's split factors of now."""

    symbol: str
    timeframe: Timeframe
    indicators: tuple[Indicator, ...] = ()
    start: Moment | None = None
    end: Moment | None = None
    source: Timeframe | None = None
    zero_volume: str = "keep"
    final_only: bool = False
    complete_until: int | None = None
    limit: int = LIMIT
    as_of: int | None = None
    adjusted: bool = False

    @classmethod
    def of(
        cls,
        symbol: str,
        timeframe: str | Timeframe,
        indicators: Specs | None = None,
        *,
        start: Moment | None = None,
        end: Moment | None = None,
        source: str | Timeframe | None = None,
        zero_volume: str = "keep",
        final_only: bool = False,
        complete_until: int | None = None,
        limit: int = LIMIT,
        as_of: Moment | None = None,
        adjusted: bool = False,
    ) -> Self:
        """A request from text. Raises InputError or UnknownNameError that names what cannot be used."""
        if not isinstance(symbol, str) or not symbol:
            raise InputError("symbol", symbol, "give the name of a stored symbol")
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise InputError("limit", limit, "give a whole number above 0")
        check_zero_volume(zero_volume)
        return cls(
            symbol,
            Timeframe.parse(timeframe),
            () if indicators is None else resolve(indicators),
            start,
            end,
            None if source is None else Timeframe.parse(source, "source"),
            zero_volume,
            final_only,
            complete_until,
            limit,
            None if as_of is None else moment_known(as_of),
            adjusted,
        )

    @cached_property
    def question(self) -> Question:
        """What an answer is remembered by: all of a request but up to when its bars are final."""
        return Question(
            (
                self.symbol,
                self.timeframe,
                self.indicators,
                _exactly(self.start),
                _exactly(self.end),
                self.source,
                self.zero_volume,
                self.final_only,
                self.limit,
                self.as_of,
                self.adjusted,
            )
        )

    def at(self, until: int) -> Self:
        """The same request with bars that are final up to ``until``; in a tenth of the time that `replace` takes, and
        with the same question: each request of the service is asked at another moment."""
        found = object.__new__(type(self))
        _ = self.question
        found.__dict__.update(self.__dict__)
        found.__dict__["complete_until"] = until
        return found


class Question:
    """Equal for requests whose answers may be the same; hashed once, since its parts take longer than the look-up."""

    __slots__ = ("_hash", "_parts")

    def __init__(self, parts: tuple[Hashable, ...]) -> None:
        self._parts = parts
        self._hash = hash(parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Question) and self._parts == other._parts

    def __reduce__(self) -> tuple[type[Question], tuple[tuple[Hashable, ...]]]:
        return Question, (self._parts,)  # a text has another hash in another process


def _exactly(at: Moment | None) -> Hashable:
    """Equal only for the same form of a time: a date and its midnight may be equal, and mean different moments."""
    kind = type(at)
    if at is None or kind is str or kind is int:
        return at
    return kind, str(at.dtype) if isinstance(at, np.datetime64) else "", at
