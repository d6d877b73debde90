"""Question: which view answers a request, and what names the answer."""

from __future__ import annotations

from candlewick.cache.fingerprint import arithmetic_of, fingerprint, texts_of
from candlewick.cache.indicator_cache import ViewKey
from candlewick.service.range import Resolved
from candlewick.service.request import Request
from candlewick.store.splits import texts


def view_key(request: Request, resolved: Resolved) -> ViewKey:
    """Which view answers a request."""
    calendar = resolved.calendar
    source, zero_volume = resolved.series.timeframe, request.zero_volume
    seen = request.symbol, source, request.timeframe, zero_volume, calendar.name, calendar.version
    return ViewKey(*seen, resolved.splits)


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
        **adjustment(resolved),
    )


def adjustment(resolved: Resolved) -> dict[str, tuple[str, ...]]:
    """What a fingerprint says of split factors: nothing where nothing is adjusted."""
    return {"splits": texts(resolved.splits)} if resolved.splits else {}
