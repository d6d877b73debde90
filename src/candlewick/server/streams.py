"""Streams: every client that follows series over a WebSocket, and what the hub has for them.

1. The hub's threads hand messages over (`_deliver`); while the event loop is behind, they wait, and so compute less.
2. In the event loop each message goes into the outbox of each follower (`_hand_out`): nobody waits for anybody.
3. A client whose outbox overflows is told `slow` and dropped.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from threading import Semaphore
from typing import TYPE_CHECKING

from candlewick.errors import CandlewickError, OverloadedError
from candlewick.live.hub import Follower, Hub
from candlewick.live.message import BYE, FINAL, FORMING, GAP, REFUSED, REVISION, SNAPSHOT, Message, refused
from candlewick.server.application import Application
from candlewick.server.problem import Problem, defect, problem_of

if TYPE_CHECKING:
    from starlette.types import Scope

    from candlewick.server.stream_client import StreamClient

MOST_CLIENTS = 2000
MOST_SUBSCRIPTIONS = 200
"""For each client."""

BEHIND = 64
"""Batches of messages on their way into the event loop, at most."""

WATCH_SECONDS = 1.0
"""How often it is looked whether the keys of clients still hold."""

COUNTED = (SNAPSHOT, FORMING, FINAL, REVISION, GAP, REFUSED, BYE)


class Streams:
    """Used in the event loop of the server, but for what says otherwise. ``holds`` says of a socket's scope whether it
    may stay. The hub begins with the first client."""

    def __init__(self, application: Application, holds: Callable[[Scope], bool]) -> None:
        self._application = application
        self._holds = holds
        self._hub: Hub | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients: dict[StreamClient, None] = {}
        self._room = Semaphore(BEHIND)
        self._watch: asyncio.Task[None] | None = None
        self._ending = self._closed = False
        self._sent: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
        self._dropped = self._timed = 0
        self._seconds = 0.0
        application.monitor.watch("live", self.stats)

    @property
    def ending(self) -> bool:
        """True when the server ends: nobody new is let in."""
        return self._ending

    def enter(self, client: StreamClient) -> None:
        """A client is there. Raises OverloadedError when there are too many."""
        if len(self._clients) >= MOST_CLIENTS:
            raise OverloadedError(len(self._clients), 5.0)
        if self._hub is None:
            self._loop = asyncio.get_running_loop()
            self._hub = Hub(self._application, self._deliver, self._refuse)
        self._clients[client] = None
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._look_at_keys())

    def exit(self, client: StreamClient) -> None:
        """A client went away."""
        self._clients.pop(client, None)
        if not self._clients and self._watch is not None:
            self._watch.cancel()
            self._watch = None

    @property
    def hub(self) -> Hub:
        """What computes; there is one as soon as a client has entered."""
        if self._hub is None:
            raise RuntimeError("no client has entered")
        return self._hub

    def sent(self, messages: Sequence[Message]) -> None:
        """Messages left for a client."""
        now = time.monotonic()
        for message in messages:
            self._sent[message.kind] += 1
            if message.written is not None:
                self._timed += 1
                self._seconds += now - message.written

    def dropped(self) -> None:
        """A client was too slow."""
        self._dropped += 1

    def drain(self) -> None:
        """Say goodbye to everybody. May be called from a signal's handler."""
        self._ending = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end_all)

    async def farewell(self, seconds: float) -> None:
        """Wait until every client has been told, for so long at most."""
        end = time.monotonic() + seconds
        while self._clients and time.monotonic() < end:
            await asyncio.sleep(0.01)

    def stats(self) -> dict[str, float]:
        """Figures for the monitor. From any thread."""
        empty = {"series": 0, "subscriptions": 0, "looks": 0, "failed_looks": 0, "waiting": 0}
        return {
            "clients": len(self._clients),
            **(empty if self._hub is None else self._hub.stats()),
            **{f"messages_{kind}": count for kind, count in self._sent.items()},
            "dropped_clients": self._dropped,
            "write_to_sent_seconds": self._seconds,
            "write_to_sent_messages": self._timed,
        }

    def close(self) -> None:
        """Let go of the hub's threads."""
        self._ending = self._closed = True
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._hub is not None:
            self._hub.close(1.0)

    def _deliver(self, followers: Sequence[Follower], messages: Sequence[Message], asked: bool) -> None:
        """In a thread of the hub."""
        while not self._room.acquire(timeout=0.2):
            if self._closed:
                return
        self._soon(self._hand_out, followers, messages, asked)

    def _refuse(self, follower: Follower, error: Exception) -> None:
        """In a thread of the hub."""
        self._soon(self._turn_down, follower, problem_for(error))

    def _soon(self, call: Callable[..., None], *arguments: object) -> None:
        if self._loop is not None and not self._closed and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *arguments)

    def _hand_out(self, followers: Sequence[Follower], messages: Sequence[Message], asked: bool) -> None:
        self._room.release()
        for follower in followers:
            if follower.active:
                follower.to.put(follower, messages, asked)

    def _turn_down(self, follower: Follower, problem: Problem) -> None:
        follower.to.turned_down(follower, refused(problem.json()))

    def _end_all(self) -> None:
        for client in list(self._clients):
            client.end("stopping")

    async def _look_at_keys(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for client in list(self._clients):
                if not self._holds(client.scope):
                    client.end("key_revoked")


def problem_for(error: Exception) -> Problem:
    """What a client is told of an error: nothing of the inside of one that nobody raised on purpose."""
    return problem_of(error) if isinstance(error, CandlewickError) else defect()
