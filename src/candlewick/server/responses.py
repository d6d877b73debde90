"""Responses: every HTTP response told to the monitor, whoever made it; and problem documents sent by what stands before
the framework."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from candlewick.monitoring.monitor import Monitor
from candlewick.server.problem import CONTENT_TYPE, Problem, defect

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Told by name; any other is ``other``, so that nobody can make up figures without end."""


class Counted:
    """Counts responses by method, pattern of the route and status. What fails below without an answer gets one here."""

    def __init__(self, app: ASGIApp, monitor: Monitor) -> None:
        self._app = app
        self._monitor = monitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if not status:
                log.error("%s %s ended with %s", scope["method"], scope["path"], type(error).__name__)
                await tell(watched, defect())
            raise
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._monitor.respond(method, pattern(scope), status or 500)


def pattern(scope: Scope) -> str:
    """The pattern of the route that a request found, such as /v1/candles/{symbol}; ``none`` where it found none."""
    route = scope.get("route")
    return getattr(route, "path", None) or "none"


async def tell(send: Send, problem: Problem) -> None:
    """Send a problem document as the whole response."""
    body = problem.json()
    headers = {"content-type": CONTENT_TYPE, "cache-control": "no-store"} | problem.headers
    headers |= {"content-length": str(len(body))}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
