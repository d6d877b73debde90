"""Door: who may come in, decided before anything else looks at a request or a socket.

On a loopback address nobody needs a key, and only what asks for this machine by name comes in. On any other address,
and where keys are asked for:

1. A page of another site may not ask (`same_origin`), and no address may hold a key: addresses are written into logs.
2. A valid key whose role suffices for method and path (`roles.needed`), at no more than so many requests a second.

What a proxy says of where a request came from (``X-Forwarded-For``) is not looked at: anybody can say it.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from candlewick.errors import InputError, KeyNeededError, RateLimitError, RoleError
from candlewick.server.key import Key
from candlewick.server.key_ring import KeyRing
from candlewick.server.loopback import objection
from candlewick.server.problem import Problem, problem_of, refusal_of
from candlewick.server.rate import Rates
from candlewick.server.responses import tell
from candlewick.server.roles import OPEN, needed, smallest, suffices
from candlewick.server.wanted import note
from candlewick.settings import KEY_FORM

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

FAILED_RATE, FAILED_BURST = 1.0, 20.0
"""Attempts without a valid key that one address is answered in a second, and at once. They are not what keeps guessers
out, 256 bits do: a valid key from the same address still comes in."""

SCHEMES = {"http": 80, "https": 443}


class Door:
    """``keys``: those that come in, watched from now on; None on a loopback address, where nobody needs one.

    ``rate``: requests a second for each key, 0 is no limit.
    """

    def __init__(self, keys: KeyRing | None = None, rate: float = 0.0) -> None:
        self._keys = keys
        self._rates = Rates(rate)
        self._failed = Rates(FAILED_RATE, FAILED_BURST)
        if keys is not None:
            keys.watch()

    def admit(self, scope: Scope) -> Problem | None:
        """None when this may come in; whose key it is then stands in ``scope["candlewick"]``. Else what to answer."""
        if b"cw_" in scope["query_string"] or "cw_" in scope["path"]:
            refusal = _told_in_address(scope)
            if refusal is not None:
                return refusal
        if self._keys is not None:
            return self._with_key(scope, self._keys)
        reason = objection(scope["headers"])
        return None if reason is None else refusal_of(403, reason)

    def still_valid(self, scope: Scope) -> bool:
        """Whether what came in may stay: False within a second after its key was revoked. Takes a microsecond."""
        if self._keys is None:
            return True
        number = scope.get("candlewick", {}).get("key_id")
        return number is not None and self._keys.holds(number)

    def _with_key(self, scope: Scope, keys: KeyRing) -> Problem | None:
        hosts, origins, given = [], [], []
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"origin":
                origins.append(value)
            elif name == b"authorization":
                given.append(value)
        reason = _foreign(hosts, origins)
        if reason is not None:
            return refusal_of(403, reason)
        method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        need = needed(method, scope["path"])
        key = keys.find(_credential(given)) if given else None
        if need == OPEN and key is None:
            return None
        if keys.problem is not None:
            return problem_of(keys.refusal)
        if key is None:
            return self._refused(scope, bool(given))
        note(scope, key=key.name, key_id=key.id, role=key.role)
        return self._with_role(key, need, method, scope["path"])

    def _with_role(self, key: Key, need: str, method: str, path: str) -> Problem | None:
        seconds = self._rates.wait(key.id, time.monotonic())
        if seconds:
            return problem_of(RateLimitError("requests with this key", self._rates.rate, seconds))
        if not suffices(key.role, need):
            return problem_of(RoleError(key.role, smallest(need), f"{method} {path[:200]}"))
        return None

    def _refused(self, scope: Scope, given: bool) -> Problem:
        client = scope.get("client")
        seconds = self._failed.wait(client[0] if client else "", time.monotonic())
        if seconds:
            return problem_of(RateLimitError("attempts without a valid key", FAILED_RATE, seconds))
        return problem_of(KeyNeededError("the one that was sent is not valid" if given else "is needed"))


class Guarded:
    """Answers what may not come in; everything else goes on to ``app``."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._door.admit(scope)
        if problem is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await _turn_away(scope, receive, send, problem)
        else:
            # A body that nobody will read is not waited for.
            ending = {} if scope["method"] in ("GET", "HEAD") else {"Connection": "close"}
            await tell(send, Problem(problem.status, problem.document, problem.headers | ending))


async def _turn_away(scope: Scope, receive: Receive, send: Send, problem: Problem) -> None:
    """The problem as the answer to a socket's opening, where the server below can send one; else just a close."""
    await receive()
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": str(problem.document["title"])})
        return

    async def renamed(message: object) -> None:
        assert isinstance(message, dict)
        await send(message | {"type": f"websocket.{message['type']}"})

    await tell(renamed, problem)


def same_origin(origin: bytes, host: bytes) -> bool:
    """Whether a page of ``origin`` asks the server that it came from, which calls itself ``host`` in this request."""
    try:
        page = urlsplit(origin.decode("latin-1"))
        here = urlsplit(f"//{host.decode('latin-1')}")
        usual = SCHEMES.get(page.scheme)
        if usual is None or not page.hostname:
            return False
        return (page.hostname, page.port or usual) == (here.hostname, here.port or usual)
    except ValueError:
        return False


_same_origin = functools.lru_cache(maxsize=256)(same_origin)


def _foreign(hosts: list[bytes], origins: list[bytes]) -> str | None:
    if len(hosts) != 1:
        return f"Host: is given {len(hosts)} times; give it once"
    for origin in origins:
        if not _same_origin(origin, hosts[0]):
            return f"Origin: {origin[:200].decode('latin-1')!r} is another site; only this server's own pages may ask"
    return None


def _credential(given: list[bytes]) -> bytes:
    """The key of ``Authorization: Bearer KEY``; nothing, which is no key, in any other form or if given twice."""
    if len(given) != 1:
        return b""
    scheme, _, key = given[0].partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" else b""


def _told_in_address(scope: Scope) -> Problem | None:
    for part, text in (("query", scope["query_string"].decode("latin-1")), ("path", scope["path"])):
        if KEY_FORM.search(text):
            expected = "send it as the header Authorization: Bearer KEY, and revoke this one: logs may have it now"
            return problem_of(InputError(part, "(not shown)", expected, "holds a key"))
    return None
