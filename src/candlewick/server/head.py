"""Head: a request for the head of an answer alone is answered as GET is, without the body."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """Hands HEAD on as GET and drops the body; ``Content-Length`` is that of the answer to GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def bare(message: Message) -> None:
            await send(message if message["type"] == "http.response.start" else {**message, "body": b""})

        # Another scope: the server below looks into its own to see that no body has to follow.
        inner = {**scope, "method": "GET"}
        try:
            await self._app(inner, receive, bare)
        finally:
            if "route" in inner:
                scope["route"] = inner["route"]
