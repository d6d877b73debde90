"""Indicators: what can be asked for."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from candlewick.engine.catalogue import catalogue
from candlewick.engine.described import described, presets
from candlewick.server.contract import answers
from candlewick.server.serving import answered, serving_of

router = APIRouter(tags=["candles"])


@router.get(
    "/v1/indicators",
    response_class=Response,
    responses=answers(
        "Indicators",
        "Every indicator, the server's own plug-ins among them, and the presets.",
    ),
    summary="What can be computed",
)
async def indicators(request: Request) -> Response:
    """Each indicator: how it is written, its parameters and defaults, its columns, sources and warm-up."""
    serving = serving_of(request)
    found = await serving.control.run(catalogue)  # plug-ins are tried the first time, which takes a while
    return answered({"indicators": [described(one) for one in found.values()], "presets": presets()})
