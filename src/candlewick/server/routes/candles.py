"""Candles: bars of one symbol with indicators, of many symbols at once, and what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from candlewick.errors import CandlewickError
from candlewick.server.application import Application
from candlewick.server.asked import (
    LONGEST_SYMBOL,
    MANY_PARAMETERS,
    PARAMETERS,
    AskedMany,
    asked_many,
    fields,
)
from candlewick.server.contract import answers, header, path, problems, query
from candlewick.server.form import ARROW, JSON, JSON_ONLY, Form, form_of
from candlewick.server.parameters import CLIENT_HEADER, EXAMPLES, KINDS
from candlewick.server.problem import problem_of
from candlewick.server.schemas import EXAMPLE_ANSWER, EXAMPLE_PROBLEM, TEXT, listed, ref
from candlewick.server.serving import answered, serving_of
from candlewick.server.wanted import Headers, Wanted, note_served, reply, wanted_of
from candlewick.service.packed import packed

if TYPE_CHECKING:
    from starlette.types import Scope

router = APIRouter(tags=["candles"])

_NEEDED = ("timeframe", "symbols")
_ONE = {
    "parameters": [
        path("symbol", "Symbol as stored, percent-encoded.", TEXT | {"minLength": 1, "maxLength": LONGEST_SYMBOL})
        | {"example": "SPY"},
        *(
            query(name, about, KINDS[name], required=name in _NEEDED, example=EXAMPLES.get(name))
            for name, about in PARAMETERS.items()
        ),
        CLIENT_HEADER,
        header("If-None-Match", "Entity tags that the caller has: 304 when the answer is one of them still."),
    ]
}
_MANY = {
    "parameters": [
        query(name, about, KINDS[name], required=name in _NEEDED, example=EXAMPLES.get(name))
        for name, about in MANY_PARAMETERS.items()
    ]
}
_TOLD = {
    "ETag": "Of this form of the answer: another one when its bytes are.",
    "Vary": "The headers of the request that decide the form.",
    "X-Candlewick-Arm": "classic or optimized as the rollout chose; explicit where the request named its engine.",
    "X-Candlewick-Cache": "hit, extension, miss, or none.",
    "X-Candlewick-Fallback": "true when the engine that was chosen failed and the other one answered.",
}


def _responses() -> dict[int | str, dict[str, object]]:
    found = answers("Answer", "The bars, packed by zstd or gzip as Accept-Encoding allows.", media=JSON, headers=_TOLD)
    found[200]["content"][ARROW] = {
        "schema": TEXT | {"format": "binary"},
        "example": "(an Arrow IPC stream: time is timestamp[us, UTC], n int32, final bool, all others float64)",
    }
    return found | {304: {"description": "The caller has it already."}} | problems(400, 404, 406, 409, 413, 500)


@router.get(
    "/v1/candles/{symbol:path}", response_class=Response, openapi_extra=_ONE, responses=_responses(), summary="Candles"
)
async def candles(request: Request) -> Response:
    """Bars of `start <= time < end` with indicators, as columns; times in milliseconds since 1970, undefined null.

    `Accept: application/vnd.apache.arrow.stream` gives an Arrow stream, whose schema's metadata has what JSON has
    before its columns. What is remembered is answered before it gets here.
    """
    serving = serving_of(request)
    wanted = wanted_of(request.scope)
    serving.check_room(wanted.asked.engine)
    status, headers, body = await serving.reads.run(_replied, request.scope, serving.application, wanted)
    response = Response(body, status)
    response.raw_headers = headers
    return response


@router.get(
    "/v1/candles",
    response_class=Response,
    openapi_extra=_MANY,
    responses=answers(
        {"type": "object", "additionalProperties": {"anyOf": [ref("Answer"), ref("Problem")]}},
        "Each symbol's answer, or the problem that it has; in the order asked.",
        example={"SPY": EXAMPLE_ANSWER, "SPX": EXAMPLE_PROBLEM},
    )
    | problems(400, 406),
    summary="Candles of many symbols",
)
async def many(request: Request) -> Response:
    """The same question about up to 500 symbols, as JSON: a desk asks once for all that it shows.

    A symbol that cannot be answered has its problem document in its place, with its own status; the others are
    answered.
    """
    serving = serving_of(request)
    accept, encoding = (_joined_header(request, name) for name in ("accept", "accept-encoding"))
    form = form_of(accept, encoding, JSON_ONLY)
    wanted = asked_many(request.scope["query_string"])
    serving.check_room(wanted.engine)
    body, packed_by = await serving.many.run(_in_one, serving.application, wanted, form)
    headers = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Encoding"}
    if packed_by is not None:
        headers["Content-Encoding"] = packed_by
    return Response(body, 200, headers, JSON)


@router.get(
    "/v1/symbols",
    response_class=Response,
    responses=answers(
        listed(ref("Series")),
        "Every stored series, by symbol, then from the finest timeframe on.",
    )
    | problems(400),
    summary="What is stored",
)
async def symbols(request: Request) -> Response:
    """Every stored series: symbol, timeframe, calendar, rows, first and last candle, revision and generation."""
    serving = serving_of(request)
    fields(request.scope["query_string"], {})
    stored = await serving.reads.run(serving.application.symbols)
    return answered([one.as_dict() for one in stored])


def _replied(scope: Scope, application: Application, wanted: Wanted) -> tuple[int, Headers, bytes]:
    """Computed and encoded in the thread, so that the event loop only sends."""
    served = application.candles(wanted.asked.request, wanted.asked.engine, wanted.client)
    note_served(scope, served)
    return reply(served, wanted)


def _joined_header(request: Request, name: str) -> bytes | None:
    given = request.headers.getlist(name)
    return ",".join(given).encode("latin-1") if given else None


def _in_one(application: Application, wanted: AskedMany, form: Form) -> tuple[bytes, str | None]:
    """One object of what each symbol has; and by what it is packed in the end."""
    found = application.candles_many(wanted.requests, wanted.engine)
    parts = [
        msgspec.json.encode(asked.symbol)
        + b":"
        + (problem_of(one).json() if isinstance(one, CandlewickError) else one.answer.json())
        for asked, one in zip(wanted.requests, found, strict=True)
    ]
    body = b"{" + b",".join(parts) + b"}"
    if form.coding is None or len(body) < form.least:
        return body, None
    return packed(body, form.coding), form.coding
