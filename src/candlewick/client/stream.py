"""Stream: live bars of one or several series over a WebSocket that is opened again whenever it is lost.

1. `_messages` gives what the server says, connection after connection; each is told from where to go on.
2. What a message means is decided by `Followed`, which touches nothing; what it wants read is read with GET (`_bars`).
3. A failure that may pass, of the connection or of such a reading, ends the connection and begins the next one.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from candlewick.client.address import Address
from candlewick.client.again import PASSING, PassingError, pause, retry_after
from candlewick.client.connection import CONNECT_SECONDS
from candlewick.client.followed import Followed, Reading
from candlewick.client.served_answer import ServedAnswer
from candlewick.client.streamed_bar import StreamedBar
from candlewick.errors import (
    CandlewickError,
    DeadlineError,
    OverloadedError,
    RateLimitError,
    ServiceError,
    StoreBusyError,
    UnreachableError,
)
from candlewick.server.problem import error_of

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

LARGEST_MESSAGE = 256 * 1_048_576
"""Bytes; a snapshot of many bars is large."""
CLOSE_SECONDS = 1.0
"""For the server to answer that the connection ends."""

ENDING = ("refused", "key_revoked", "failed")
"""Reasons of a `bye` after which coming again would change nothing."""

Read = Callable[[str, Mapping[str, Any], int | None, int | None], ServedAnswer]
"""Bars of a symbol from one time to before another, in microseconds."""


class BarStream:
    """An iterator of `StreamedBar`, and a context manager that closes it; made by ``Client.stream``.

    A forming bar comes again whenever it changed, and once as final; a slow reader misses forming ones only. Bars that
    change later are read again and come marked ``corrected``, those that went away ``removed``, and what the server
    left out is filled in: the last bar given for each time is what a fresh read would give.

    A lost connection is made anew, for as long as it takes, and nothing is given twice or left out in between. Raises
    UnreachableError when the first connection fails for the client's whole timeout, and what the server refuses: an
    unknown symbol, a key that does not suffice. ``close`` may be called from another thread: the iteration then ends.
    """

    def __init__(
        self,
        address: Address,
        read: Read,
        symbols: tuple[str, ...],
        asked: Mapping[str, Any],
        since: Mapping[str, StreamedBar],
        timeout: float,
    ) -> None:
        self._address = address
        self._read = read
        self._asked = dict(asked)
        # By the name of the subscription: a symbol may be longer than those are.
        self._followed = {
            str(at): Followed(name, asked["timeframe"], since.get(name)) for at, name in enumerate(symbols)
        }
        self._timeout = timeout
        self._closed = threading.Event()
        self._socket: ClientConnection | None = None
        self._lost: PassingError | None = None
        self._bar = self._bars()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> StreamedBar:
        return next(self._bar)

    def close(self) -> None:
        """End the stream. Closing twice is harmless."""
        self._closed.set()
        open_one = self._socket
        if open_one is not None:
            open_one.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bars(self) -> Iterator[StreamedBar]:
        with closing(self._messages()) as messages:
            for message in messages:
                yield from self._meant(message)

    def _meant(self, message: Mapping[str, Any]) -> Iterator[StreamedBar]:
        followed = self._followed.get(str(message.get("id")))
        if followed is None:
            return
        try:
            for found in followed.take(message):
                if isinstance(found, StreamedBar):
                    yield found
                    continue
                answer = self._again(followed.symbol, found)
                if answer is None:
                    return  # the connection is given up too, and the next one begins where this was
                yield from followed.reading(found, answer)
        except CandlewickError:  # some of which are a KeyError or a ValueError
            raise
        except (KeyError, TypeError, ValueError) as error:
            problem = f"what it streams cannot be understood: {type(error).__name__}: {error}"
            raise UnreachableError(self._address.url, problem) from error

    def _again(self, symbol: str, reading: Reading) -> ServedAnswer | None:
        end = None if reading.end is None else reading.end * 1000
        try:
            return self._read(symbol, self._asked, reading.start * 1000, end)
        except (UnreachableError, OverloadedError, DeadlineError, RateLimitError, StoreBusyError) as error:
            self._lost = PassingError(error)
            return None

    def _messages(self) -> Generator[dict[str, Any], None, None]:
        """What the server says; connections begin anew in between."""
        attempts, first, started = 0, True, time.monotonic()
        while not self._closed.is_set():
            self._lost = None
            try:
                with self._connected() as connection:
                    for message in self._heard(connection):
                        attempts, first = 0, False
                        yield message
                        if self._lost is not None:
                            raise self._lost
            except PassingError as passing:
                attempts += 1
                wait = pause(attempts, passing.retry_after, random.random())
                if first and time.monotonic() + wait > started + self._timeout:
                    raise passing.error from passing.__cause__
                self._closed.wait(wait)

    @contextmanager
    def _connected(self) -> Iterator[ClientConnection]:
        """A connection that has asked for every series. Raises PassingError where it cannot be had or is lost, and
        what the server refuses."""
        from websockets.exceptions import InvalidStatus, WebSocketException
        from websockets.sync.client import connect

        where = self._address
        limit = min(self._timeout, CONNECT_SECONDS)
        try:
            # A socket of our own is one that follows no redirect and asks no proxy.
            plain = socket.create_connection((where.host, where.port), limit)
            with connect(
                where.stream,
                sock=plain,
                additional_headers=where.headers,
                open_timeout=max(limit, 10.0),
                close_timeout=CLOSE_SECONDS,
                max_size=LARGEST_MESSAGE,
                compression=None if where.near else "deflate",
            ) as connection:
                self._socket = connection
                if self._closed.is_set():  # meanwhile, by another thread
                    connection.close()
                connection.send(self._subscription())
                yield connection
        except CandlewickError:  # some of which are an OSError
            raise
        except (OSError, ValueError, WebSocketException) as error:
            # A redirect, which is not followed, becomes an error of this or that kind, behind which it stands.
            behind: BaseException | None = error
            while behind is not None and not isinstance(behind, InvalidStatus):
                behind = behind.__cause__ or behind.__context__
            if behind is not None:
                raise self._refusal(behind) from error
            if isinstance(error, ValueError):
                raise
            raise PassingError(self._unreachable(error)) from error
        finally:
            self._socket = None

    def _subscription(self) -> str:
        import msgspec

        wanted = []
        for name, followed in self._followed.items():
            followed.connected()
            one = {"id": name, "symbol": followed.symbol, **self._asked, "since": followed.since}
            if followed.since is not None:
                del one["bars"]  # it says how many come at the beginning, not after a connection was lost
            wanted.append({name: value for name, value in one.items() if value is not None})
        return msgspec.json.encode({"subscribe": wanted}).decode()

    def _heard(self, connection: ClientConnection) -> Iterator[dict[str, Any]]:
        """The messages of one connection. Raises what the server refuses, and PassingError at its end."""
        for text in connection:
            message = self._decoded(text)
            if message["kind"] == "refused":
                raise self._told(message.get("problem"), "the server refused it")
            if message["kind"] == "bye":
                raise self._farewell(message)
            yield message
        if not self._closed.is_set():
            raise PassingError(UnreachableError(self._address.url, "it closed the stream"))

    def _farewell(self, message: Mapping[str, Any]) -> Exception:
        reason = message.get("reason")
        error = self._told(message.get("detail"), f"the server ended it: {reason}")
        return error if reason in ENDING else PassingError(error)

    def _told(self, problem: Any, otherwise: str) -> CandlewickError:
        if isinstance(problem, dict):
            return error_of(problem)
        return ServiceError(f"stream: {otherwise}{'' if problem is None else f': {problem}'}")

    def _decoded(self, text: str | bytes) -> dict[str, Any]:
        import msgspec

        try:
            message = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise UnreachableError(self._address.url, "what it streams is no JSON") from error
        if not isinstance(message, dict) or not isinstance(message.get("kind"), str):
            raise UnreachableError(self._address.url, "what it streams are no messages")
        return message

    def _refusal(self, error: Any) -> Exception:
        """What an answer of HTTP means, where a stream was asked for."""
        import msgspec

        response = error.response
        found: CandlewickError
        try:
            told = msgspec.json.decode(response.body or b"")
            found = error_of(told) if isinstance(told, dict) else self._unreachable(error)
        except msgspec.DecodeError:
            found = self._unreachable(error)
        passing = response.status_code in PASSING or response.status_code >= 500  # a proxy whose server starts anew
        return PassingError(found, retry_after(response.headers.get("Retry-After"))) if passing else found

    def _unreachable(self, error: Exception) -> UnreachableError:
        return UnreachableError(self._address.url, str(error) or type(error).__name__)
