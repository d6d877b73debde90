"""Run: one process, one address, a graceful stop.

1. The socket is bound before anything else, so that port 0 is known and a port in use is told at once (`bind`).
2. SIGTERM or SIGINT closes the door: what has come in is answered, nothing new is taken (`_Server`).
3. The application is closed. Whatever hangs is left behind at `STOP_SECONDS`: an acknowledged write is on disk by then.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from candlewick.errors import InputError
from candlewick.server.application import Application
from candlewick.server.key import Key
from candlewick.server.lane import Limits
from candlewick.server.loopback import is_loopback
from candlewick.server.serving import Serving

if TYPE_CHECKING:
    from fastapi import FastAPI

    from candlewick.server.request_log import Line

log = logging.getLogger(__name__)

STOP_SECONDS = 4.5
"""From the signal to the end of the process, at most."""

FINISH_SECONDS = 3
"""Of these, for requests that have come in already."""

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses that mean all of this machine's, to the one at which the machine itself reaches them."""

FAREWELL_SECONDS = 1.0
"""For those who follow bars to be told that the server stops."""

LEFT_BEHIND = 3
"""Exit code when something hung."""

SWITCH_SECONDS = 0.0001
"""After which a thread that computes lets another one run: with Python's own 5 ms, each read and each write of the
event loop would wait so long for it, and answers that are at hand for all of them."""


def bind(host: str, port: int, *, shared: bool = False, listen: bool = True) -> socket.socket:
    """A listening socket; port 0 picks a free one. Raises InputError for an address that is not this machine's, for a
    port that is none and for one in use.

    ``shared``: other processes of this user may listen there too. Without ``listen`` it only holds the port.
    """
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise InputError("port", port, "give 0 to 65535; 0 picks a free one", "is no port")
    name = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    # The protocol is said, since asyncio sends at once only where it knows that it is TCP: else the body of an answer
    # would wait some 40 ms for the caller's acknowledgement of its head.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((name, port))
        if listen:
            listening.listen(2048)
        return listening
    except OSError as error:
        listening.close()
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            expected = "give 127.0.0.1, an address of this machine, or 0.0.0.0 for all of them"
            raise InputError("host", host, expected, f"cannot be listened on: {error.strerror}") from error
        problem = f"cannot be listened on: {error.strerror}"
        raise InputError("port", port, "give another --port; 0 picks a free one", problem) from error


def check_keys(host: str, keys: Iterable[Key]) -> None:
    """Raises InputError when there is no valid key, without which nobody could come in."""
    if not any(one.valid for one in keys):
        expected = "make one first: candlewick keys create NAME --role admin"
        raise InputError("host", host, expected, "is served with keys only, and there is no valid key")


def address_of(listening: socket.socket) -> str:
    """The address at which this machine reaches a socket, such as http://127.0.0.1:8787."""
    host, port = listening.getsockname()[:2]
    host = ANY.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(
    application: Application,
    host: str = "127.0.0.1",
    port: int = 8787,
    *,
    ready: Callable[[str], None] | None = None,
    limits: Limits | None = None,
    require_keys: bool = False,
    rate: float = 0.0,
    log: Callable[[Line], None] | None = None,
    shared: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT, then answer what has come in, close the application and return.

    On any address but a loopback one, and with ``require_keys`` there too, every request needs a key, each at most
    ``rate`` times a second (0 is no limit); without a valid key there it raises InputError. ``log`` gets a line for
    each request. ``shared``: other processes listen at the same address. ``ready`` is called with the address once it
    answers. Must run in the main thread, where signals arrive. Should something hang, the process ends `STOP_SECONDS`
    after the signal with exit code `LEFT_BEHIND`.
    """
    from candlewick.server.http import create_app

    ending = _Ending()
    serving = None
    switch = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        with bind(host, port, shared=shared) as listening:
            # What it is bound to decides too: a name of this machine may be one that others reach.
            keyed = require_keys or not is_loopback(host) or not is_loopback(listening.getsockname()[0])
            if keyed:
                check_keys(host, application.keys.all())
            app = create_app(application, limits, keyed=keyed, rate=rate, log=log)
            serving = _serve(app, listening, ready, ending)
    finally:
        sys.setswitchinterval(switch)
        application.close()
        # A thread that still computes would keep the process from ending: then the timer stays.
        if serving is None or serving.idle:
            ending.cancel()


def _serve(
    app: FastAPI,
    listening: socket.socket,
    ready: Callable[[str], None] | None,
    ending: _Ending,
) -> Serving:
    import uvicorn

    from candlewick.server.frames import socket_options

    serving: Serving = app.state.serving
    address = address_of(listening)

    class _Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started and ready is not None:
                ready(address)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            await serving.streams.farewell(FAREWELL_SECONDS)  # before uvicorn closes every socket without a word
            await super().shutdown(sockets)

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            # uvicorn's own would raise the signal once more at the end, and so end the process by it.
            with _on_signals(self.stop):
                yield

        def stop(self) -> None:
            if self.should_exit:  # a second signal: somebody is in a hurry
                self.force_exit = True
                return
            serving.drain()
            self.should_exit = True
            ending.start()

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # anybody could say where a request came from
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=FINISH_SECONDS,
        lifespan="on",
        **socket_options(),
    )
    _Server(config).run([listening])
    return serving


class _Ending:
    """The end of the process, some seconds from now, unless it is called off."""

    def __init__(self) -> None:
        self._timer = threading.Timer(STOP_SECONDS, _leave)
        self._timer.daemon = True

    def start(self) -> None:
        self._timer.start()

    def cancel(self) -> None:
        self._timer.cancel()


def _leave() -> None:
    log.error("something hung: the process ends %g s after the signal all the same", STOP_SECONDS)
    logging.shutdown()
    os._exit(LEFT_BEHIND)


@contextmanager
def _on_signals(stop: Callable[[], None]) -> Iterator[None]:
    before: dict[signal.Signals, Any] = {}
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            before[number] = signal.signal(number, lambda *_: stop())
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
