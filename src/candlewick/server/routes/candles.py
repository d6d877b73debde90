"""Candles: bars of a symbol with indicators, and what is stored."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from candlewick.errors import InputError
from candlewick.server.application import Application
from candlewick.server.asked import PARAMETERS, Asked, asked
from candlewick.server.serving import answered, serving_of
from candlewick.service.answer import Answer
from candlewick.service.served import Served

INLINE = 2000
"""Bars that are encoded in the event loop at most: more of them would hold up everybody else."""

CLIENT = "x-candlewick-client"
LONGEST_CLIENT = 200

router = APIRouter(tags=["candles"])


def _documented() -> dict[str, object]:
    return {
        "parameters": [
            {
                "name": "symbol",
                "in": "path",
                "required": True,
                "description": "Symbol as stored, percent-encoded.",
                "schema": {"type": "string"},
            }
        ]
        + [
            {
                "name": name,
                "in": "query",
                "required": name == "timeframe",
                "description": text,
                "schema": {"type": "string"},
            }
            for name, text in PARAMETERS.items()
        ]
        + [
            {
                "name": "X-Candlewick-Client",
                "in": "header",
                "required": False,
                "description": "Routing key of the caller, where the rollout routes by client.",
                "schema": {"type": "string"},
            }
        ]
    }


@router.get("/v1/candles/{symbol:path}", response_class=Response, openapi_extra=_documented())
async def candles(request: Request) -> Response:
    """Bars of `start <= time < end` with indicators, as columns; times in milliseconds since 1970, undefined null."""
    serving = serving_of(request)
    wanted = asked(request.path_params["symbol"], request.scope["query_string"])
    client = _client(request)
    quick = serving.application.quick(wanted.request, wanted.engine, client)
    served = quick if quick is not None else await serving.reads.run(_computed, serving.application, wanted, client)
    tag = entity_tag(served.answer)
    headers = {
        "ETag": tag,
        "Cache-Control": "no-cache",
        "Vary": "X-Candlewick-Client",
        "X-Candlewick-Arm": served.arm,
        "X-Candlewick-Cache": served.answer.cache,
        "X-Candlewick-Fallback": "true" if served.fallback else "false",
    }
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    if quick is not None and len(quick.answer.bars) > INLINE:
        body = await serving.reads.run(quick.answer.json)
    else:
        body = served.answer.json()
    return Response(body, 200, headers, "application/json")


@router.get("/v1/symbols", response_class=Response)
async def symbols(request: Request) -> Response:
    """Every stored series: symbol, timeframe, calendar, rows, first and last candle, revision and generation."""
    serving = serving_of(request)
    stored = await serving.reads.run(serving.application.symbols)
    return answered([one.as_dict() for one in stored])


def entity_tag(answer: Answer) -> str:
    """The tag of an answer's bytes: they also name the engine and the revision."""
    return f'"{answer.engine}-{answer.revision}-{answer.fingerprint}"'


def matches(condition: str | None, tag: str) -> bool:
    """True when a caller's ``If-None-Match`` has this answer already."""
    if condition is None:
        return False
    return condition.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in condition.split(",")]


def _computed(application: Application, wanted: Asked, client: str | None) -> Served:
    served = application.candles(wanted.request, wanted.engine, client)
    served.answer.json()  # here rather than in the event loop; remembered
    return served


def _client(request: Request) -> str | None:
    client = request.headers.get(CLIENT)
    if client is not None and not 0 < len(client) <= LONGEST_CLIENT:
        raise InputError("X-Candlewick-Client", client, f"give 1 to {LONGEST_CLIENT} characters")
    return client
