"""Serving: what the routes share: the application, the lanes that its work runs in, and whether the end is near.

What is promised when more comes in than can be done:

1. Answers that are remembered need no thread and no place: they are given however long the queue is.
2. Health, metrics and status, flags and rollout, writes, and requests for many symbols each have threads and a queue of
   their own: none of them waits behind reads.
3. All other reads wait in one queue of ``Limits.queue`` places. When more than half of them are taken, that which is
   the least loss goes first: both engines compute one request a second at most, and a request that insists on
   ``engine=optimized`` is refused. What ``auto`` and ``classic`` ask for keeps its place up to the last one.
4. What is refused is told so at once: 503, and ``Retry-After`` says when to come again. Who waits is answered within
   ``Limits.seconds``, or told 504.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from candlewick.delivery.routing import OPTIMIZED
from candlewick.server.application import Application
from candlewick.server.door import Door
from candlewick.server.lane import Lane, Limits
from candlewick.server.streams import Streams

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

WATCH_SECONDS = 2.0
"""After which health and metrics say that they cannot be had, instead of waiting longer."""


class Serving:
    """One application being served. Each kind of work has threads of its own: requests never hold up ingest, control
    or health."""

    def __init__(self, application: Application, limits: Limits, door: Door) -> None:
        self.application = application
        self.door = door
        self.limits = limits
        self.streams = Streams(application, door.still_valid)
        self.draining = False
        self.started = time.time()
        self.pid = os.getpid()
        self.reads = Lane("read", limits.threads, limits.queue, limits.seconds)
        self.many = Lane("many", 2, 16, limits.seconds)
        self.ingests = Lane("ingest", 1, 8, 600.0, retry_after=5.0)
        self.backups = Lane("backup", 1, 2, 3600.0, retry_after=60.0)
        self.files = Lane("file", 2, 64, limits.seconds)
        self.control = Lane("control", 2, 32, limits.seconds)
        self.watch = Lane("watch", 2, 16, WATCH_SECONDS)
        self.explains = Lane("explain", 2, 16, limits.seconds)
        answering = (self.reads, self.many, self.ingests, self.files, self.control, self.watch, self.explains)
        self._lanes = (*answering, self.backups)
        application.monitor.watch("http_requests", self.reads.stats)
        application.ease(lambda: self.reads.pressed)

    @property
    def idle(self) -> bool:
        """True when no thread has anything to do."""
        return not any(lane.stats()["inside"] for lane in self._lanes)

    def check_room(self, engine: str) -> None:
        """Raise OverloadedError for what goes first when too much comes in: a request that insists on V2."""
        if engine == OPTIMIZED and self.reads.pressed:
            raise self.reads.refuse()

    def drain(self) -> None:
        """Be ready no more: what has come in is still answered, and who follows bars is told."""
        self.draining = True
        self.streams.drain()

    def close(self) -> None:
        """Let go of the threads."""
        self.streams.close()
        for lane in self._lanes:
            lane.close()


def serving_of(request: Request) -> Serving:
    """What serves this request."""
    found: Serving = request.app.state.serving
    return found


def answered(value: Any, status: int = 200) -> Response:
    """Plain values as a JSON response; what is not finite is null."""
    import msgspec
    from starlette.responses import Response

    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(value), status, headers, "application/json")
