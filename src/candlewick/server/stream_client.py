"""Stream client: one WebSocket: what it asks for, what waits for it, and how it ends.

Two tasks: one reads what the client asks for (`_listen`), one sends what waits (`_tell`). A subscription is asked of
the hub only when few others are under way, so that a client that asks for two hundred snapshots is sent them as it
reads them. The first reason to end is the one that the client is told.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from candlewick.errors import CandlewickError, InputError, UnknownNameError
from candlewick.live.hub import Follower
from candlewick.live.message import BYE, Message, refused
from candlewick.live.outbox import Outbox
from candlewick.live.subscription import Subscription
from candlewick.server.asked import fields
from candlewick.server.frames import EXTENSION
from candlewick.server.problem import Problem
from candlewick.server.streams import MOST_SUBSCRIPTIONS, Streams, problem_for
from candlewick.server.wanted import note

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

COMMANDS = ("subscribe", "unsubscribe")

PARAMETERS = {
    "symbol": "Symbol as stored.",
    "timeframe": "Length of a bar.",
    "indicators": "A preset such as desk, or a list such as sma(9),bollinger(20,2).",
    "bars": "Bars of the snapshot, or of the backfill.",
    "engine": "auto, classic or optimized; auto follows the rollout.",
    "since_revision": "Revision that is known already.",
    "since_time": "Open of the last final bar that is known, milliseconds.",
}

CODES = {"stopping": 1001, "slow": 1008, "refused": 1008, "key_revoked": 1008, "failed": 1011}
"""Reason of a `bye` to the code that the socket closes with."""

UNDER_WAY = 4
"""Subscriptions that are computed for one client at a time."""

ASKED_BYTES = 1 << 18
"""Bytes of snapshots that wait for a client, beyond which its next subscription waits."""

PIECE = 1 << 16
"""Bytes that are written at a time."""

BYE_SECONDS = 1.0
"""For a client that does not read to take its `bye`."""


class StreamClient:
    """One socket, accepted already. ``to`` of every follower of it is the client."""

    def __init__(self, streams: Streams, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._streams = streams
        self._receive = receive
        self._send = send
        self._socket: Any = scope.get("extensions", {}).get(EXTENSION)
        self._outbox = Outbox()
        self._news = asyncio.Event()
        self._less = asyncio.Event()
        self._followed: dict[str, Follower] = {}
        self._refused: deque[str] = deque(maxlen=MOST_SUBSCRIPTIONS)
        self._under_way: set[Follower] = set()
        self._end: asyncio.Future[tuple[str, Problem | None]] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Serve the client until it goes or is told to."""
        try:
            self._streams.enter(self)
        except CandlewickError as error:
            await self._say_bye("refused", problem_for(error))
            return
        tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._listen()), asyncio.ensure_future(self._tell())]
        try:
            if self._streams.ending:
                self.end("stopping")
            anything: list[asyncio.Future[Any]] = [*tasks, self._end]
            await asyncio.wait(anything, return_when=asyncio.FIRST_COMPLETED)
            self._ended(tasks)
        finally:
            for task in tasks:
                task.cancel()
            for follower in [*self._followed.values(), *self._under_way]:
                self._streams.hub.leave(follower)
            await asyncio.gather(*tasks, return_exceptions=True)
            try:
                if self._end.done():
                    await self._say_bye(*self._end.result())
            finally:
                self._streams.exit(self)

    def end(self, reason: str, problem: Problem | None = None) -> None:
        """Say `bye` and close; only the first reason counts."""
        if not self._end.done():
            if reason == "slow":
                self._streams.dropped()
            self._end.set_result((reason, problem))

    def put(self, follower: Follower, messages: Sequence[Message], asked: bool) -> None:
        """Messages for one subscription."""
        mark = msgspec.json.encode(follower.subscription.id)
        for message in messages:
            self._outbox.put(mark, message, asked=asked)
        if asked:
            self._done(follower)
        if self._outbox.overflown:
            self.end("slow")
        self._news.set()

    def turned_down(self, follower: Follower, message: Message) -> None:
        """A subscription cannot be served; the others go on."""
        self._followed.pop(follower.subscription.id, None)
        self._refused.append(follower.subscription.id)
        self.put(follower, [message], asked=True)

    def _ended(self, tasks: Sequence[asyncio.Future[Any]]) -> None:
        """A client that broke the rules, or a defect of ours, is told so; one that left is not."""
        for task in tasks:
            error = task.exception() if task.done() and not task.cancelled() else None
            if isinstance(error, CandlewickError):
                self.end("refused", problem_for(error))
            elif isinstance(error, Exception) and not isinstance(error, OSError):
                self.end("failed", problem_for(error))

    async def _listen(self) -> None:
        given = fields(self.scope["query_string"], PARAMETERS)
        if given:
            await self._subscribe(from_query(given))
        while (message := await self._receive())["type"] != "websocket.disconnect":
            for name, wanted in commands(message.get("text") or message.get("bytes") or "").items():
                for one in wanted:
                    if name == "subscribe":
                        await self._subscribe(one)
                    else:
                        self._unsubscribe(one)

    async def _subscribe(self, given: Any) -> None:
        while len(self._under_way) >= UNDER_WAY or self._outbox.asked > ASKED_BYTES:
            self._less.clear()
            await self._less.wait()
        try:
            subscription = Subscription.of(given)
            if subscription.id in self._followed:
                raise InputError("id", subscription.id, "give each subscription an id of its own", "is in use")
            if len(self._followed) >= MOST_SUBSCRIPTIONS:
                expected = f"follow at most {MOST_SUBSCRIPTIONS} series over one connection"
                raise InputError("subscribe", len(self._followed) + 1, expected, "series are too many")
        except CandlewickError as error:
            known = given.get("id")
            mark = msgspec.json.encode(known if isinstance(known, str) else "")
            if isinstance(known, str) and known not in self._followed:
                self._refused.append(known)
            self._outbox.put(mark, refused(problem_for(error).json()), asked=True)
            self._news.set()
            return
        note(self.scope, symbol=subscription.topic.symbol)
        follower = self._streams.hub.follow(subscription, self)
        self._followed[subscription.id] = follower
        self._under_way.add(follower)

    def _unsubscribe(self, name: Any) -> None:
        follower = self._followed.pop(name, None) if isinstance(name, str) else None
        if follower is None and name in self._refused:
            return  # the refusal and this crossed on their way
        if follower is None:
            raise UnknownNameError("unsubscribe", name, self._followed)
        self._streams.hub.leave(follower)
        self._outbox.forget(msgspec.json.encode(name))
        self._done(follower)

    def _done(self, follower: Follower) -> None:
        self._under_way.discard(follower)
        self._less.set()

    async def _tell(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while len(self._outbox):
                if self._socket is None:
                    await self._send_one()
                elif await self._send_piece():
                    return
                self._less.set()

    async def _send_one(self) -> None:
        one = self._outbox.pop()
        if one is not None:
            await self._send({"type": "websocket.send", "text": one.message.text(one.mark).decode()})
            self._streams.sent([one.message])

    async def _send_piece(self) -> bool:
        """Send what waits, some of it at a time; True when the client is gone."""
        await self._socket.ready()
        if self._socket.gone:
            return True
        texts: list[bytes] = []
        messages: list[Message] = []
        size = 0
        while size < PIECE and (one := self._outbox.pop()) is not None:
            texts.append(one.message.text(one.mark))
            messages.append(one.message)
            size += len(texts[-1])
        self._socket.write_texts(texts)
        self._streams.sent(messages)
        self._count(len(texts), size)
        await asyncio.sleep(0)  # a write that did not have to wait must not keep the loop from the others
        return False

    def _count(self, messages: int, size: int) -> None:
        known = self.scope.get("candlewick", {})
        note(self.scope, messages=known.get("messages", 0) + messages, bytes=known.get("bytes", 0) + size)

    async def _say_bye(self, reason: str, problem: Problem | None) -> None:
        """Tell the reason and close. A client that does not take it in time is let go without."""
        body: dict[str, Any] = {"kind": BYE, "reason": reason}
        if problem is not None:
            body["detail"] = problem.document
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(BYE_SECONDS):
                await self._send({"type": "websocket.send", "text": msgspec.json.encode(body).decode()})
                await self._send({"type": "websocket.close", "code": CODES[reason], "reason": reason})
                self._streams.sent([Message(BYE, b"")])
                return
        if self._socket is not None:
            self._socket.abort()


def commands(text: str | bytes) -> dict[str, list[Any]]:
    """What a frame of a client asks for. Raises InputError or UnknownNameError."""
    form = 'send {"subscribe": [{"symbol": "SPY", "timeframe": "5m"}]} or {"unsubscribe": ["id"]}'
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError("message", text[:80], form, f"is no JSON ({error})") from None
    if not isinstance(found, dict) or not found:
        raise InputError("message", found, form, "is not understood")
    for name, wanted in found.items():
        if name not in COMMANDS:
            raise UnknownNameError("member of a message", name, COMMANDS)
        kind = dict if name == "subscribe" else str
        if not isinstance(wanted, list) or not all(isinstance(one, kind) for one in wanted):
            raise InputError(name, wanted, form, "is not understood")
    return found


def from_query(given: Mapping[str, str]) -> dict[str, Any]:
    """A subscription as JSON has it, from query parameters. Raises InputError for a number that is none."""
    found: dict[str, Any] = {}
    since: dict[str, int] = {}
    for name, text in given.items():
        if name in ("bars", "since_revision", "since_time"):
            if not text.removeprefix("-").isdecimal() or len(text) > 18:
                raise InputError(name, text, "give a whole number")
            (found if name == "bars" else since)[name.removeprefix("since_")] = int(text)
        else:
            found[name] = text
    return found | ({"since": since} if since else {})
