"""Question: what a request is remembered by, which view answers it, and what names the answer."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from candlewick.cache.fingerprint import arithmetic_of, fingerprint, texts_of
from candlewick.cache.indicator_cache import ViewKey
from candlewick.moments import Moment
from candlewick.service.range import Resolved
from candlewick.service.request import Request


def question_of(request: Request) -> Hashable:
    """What an answer is remembered by: all of a request but up to when its bars are final."""
    return (
        request.symbol,
        request.timeframe,
        request.indicators,
        _exactly(request.start),
        _exactly(request.end),
        request.source,
        request.zero_volume,
        request.final_only,
        request.limit,
    )


def _exactly(at: Moment | None) -> Hashable:
    """Equal only for the same form of a time: a date and its midnight may be equal, and mean different moments."""
    kind = type(at)
    if at is None or kind is str or kind is int:
        return at
    return kind, str(at.dtype) if isinstance(at, np.datetime64) else "", at


def view_key(request: Request, resolved: Resolved) -> ViewKey:
    """Which view answers a request."""
    calendar = resolved.calendar
    source, zero_volume = resolved.series.timeframe, request.zero_volume
    return ViewKey(request.symbol, source, request.timeframe, zero_volume, calendar.name, calendar.version)


def name_of(engine: str, request: Request, resolved: Resolved, revision: int, final: int) -> str:
    """The fingerprint of an answer whose first ``final`` bars are final: equal names, equal columns."""
    return fingerprint(
        engine=engine,
        symbol=request.symbol,
        source=str(resolved.series.timeframe),
        timeframe=str(request.timeframe),
        zero_volume=request.zero_volume,
        calendar=resolved.calendar.name,
        sessions=resolved.calendar.version,
        revision=revision,
        start=resolved.low,
        end=resolved.high,
        indicators=texts_of(request.indicators),
        arithmetic=arithmetic_of(request.indicators),
        final=final,
        final_only=request.final_only,
    )
