"""Layered: the framework behind layers of our own, the outermost first, each a plain ASGI application.

The framework's own middleware stands behind what it does for every request; these stand before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from candlewick.server.contract import completed

Layer = Callable[[ASGIApp], ASGIApp]


class Layered(FastAPI):
    """``layers``: each is given what stands behind it. Requests and sockets pass them; start and stop do not."""

    def __init__(self, *, layers: list[Layer], **about: Any) -> None:
        super().__init__(**about)
        self._front: ASGIApp = self._framework
        for layer in reversed(layers):
            self._front = layer(self._front)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if self.openapi_schema is None:
            completed(super().openapi())
        found: dict[str, Any] = self.openapi_schema or {}
        return found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
        else:
            await self._front(scope, receive, send)

    async def _framework(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)
