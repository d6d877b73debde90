"""RequestLog: one line for each request and each socket, when it ends; and an id by which to find it.

It costs some ten microseconds a request, of the 330 that one answer may take: the line is a struct, which becomes JSON
at once. What goes through structlog's processors would take five times as long.
"""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from candlewick.server.responses import pattern
from candlewick.server.wanted import PREFIX

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

WELL_FORMED = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
"""Ids of callers that are taken; any other is replaced, so that nobody writes into the log."""

LONGEST = 200
"""Characters of a path or symbol that are shown."""


class Line(msgspec.Struct, omit_defaults=True):
    """What is told of a request, in this order; what is not known of it is left out.

    ``path``: the pattern of the route, or the path as it was sent where no route fits; ``key``: the name of the key;
    ``ms``: from its coming in to the end of the answer; ``messages`` and ``closed``: of a socket, those sent to it and
    the code of its close, None where the other side just left.
    """

    time: str
    level: str
    event: str
    id: str
    method: str
    path: str
    status: int
    ms: float
    bytes: int
    symbol: str | None = None
    engine: str | None = None
    arm: str | None = None
    fallback: bool | None = None
    cache: str | None = None
    key: str | None = None
    role: str | None = None
    messages: int | None = None
    closed: int | None = None
    address: str | None = None


class RequestLog:
    """The outermost layer. ``log`` gets the lines; None writes none, and still hands out ids.

    ``scope["candlewick"]`` is there from here on, with ``request_id``.
    """

    def __init__(self, app: ASGIApp, log: Callable[[Line], None] | None = None) -> None:
        self._app = app
        self._log = log
        self._begin = secrets.token_hex(4)
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        about: dict[str, Any] = scope.setdefault("candlewick", {})
        about["request_id"] = number = self._id(scope)
        sent = _Sent(send, number)
        try:
            await self._app(scope, receive, sent)
        finally:
            if self._log is not None:
                self._log(_line(scope, about, sent, time.perf_counter() - started))

    def _id(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and WELL_FORMED.fullmatch(value):
                return str(value, "ascii")
        return f"{self._begin}-{next(self._count):x}"


class _Sent:
    """What is sent to one caller, handed on, and counted on its way."""

    __slots__ = ("_number", "_send", "closed", "messages", "size", "status")

    def __init__(self, send: Send, number: str) -> None:
        self._send = send
        self._number = number
        self.status = self.size = self.messages = 0
        self.closed: int | None = None

    def __call__(self, message: Message) -> Any:
        """The coroutine that sends it: another one around it would cost as much as all else here."""
        kind = message["type"]
        if kind == "http.response.body" or kind == "websocket.http.response.body":
            self.size += len(message.get("body", b""))
        elif kind == "websocket.send":
            self.messages += 1
            self.size += len(message.get("text") or message.get("bytes") or b"")
        elif kind == "websocket.close":
            self.closed = message.get("code", 1000)
        else:
            self.status = message.get("status", 101)
            # Another list: that of an answer that is remembered is not ours to change.
            headers = [*message.get("headers", ()), (b"x-request-id", self._number.encode())]
            message = {**message, "headers": headers}
        return self._send(message)


def _line(scope: Scope, about: dict[str, Any], sent: _Sent, seconds: float) -> Line:
    status = sent.status or (500 if sent.closed is None else 403)
    path, symbol = _place(scope, about)
    socket = scope["type"] == "websocket"
    known = about.get
    client = scope.get("client")
    return Line(
        now(),
        "info" if status < 500 else "error" if status == 500 else "warning",
        "request",
        about["request_id"],
        "WEBSOCKET" if socket else scope["method"],
        path,
        status,
        int(seconds * 1_000_000) / 1000,
        sent.size + known("bytes", 0),
        symbol,
        known("engine"),
        known("arm"),
        known("fallback"),
        known("cache"),
        known("key"),
        known("role"),
        sent.messages + known("messages", 0) if socket else None,
        sent.closed,
        client[0] if client else None,
    )


def _place(scope: Scope, about: dict[str, Any]) -> tuple[str, str | None]:
    route, symbol = pattern(scope), about.get("symbol")
    if route == "none":
        return _plain(scope.get("raw_path", b"").decode("latin-1")), None
    if symbol is None and scope["path"].startswith(PREFIX):
        symbol = scope["path"][len(PREFIX) :]
    return route, None if symbol is None else _plain(symbol)


def _plain(text: str) -> str:
    """What a terminal shows without harm."""
    shown = text[:LONGEST]
    return shown if shown.isprintable() else ascii(shown)[1:-1]


_THOUSANDTHS = tuple(f".{at:03d}Z" for at in range(1000))
_second: tuple[int, str] = (0, "")


def now() -> str:
    """The time, UTC, to the millisecond: 2024-01-02T14:30:00.123Z."""
    global _second  # a pair that is replaced whole: what is the same for a second is made once
    seconds, rest = divmod(time.time_ns() // 1_000_000, 1000)
    at, text = _second
    if at != seconds:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        _second = (seconds, text)
    return text + _THOUSANDTHS[rest]
