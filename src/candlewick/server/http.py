"""HTTP: the application as an ASGI app, put together in one readable place."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from candlewick.errors import CandlewickError, InputError
from candlewick.server.application import Application
from candlewick.server.door import Door, Guarded
from candlewick.server.head import Head
from candlewick.server.hot import Hot
from candlewick.server.lane import Limits
from candlewick.server.problem import CONTENT_TYPE, Problem, Refusal, defect, problem_of, refusal_of
from candlewick.server.request_log import Line, RequestLog
from candlewick.server.responses import METHODS, Counted
from candlewick.server.serving import Serving
from candlewick.version import __version__

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Scope

    from candlewick.server.layered import Layer

log = logging.getLogger(__name__)


def create_app(
    application: Application,
    limits: Limits | None = None,
    *,
    keyed: bool = False,
    rate: float = 0.0,
    log: Callable[[Line], None] | None = None,
) -> FastAPI:
    """The application over HTTP. It is not closed when the server stops: whoever made it does that.

    ``keyed``: every request needs a key, each at most ``rate`` times a second (0 is no limit); else only what asks for
    this machine by name comes in, which is right where the server listens on a loopback address. ``log`` gets a line
    for each request. ``app.state.serving`` is the `Serving` that the routes share.
    """
    from candlewick.server.layered import Layered
    from candlewick.server.routes import (
        backup,
        candles,
        control,
        docs,
        explain,
        indicators,
        ingest,
        keys,
        splits,
        stream,
        watch,
    )

    door = Door(application.keys if keyed else None, rate)
    serving = Serving(application, limits or Limits(), door)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        serving.close()

    layers: list[Layer] = [
        lambda app: RequestLog(app, log),
        lambda app: Counted(app, application.monitor),
        lambda app: Guarded(app, door),
        Head,
        lambda app: Hot(app, serving),
    ]
    app = Layered(
        layers=layers,
        title="candlewick",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # these pages would load scripts from another site
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.serving = serving
    for group in (candles, indicators, explain, splits, ingest, backup, stream, control, keys, watch, docs):
        app.include_router(group.router)
    _tell_problems(app)
    return app


def _tell_problems(app: FastAPI) -> None:
    """Every error, ours or the framework's, as a problem document."""
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect

    async def ours(_: Request, error: Any) -> Response:
        return response(problem_of(error))

    async def refused(_: Request, error: Any) -> Response:
        problem = problem_of(error.error, error.status)
        return response(Problem(problem.status, problem.document, problem.headers | error.headers))

    async def of_http(request: Request, error: Any) -> Response:
        detail = {
            404: f"nothing is at {request.url.path}",
            405: f"{request.method} is not for {request.url.path}",
        }.get(error.status_code, str(error.detail))
        headers = error.headers
        if error.status_code == 405:  # the framework names the methods of the first route alone
            headers = {"Allow": ", ".join(_methods_at(app, request.scope))}
        return response(refusal_of(error.status_code, detail, headers))

    async def invalid(_: Request, error: Any) -> Response:
        first = error.errors()[0]
        return response(refusal_of(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}"))

    async def gone(_: Request, __: Any) -> Response:
        return response(problem_of(InputError("body", None, "send all of it", "ended too early"), 400))

    async def unforeseen(request: Request, error: Any) -> Response:
        log.error("%s %s ended with %s", request.method, request.url.path, type(error).__name__)
        return response(defect())

    app.add_exception_handler(CandlewickError, ours)
    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, unforeseen)


def _methods_at(app: FastAPI, scope: Scope) -> list[str]:
    """What may be done at a path."""
    from starlette.routing import Match

    found = [
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in app.router.routes)
    ]
    return sorted({*found, *(["HEAD"] if "GET" in found else [])})


def response(problem: Problem) -> Response:
    """A problem document as a response."""
    from starlette.responses import Response

    headers = {"Cache-Control": "no-store"} | problem.headers
    return Response(problem.json(), problem.status, headers, CONTENT_TYPE)
