"""Connection: requests to one server, tried again where that is safe, with its problem documents turned into errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from candlewick.client.address import Address
from candlewick.client.again import PASSING, PassingError, retry_after, until
from candlewick.errors import CandlewickError, DeadlineError, ServiceError, UnreachableError
from candlewick.server.problem import CONTENT_TYPE, error_of

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 5.0
"""For one attempt to reach the server."""

Content = bytes | BinaryIO


@dataclass(frozen=True)
class Reply:
    """What came back: its status, its headers by lower-case name, and its body, unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The content type, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().casefold()


class Connection:
    """Requests to the server at ``address``. May be used from several threads.

    ``timeout``: seconds that a call may take, further attempts included. ``retries``: whether there are any.
    Redirects are not followed, so a key reaches nobody else.
    """

    def __init__(
        self, address: Address, timeout: float, *, retries: bool = True, transport: httpx.BaseTransport | None = None
    ) -> None:
        import httpx

        self.address = address
        self._timeout = timeout
        self._retries = retries
        packing = {"Accept-Encoding": "identity"} if address.near else {}
        # Proxies of the environment are for the world, not for this machine. Certificates take a twentieth of a second
        # to read, and no redirect leads from HTTP to where they are needed.
        self._http = httpx.Client(
            headers=packing, transport=transport, trust_env=False, follow_redirects=False, verify=address.secure
        )

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: Callable[[], Content] | None = None,
        again: bool = True,
        timeout: float | None = None,
        key: bool = True,
    ) -> Reply:
        """A reply of status 200 or 304. ``content`` gives the body anew for each attempt; ``again``: whether a second
        attempt is safe; ``key``: whether the key is sent.

        Raises what the server's problem document tells of, UnreachableError where none answers, and DeadlineError.
        """
        import stamina

        seconds = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + seconds
        sent = dict(headers or {}) | (self.address.headers if key else {})
        decide = until(deadline, time.monotonic) if again and self._retries else _never
        try:
            for attempt in stamina.retry_context(on=decide, attempts=None, timeout=None):
                with attempt:
                    reply = self._once(method, path, params, sent, content, deadline, seconds)
                    if reply.status not in (200, 304) or reply.kind == CONTENT_TYPE:
                        raise self._failure(reply, f"{method} {path}")
        except PassingError as passing:
            raise passing.error from passing.__cause__
        return reply

    def json(self, method: str, path: str, **about: Any) -> Any:
        """The reply's JSON value; else as ``ask``."""
        return self.value(self.ask(method, path, **about).body, f"{method} {path}")

    def value(self, body: bytes, call: str) -> Any:
        """A body as JSON. Raises UnreachableError when it is none: then it is no candlewick server."""
        import msgspec

        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnreachableError(self.address.url, f"what it answered to {call} is no JSON") from error

    def fetch(self, path: str, to: BinaryIO, *, params: Mapping[str, str], timeout: float) -> None:
        """Write the body of a reply to a file, piece by piece; once, since it may be large. Raises as ``ask``."""
        import httpx

        limit = httpx.Timeout(timeout, connect=CONNECT_SECONDS)
        url = self.address.url + path
        try:
            with self._http.stream("GET", url, params=params, headers=self.address.headers, timeout=limit) as response:
                if response.status_code != 200:
                    reply = Reply(response.status_code, response.headers, response.read())
                    failed = self._failure(reply, f"GET {path}")
                    raise failed.error if isinstance(failed, PassingError) else failed
                for piece in response.iter_bytes():
                    to.write(piece)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        content: Callable[[], Content] | None,
        deadline: float,
        seconds: float,
    ) -> Reply:
        import httpx

        left = max(0.001, deadline - time.monotonic())
        limit = httpx.Timeout(left, connect=min(left, CONNECT_SECONDS))
        body = None if content is None else content()
        try:
            with self._http.stream(
                method, self.address.url + path, params=params, headers=headers, content=body, timeout=limit
            ) as response:
                pieces = []
                for piece in response.iter_bytes():
                    pieces.append(piece)
                    if time.monotonic() > deadline:
                        raise DeadlineError(seconds)
                return Reply(response.status_code, response.headers, b"".join(pieces))
        except (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError) as error:
            raise PassingError(self._unreachable(error)) from error
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        finally:
            if body is not None and not isinstance(body, bytes):
                body.close()

    def _failure(self, reply: Reply, call: str) -> Exception:
        error: CandlewickError
        if reply.kind == CONTENT_TYPE:
            told = self.value(reply.body, call)
            error = error_of(told) if isinstance(told, dict) else ServiceError(f"server: {told!r}")
        else:
            moved = ", and redirects are not followed" if 300 <= reply.status < 400 else ""
            error = UnreachableError(self.address.url, f"it answered {reply.status} to {call}{moved}")
        if reply.status in PASSING:
            return PassingError(error, retry_after(reply.headers.get("retry-after")))
        return error

    def _unreachable(self, error: Exception) -> UnreachableError:
        return UnreachableError(self.address.url, str(error) or type(error).__name__)


def _never(_: Exception) -> bool:
    return False
