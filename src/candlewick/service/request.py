"""Request: what is asked of a service, parsed once and frozen, so that equal questions are equal values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from candlewick.aggregation.batch import check_zero_volume
from candlewick.engine.catalogue import resolve
from candlewick.errors import InputError
from candlewick.indicators import Specs
from candlewick.indicators.indicator import Indicator
from candlewick.moments import Moment
from candlewick.timeframe import Timeframe

LIMIT = 100_000
"""Bars in one answer, unless the request says otherwise."""


@dataclass(frozen=True)
class Request:
    """Bars of ``start <= time < end`` with indicators. ``complete_until``: microseconds UTC up to which bars are final;
    None: the newest stored candle's close. ``limit`` counts returned bars."""

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
        )
