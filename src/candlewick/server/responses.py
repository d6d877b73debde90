"""Responses: every HTTP response told to the monitor, whoever made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlewick.monitoring.monitor import Monitor

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Told by name; any other is ``other``, so that nobody can make up figures without end."""


class Counted:
    """Counts responses by method, pattern of the route and status."""

    def __init__(self, app: ASGIApp, monitor: Monitor) -> None:
        self._app = app
        self._monitor = monitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # when nothing is sent from below, the server's own answer to a defect is

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._monitor.respond(method, _pattern(scope), status)


def _pattern(scope: Scope) -> str:
    route = scope.get("route")
    return getattr(route, "path", None) or "none"
