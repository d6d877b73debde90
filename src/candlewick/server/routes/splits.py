"""Splits: the factors by which candles are adjusted where that is asked for."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from candlewick.errors import InputError, UnknownNameError
from candlewick.server.contract import answers, body, problems
from candlewick.server.routes.control import json_body, json_object
from candlewick.server.schemas import listed, ref
from candlewick.server.serving import answered, serving_of

NEEDED = {"symbol": "a symbol", "at": "from when on the factor holds", "factor": "a number or a ratio; null removes it"}
OPTIONAL = ("calendar",)

router = APIRouter(tags=["candles"])


@router.get(
    "/v1/splits",
    response_class=Response,
    responses=answers(listed(ref("Split")), "Every factor, by symbol, oldest first."),
    summary="Split factors",
)
async def splits(request: Request) -> Response:
    """The factors that are kept. Adjusted, prices before a time are divided by its factor and volumes multiplied."""
    serving = serving_of(request)
    kept = await serving.control.run(serving.application.splits)
    return answered([{"symbol": symbol, **one.as_dict()} for symbol in sorted(kept) for one in kept[symbol]])


@router.put(
    "/v1/splits",
    response_class=Response,
    openapi_extra={"requestBody": body("application/json", "SplitChange")},
    responses=answers("Split", "The factor that is kept now, or that was removed.") | problems(400, 413, 415),
    summary="Set or remove a split factor",
)
async def set_split(request: Request) -> Response:
    """Keep a factor in the place of one of the same time; null removes it. A date is a session of the calendar, else of
    the stored symbol. Holds for requests that come after the answer."""
    serving = serving_of(request)
    change = _change(await json_body(request))
    given = change["symbol"], change["at"]
    factor, calendar = change["factor"], change.get("calendar")
    if factor is None:
        found = await serving.control.run(serving.application.remove_split, *given, calendar)
        if found is None:
            raise InputError("at", change["at"], "see GET /v1/splits", "is not the time of a factor")
    else:
        found = await serving.control.run(serving.application.set_split, *given, factor, calendar)
    return answered({"symbol": change["symbol"], **found.as_dict()})


def _change(body: bytes) -> dict[str, Any]:
    """The change that a body asks for. Raises InputError or UnknownNameError that names the member."""
    change = json_object(body, f"give an object with {', '.join(NEEDED)}")
    for name in change:
        if name not in NEEDED and name not in OPTIONAL:
            raise UnknownNameError("body member", name, (*NEEDED, *OPTIONAL))
    for name, text in NEEDED.items():
        if name not in change:
            raise InputError(name, None, f"give {text}", "is missing")
    for name in ("symbol", "at", *(OPTIONAL if change.get("calendar") is not None else ())):
        if not isinstance(change[name], str) or not change[name].strip():
            raise InputError(name, change[name], f"give {NEEDED.get(name, 'the name of a calendar')}, as text")
    return change
