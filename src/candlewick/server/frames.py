"""Frames: the server's end of a WebSocket, with a way to write many messages at once and to let go of it for good.

ASGI sends one message at a time and knows no abort: with it a thousand messages cost a thousand turns of the loop, and
a caller that does not read keeps its connection. A server without this still works, by plain ASGI.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

EXTENSION = "candlewick.frames"
"""Where a socket's scope has it, among ``extensions``."""


LARGEST = 1 << 20
"""Bytes of a message that a client may send."""

PING_SECONDS = 20.0
"""A client that is silent for so long is asked whether it is there, and has as long again to say so."""


class FrameProtocol(WebSocketsSansIOProtocol):
    """Text frames of a server are not masked, so they are the message's bytes behind a head of 2 to 10."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)  # there is none when the handshake was refused
        if scope is not None:
            scope["extensions"][EXTENSION] = self

    @property
    def gone(self) -> bool:
        """True when nothing can be sent any more."""
        return self.transport.is_closing() or self.conn.state is not State.OPEN

    async def ready(self) -> None:
        """Wait until what was written has left, but for some 64 KB."""
        await self.writable.wait()

    def write_texts(self, texts: Sequence[bytes]) -> None:
        """Send UTF-8 texts, each as a message, in one piece."""
        self.transport.write(b"".join([part for text in texts for part in (head(len(text)), text)]))

    def abort(self) -> None:
        """Let go of the connection at once; what was not sent is lost."""
        self.transport.abort()


def head(length: int) -> bytes:
    """What stands before the bytes of a whole, unmasked text message (RFC 6455, 5.2)."""
    if length < 126:
        return bytes((0x81, length))
    if length < 65536:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")


def socket_options() -> dict[str, Any]:
    """What uvicorn is to be told of sockets."""
    return {
        "ws": FrameProtocol,
        "ws_max_size": LARGEST,
        "ws_ping_interval": PING_SECONDS,
        "ws_ping_timeout": PING_SECONDS,
        "ws_per_message_deflate": False,  # it costs memory and time for each client, and saves nothing on short texts
    }
