"""Serving: what the routes share: the application, the lanes that its work runs in, and whether the end is near."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from candlewick.server.application import Application
from candlewick.server.door import Door
from candlewick.server.lane import Lane, Limits

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
        self.draining = False
        self.started = time.time()
        self.pid = os.getpid()
        self.reads = Lane("read", limits.threads, limits.queue, limits.seconds)
        self.ingests = Lane("ingest", 1, 8, 600.0, retry_after=5.0)
        self.files = Lane("file", 2, 64, limits.seconds)
        self.control = Lane("control", 2, 32, limits.seconds)
        self.watch = Lane("watch", 2, 16, WATCH_SECONDS)
        self.explains = Lane("explain", 2, 16, limits.seconds)
        self._lanes = (self.reads, self.ingests, self.files, self.control, self.watch, self.explains)
        application.monitor.watch("http_requests", self.reads.stats)

    @property
    def idle(self) -> bool:
        """True when no thread has anything to do."""
        return not any(lane.stats()["inside"] for lane in self._lanes)

    def drain(self) -> None:
        """Be ready no more: what has come in is still answered."""
        self.draining = True

    def close(self) -> None:
        """Let go of the threads."""
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
