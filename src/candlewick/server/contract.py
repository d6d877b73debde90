"""Contract: what the OpenAPI document says of every operation, so that a route says in a line what it answers.

A route names its parameters (`query`, `path`, `header`), its answers (`answers`) and the statuses of the problems that
it has of its own (`problems`); those that any request may meet are added to all of them (`completed`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from candlewick.server.problem import CONTENT_TYPE
from candlewick.server.schemas import SCHEMAS, TEXT, Schema, ref

Described = dict[str, Any]
Responses = dict[int | str, Described]

TITLES = {
    400: "Something that was given cannot be used.",
    401: "A key is needed; the one that was sent is not valid, or none was.",
    403: "The key's role does not suffice; or Host or Origin are not this server's.",
    404: "There is nothing of that name.",
    406: "No form of the answer fits what the request accepts.",
    409: "Refused while the rollout is killed.",
    413: "More bars than the limit, or a body that is too large.",
    415: "A body of a kind that is not known.",
    429: "More requests with this key than its rate allows.",
    500: "An engine failed and no other one could answer, or a defect; the server's log has it.",
    503: "Too many requests wait already, or the store cannot do it now.",
    504: "Not done in the time given.",
}
"""Each status of a problem, in words."""

COMMON = (401, 403, 429, 503, 504)
"""What any request may be told: at the door, or since the server has too much to do."""

WITH_RETRY = (429, 503)

_EXAMPLES: dict[int, tuple[str, str, str]] = {
    400: ("input", "Input cannot be used", "timeframe: '7x' is not valid; give whole minutes (1m, 5m, 90m)"),
    401: ("key-needed", "A key is needed", "a key is needed: send the header Authorization: Bearer KEY"),
    403: ("role", "The key's role does not suffice", "role: 'viewer' does not suffice; ingest does"),
    404: ("unknown-series", "Not in the store", "symbol: 'SPX' is not in the store; nearest: SPY"),
    406: ("input", "Input cannot be used", "Accept: 'text/html' fits no form; accept application/json"),
    409: ("killed", "The rollout is killed", "engine: 'optimized' is refused while the rollout is killed; use auto"),
    413: ("limit", "Answer larger than its limit", "limit: 77 is less than the 78 bars of the range"),
    415: ("input", "Input cannot be used", "Content-Type: 'text/plain' is not known; send text/csv"),
    429: ("rate-limit", "Too many requests", "more than 50 requests a second; come again in 1 s"),
    500: ("engine", "An engine failed", "engine classic failed: MemoryError"),
    503: ("overloaded", "Too many requests wait already", "overloaded: 256 requests wait already; come again in 1 s"),
    504: ("deadline", "Not done in the time given", "deadline: not done within 30 s"),
}


def query(name: str, about: str, schema: Schema | None = None, *, required: bool = False, example: Any = None) -> Any:
    """A parameter of the query."""
    return _parameter("query", name, about, schema, required, example)


def path(name: str, about: str, schema: Schema | None = None, *, example: Any = None) -> Any:
    """A part of the path."""
    return _parameter("path", name, about, schema, True, example)


def header(name: str, about: str, schema: Schema | None = None, *, example: Any = None) -> Any:
    """A header of the request."""
    return _parameter("header", name, about, schema, False, example)


def answers(
    schema: str | Schema,
    about: str,
    *,
    example: Any = None,
    media: str = "application/json",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Responses:
    """A response that is no problem. ``schema``: the name of one of `SCHEMAS`, or itself; the example is that of the
    schema unless another is given."""
    found = ref(schema) if isinstance(schema, str) else schema
    content: Described = {"schema": found} | ({} if example is None else {"example": example})
    described: Described = {"description": about, "content": {media: content}}
    if headers:
        described["headers"] = {name: {"description": text, "schema": TEXT} for name, text in headers.items()}
    return {status: described}


def body(media: str, schema: str) -> Described:
    """The body of a request. ``schema``: the name of one of `SCHEMAS`."""
    return {"required": True, "content": {media: {"schema": ref(schema)}}}


def problems(*statuses: int) -> Responses:
    """Responses that are problem documents."""
    return {status: _problem(status) for status in statuses}


def completed(document: Described) -> Described:
    """The framework's document with the schemas and with what any operation may answer."""
    components = document.setdefault("components", {})
    components["schemas"] = SCHEMAS
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "Needed on any address but this machine's own."}
    }
    for operation in _operations(document):
        responses = operation["responses"]
        responses.pop("422", None)  # the framework's own, which is told as 400
        for status in COMMON:
            responses.setdefault(str(status), _problem(status))
        operation["responses"] = dict(sorted(responses.items()))
        for described in (operation.get("requestBody", {}), *responses.values()):
            for content in described.get("content", {}).values():
                _exemplify(content)
        operation.setdefault("security", [{}, {"key": []}])
    return document


def _exemplify(content: Described) -> None:
    """Here rather than in the route, since the framework drops what is null in an example."""
    schema = content.get("schema", {})
    name = (schema if "$ref" in schema else schema.get("items", {})).get("$ref", "").rpartition("/")[2]
    if name and "example" not in content:
        example = SCHEMAS[name]["example"]
        content["example"] = example if "$ref" in schema else [example]


def _operations(document: Described) -> Iterable[Described]:
    for methods in document.get("paths", {}).values():
        yield from methods.values()


def _parameter(
    where: str, name: str, about: str, schema: Schema | None, required: bool, example: Any
) -> dict[str, Any]:
    found = {"name": name, "in": where, "required": required, "description": about, "schema": schema or TEXT}
    return found if example is None else found | {"example": example}


def _problem(status: int) -> Described:
    kind, title, detail = _EXAMPLES[status]
    example = {"type": f"urn:candlewick:problem:{kind}", "title": title, "status": status, "detail": detail}
    described: Described = {
        "description": TITLES[status],
        "content": {CONTENT_TYPE: {"schema": ref("Problem"), "example": example}},
    }
    if status in WITH_RETRY:
        described["headers"] = {
            "Retry-After": {"description": "Seconds after which to come again.", "schema": {"type": "integer"}}
        }
    return described
