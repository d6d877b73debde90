"""Wanted: a request for candles as it came in: what is asked, in which form, by whom, and what the caller has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from candlewick.errors import InputError
from candlewick.server.asked import Asked, asked
from candlewick.server.form import Form, form_of
from candlewick.service.served import Served

if TYPE_CHECKING:
    from starlette.types import Scope

PREFIX = "/v1/candles/"
"""What the path of such a request begins with; the symbol is the rest."""

PATTERN = "/v1/candles/{symbol}"
CLIENT = "x-candlewick-client"
LONGEST_CLIENT = 200

Headers = list[tuple[bytes, bytes]]

_CLIENT = CLIENT.encode()
_CONSTANT = (b"cache-control", b"no-cache"), (b"vary", b"Accept, Accept-Encoding, X-Candlewick-Client")
_FELL_BACK = {True: (b"x-candlewick-fallback", b"true"), False: (b"x-candlewick-fallback", b"false")}


class Wanted(NamedTuple):
    """``client``: the routing key given; ``condition``: ``If-None-Match`` as it came."""

    asked: Asked
    form: Form
    client: str | None
    condition: bytes | None


def wanted_of(scope: Scope) -> Wanted:
    """What a request for the candles of one symbol wants. Raises InputError, UnknownNameError, or Refusal (406)."""
    accept = encoding = client = condition = None
    for name, value in scope["headers"]:
        if name == b"accept":
            accept = value if accept is None else accept + b"," + value
        elif name == b"accept-encoding":
            encoding = value if encoding is None else encoding + b"," + value
        elif name == b"if-none-match":
            condition = value if condition is None else condition + b"," + value
        elif name == _CLIENT:
            client = value
    form = form_of(accept, encoding)
    return Wanted(asked(scope["path"][len(PREFIX) :], scope["query_string"]), form, client_of(client), condition)


def client_of(value: bytes | None) -> str | None:
    """A routing key. Raises InputError for one that is too long or empty."""
    if value is None:
        return None
    client = value.decode("latin-1")
    if not 0 < len(client) <= LONGEST_CLIENT:
        raise InputError("X-Candlewick-Client", client[:LONGEST_CLIENT], f"give 1 to {LONGEST_CLIENT} characters")
    return client


def reply(served: Served, wanted: Wanted) -> tuple[int, Headers, bytes]:
    """Status, headers and body: 304 without a body when the caller has that form of the answer already."""
    answer, form = served.answer, wanted.form
    body, coding = answer.encoded(form.kind, form.coding, form.least)
    tag = form.tag(f"{answer.engine}-{answer.revision}-{answer.fingerprint}", coding)
    headers = [
        (b"etag", tag.encode()),
        *_CONSTANT,
        (b"x-candlewick-arm", served.arm.encode()),
        (b"x-candlewick-cache", answer.cache.encode()),
        _FELL_BACK[served.fallback],
    ]
    if wanted.condition is not None and matches(wanted.condition.decode("latin-1"), tag):
        return 304, headers, b""
    if coding is not None:
        headers.append((b"content-encoding", coding.encode()))
    headers.append((b"content-type", form.media.encode()))
    headers.append((b"content-length", str(len(body)).encode()))
    return 200, headers, body


def matches(condition: str, tag: str) -> bool:
    """True when a caller's ``If-None-Match`` names this tag."""
    if condition.strip() == "*":
        return True
    return tag in [one.strip().removeprefix("W/") for one in condition.split(",")]


def note(scope: Scope, **about: Any) -> None:
    """Tell the outer layers, the log among them, what is known of a request by now."""
    known = scope.get("candlewick")
    if known is None:
        known = scope["candlewick"] = {}
    known.update(about)


def note_served(scope: Scope, served: Served) -> None:
    """Tell them which engine answered, and how."""
    answer = served.answer
    note(
        scope,
        symbol=answer.bars.symbol,
        engine=answer.engine,
        arm=served.arm,
        fallback=served.fallback,
        cache=answer.cache,
    )
