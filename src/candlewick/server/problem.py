"""Problem documents (RFC 9457): an error of `candlewick.errors` as JSON for HTTP, and back again for the client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from candlewick.errors import (
    AccessError,
    CandlewickError,
    DeadlineError,
    EngineError,
    FileFormatError,
    HistoryError,
    HorizonError,
    InputError,
    KeyNeededError,
    KilledError,
    LimitError,
    MissingColumnError,
    NaiveTimeError,
    OverloadedError,
    RateLimitError,
    RoleError,
    ServiceError,
    StateError,
    StoreBusyError,
    StoreError,
    StoreUnavailableError,
    StoreVersionError,
    UnknownNameError,
    UnknownSeriesError,
)

CONTENT_TYPE = "application/problem+json"
URN = "urn:candlewick:problem:"

KINDS: dict[str, tuple[type[CandlewickError], int, str]] = {
    "limit": (LimitError, 413, "Answer larger than its limit"),
    "unknown-name": (UnknownNameError, 400, "Unknown name"),
    "naive-time": (NaiveTimeError, 400, "Time without a timezone"),
    "missing-column": (MissingColumnError, 400, "Column is missing"),
    "file-format": (FileFormatError, 400, "Not what it says it is"),
    "history": (HistoryError, 410, "No longer known"),
    "horizon": (HorizonError, 400, "Time beyond the calendar"),
    "state": (StateError, 400, "State does not fit"),
    "input": (InputError, 400, "Input cannot be used"),
    "unknown-series": (UnknownSeriesError, 404, "Not in the store"),
    "key": (KeyNeededError, 401, "A key is needed"),
    "role": (RoleError, 403, "The role does not suffice"),
    "rate": (RateLimitError, 429, "Too many requests"),
    "access": (AccessError, 403, "Not allowed"),
    "killed": (KilledError, 409, "The rollout is killed"),
    "overloaded": (OverloadedError, 503, "Too many requests wait already"),
    "deadline": (DeadlineError, 504, "Not done in the time given"),
    "engine": (EngineError, 500, "An engine failed"),
    "service": (ServiceError, 503, "The service cannot answer now"),
    "store-busy": (StoreBusyError, 503, "Another process owns the store"),
    "store-unavailable": (StoreUnavailableError, 503, "The database does not answer now"),
    "store-version": (StoreVersionError, 503, "The store is of a newer version"),
    "store": (StoreError, 503, "The store cannot do it"),
    "error": (CandlewickError, 500, "It failed"),
}
"""The last part of a problem's type to the error that it tells of, its status and its title; narrower ones first."""

MEMBERS = (
    "parameter",
    "value",
    "expected",
    "problem",
    "nearest",
    "column",
    "bars",
    "seconds",
    "retry_after",
    "engine",
    "kind",
    "owner",
    "role",
    "kept_from",
)
"""What an error carries beyond its text."""


@dataclass(frozen=True)
class Problem:
    """A response that says what went wrong: ``document`` is its JSON, ``headers`` go with it."""

    status: int
    document: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> bytes:
        """The document's bytes."""
        import msgspec

        return msgspec.json.encode(self.document)


class Refusal(Exception):
    """An error that HTTP has a status of its own for, such as 415: raised and answered inside the server."""

    def __init__(self, status: int, error: CandlewickError, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.error = error
        self.headers = dict(headers or {})
        super().__init__(str(error))


def problem_of(error: CandlewickError, status: int | None = None) -> Problem:
    """The problem document of an error; ``status`` overrides what its kind has."""
    name, (_, usual, title) = next(item for item in KINDS.items() if isinstance(error, item[1][0]))
    document = {"type": URN + name, "title": title, "status": status or usual, "detail": str(error)}
    document |= {member: _plain(getattr(error, member)) for member in MEMBERS if hasattr(error, member)}
    return Problem(status or usual, document, _headers(error))


def refusal_of(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Problem:
    """The problem document of what HTTP itself has a name for, such as 404 of an address or 405 of a method."""
    from http import HTTPStatus

    title = HTTPStatus(status).phrase
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Problem(status, document, dict(headers or {}))


def defect() -> Problem:
    """What a caller is told of an error that nobody raised on purpose: nothing of its inside."""
    return refusal_of(500, "an error that candlewick does not know; the server's log has it")


def error_of(document: Mapping[str, Any]) -> CandlewickError:
    """The error that a problem document tells of, of the same type and with the same text and members."""
    name = str(document.get("type", "")).removeprefix(URN)
    detail = str(document.get("detail") or document.get("title") or "the server answered with an error")
    kind = KINDS[name][0] if name in KINDS else ServiceError
    error = kind.__new__(kind, detail)
    error.args = (detail,)
    for member in MEMBERS:
        if member in document:
            setattr(error, member, document[member])
    if isinstance(error, UnknownSeriesError):
        error.message = detail
    return error


def _headers(error: CandlewickError) -> dict[str, str]:
    if isinstance(error, OverloadedError | RateLimitError | StoreUnavailableError):
        return {"Retry-After": str(max(1, round(error.retry_after)))}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, KeyNeededError) else {}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value)
