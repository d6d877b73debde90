"""Stream: series that are followed over a WebSocket; what is said over it stands in the guide's page on live bars."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from candlewick.server.stream_client import StreamClient

PATH = "/v1/stream"


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept a socket and serve it until it ends."""
    await receive()
    await send({"type": "websocket.accept"})
    await StreamClient(scope["app"].state.serving.streams, scope, receive, send).run()


class _Plain:
    """An ASGI application, which a route calls as it is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await stream(scope, receive, send)


router = APIRouter(routes=[WebSocketRoute(PATH, _Plain(), name="stream")])
