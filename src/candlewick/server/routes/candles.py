"""Candles: bars of a symbol with indicators, and what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from candlewick.server.application import Application
from candlewick.server.asked import PARAMETERS
from candlewick.server.serving import answered, serving_of
from candlewick.server.wanted import Headers, Wanted, note_served, reply, wanted_of

if TYPE_CHECKING:
    from starlette.types import Scope

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
    wanted = wanted_of(request.scope)
    status, headers, body = await serving.reads.run(_replied, request.scope, serving.application, wanted)
    response = Response(body, status)
    response.raw_headers = headers
    return response


@router.get("/v1/symbols", response_class=Response)
async def symbols(request: Request) -> Response:
    """Every stored series: symbol, timeframe, calendar, rows, first and last candle, revision and generation."""
    serving = serving_of(request)
    stored = await serving.reads.run(serving.application.symbols)
    return answered([one.as_dict() for one in stored])


def _replied(scope: Scope, application: Application, wanted: Wanted) -> tuple[int, Headers, bytes]:
    """Computed and encoded in the thread, so that the event loop only sends."""
    served = application.candles(wanted.asked.request, wanted.asked.engine, wanted.client)
    note_served(scope, served)
    return reply(served, wanted)
