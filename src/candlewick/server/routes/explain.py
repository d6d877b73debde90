"""Explain: where one value comes from, and what it is exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from candlewick.errors import UnknownNameError
from candlewick.server.asked import fields, moment_text, needed, time_of, truth
from candlewick.server.contract import answers, problems, query
from candlewick.server.parameters import CLIENT_HEADER, KINDS
from candlewick.server.serving import answered, serving_of
from candlewick.server.wanted import CLIENT, client_of, note
from candlewick.service.request import Request as Asked
from candlewick.service.served import CHOICES

if TYPE_CHECKING:
    from candlewick.explain.explanation import Explanation

PARAMETERS = {
    "symbol": "Symbol as stored, percent-encoded.",
    "timeframe": "Length of the bar: 1m, 5m, 90m, 1h, 4h, 1d, 1w or 1mo.",
    "at": "Open of the bar: ISO 8601 with an offset or Z, or a date, which is the open of that session.",
    "column": "Name of the column, such as close, sma_9 or bollinger_20_2_upper.",
    "engine": f"One of {', '.join(CHOICES)}; auto follows the rollout.",
    "source": "Stored timeframe to build from; left out: its own, else the finest that fits.",
    "zero_volume": "keep or drop flat candles without volume.",
    "as_of": "Moment as of which it is explained, by what was known then: ISO 8601 with an offset or Z.",
    "adjusted": "true adjusts the candles by the symbol's split factors first.",
}
NEEDED = ("symbol", "timeframe", "at", "column")

router = APIRouter(tags=["candles"])


_EXAMPLES = {"symbol": "SPY", "timeframe": "5m", "at": "2024-01-02T15:30:00Z", "column": "sma_9"}
_DOCUMENTED = {
    "parameters": [
        *(
            query(name, about, KINDS.get(name), required=name in NEEDED, example=_EXAMPLES.get(name))
            for name, about in PARAMETERS.items()
        ),
        CLIENT_HEADER,
    ]
}


@router.get(
    "/v1/explain",
    response_class=Response,
    openapi_extra=_DOCUMENTED,
    responses=answers("Explanation", "Where the value comes from.") | problems(400, 404, 409, 413, 500),
    summary="Explain a value",
)
async def explain(request: Request) -> Response:
    """One value: definition, origin, bars and source candles, revision, calendar and kernel version, warm-up, and the
    value recomputed exactly with the difference, the bound, and whether it is kept. Times in ISO UTC."""
    serving = serving_of(request)
    given = fields(request.scope["query_string"], PARAMETERS)
    for name in NEEDED:
        needed(given, name, f"give it: {PARAMETERS[name]}")
    engine = given.get("engine", "auto")
    if engine not in CHOICES:
        raise UnknownNameError("engine", engine, CHOICES)
    asked = Asked.of(
        given["symbol"],
        given["timeframe"],
        source=given.get("source"),
        zero_volume=given.get("zero_volume", "keep"),
        as_of=moment_text(given, "as_of"),
        adjusted=truth(given, "adjusted"),
    )
    header = request.headers.get(CLIENT)
    client = client_of(None if header is None else header.encode("latin-1"))
    found: Explanation = await serving.explains.run(
        serving.application.explain, asked, time_of(given["at"], "at"), given["column"], engine, client
    )
    note(
        request.scope,
        symbol=found.symbol,
        engine=found.engine,
        arm=found.arm,
        fallback=found.fallback,
        cache=found.cache,
    )
    return answered(found.as_dict())
