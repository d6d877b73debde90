"""Temporary server: an application over real HTTP on a free port of 127.0.0.1, for as long as a check needs it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from candlewick.errors import ServiceError
from candlewick.validator.factory import find_factory

if TYPE_CHECKING:
    import httpx

READY = 20.0
"""Seconds within which it must answer."""
PATIENCE = 30.0
"""Seconds that a request may take."""


@contextmanager
def served(application: Any, serve: str) -> Iterator[httpx.Client]:
    """A client of ``application`` served by the app that ``serve`` makes of it. The application stays open.

    Raises ServiceError when the server does not start.
    """
    import httpx
    import uvicorn

    config = uvicorn.Config(
        find_factory(serve)(application), log_config=None, access_log=False, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    door = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_run, args=(server, door), name="temporary server", daemon=True)
    thread.start()
    try:
        _wait_for(server, thread)
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        # Settings of this machine's proxies are not about a server of our own.
        with httpx.Client(base_url=address, timeout=PATIENCE, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(READY)
        door.close()


def _run(server: Any, door: socket.socket) -> None:
    try:
        server.run(sockets=[door])
    except SystemExit:
        return  # how it ends when it cannot start: whoever waits for it sees that


def _wait_for(server: Any, thread: threading.Thread) -> None:
    until = time.monotonic() + READY
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise ServiceError(f"server: the temporary server did not start within {READY:g} s")
        time.sleep(0.01)
