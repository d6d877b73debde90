"""Roles: what each may do, and what each address of the server needs. Closed: what is not listed here needs admin."""

from __future__ import annotations

from candlewick.errors import UnknownNameError

OPEN = "open"
"""What needs no key at all."""

READ, INGEST, OPERATE, ADMIN = "read", "ingest", "operate", "admin"

ROLES: dict[str, frozenset[str]] = {
    "viewer": frozenset({READ}),
    "ingest": frozenset({READ, INGEST}),
    "operator": frozenset({READ, OPERATE}),
    "admin": frozenset({READ, INGEST, OPERATE, ADMIN}),
}
"""Role to what it may do, smaller ones first."""

NEEDED: dict[tuple[str, str], str] = {
    ("GET", "/health/live"): OPEN,
    ("GET", "/v1/health/live"): OPEN,
    ("GET", "/health/ready"): READ,
    ("GET", "/v1/health/ready"): READ,
    ("GET", "/metrics"): READ,
    ("GET", "/v1/metrics"): READ,
    ("GET", "/v1/status"): READ,
    ("GET", "/v1/candles"): READ,
    ("GET", "/v1/symbols"): READ,
    ("GET", "/v1/indicators"): READ,
    ("GET", "/v1/splits"): READ,
    ("GET", "/v1/explain"): READ,
    ("GET", "/v1/flags"): READ,
    ("GET", "/v1/rollout"): READ,
    ("GET", "/openapi.json"): READ,
    ("GET", "/docs"): READ,
    ("WEBSOCKET", "/v1/stream"): READ,
    ("POST", "/v1/candles"): INGEST,
    ("PUT", "/v1/splits"): INGEST,
    ("PUT", "/v1/flags"): OPERATE,
    ("GET", "/v1/backup"): OPERATE,
}
"""Method and path to what they need."""

BELOW: tuple[tuple[str, str, str], ...] = (("GET", "/v1/candles/", READ),)
"""The same for every path that begins so: a symbol may hold any sign."""


def needed(method: str, path: str) -> str:
    """What a request needs: one of ``open``, ``read``, ``ingest``, ``operate``, ``admin``."""
    asked = "GET" if method == "HEAD" else method
    found = NEEDED.get((asked, path))
    if found is not None:
        return found
    for way, begin, need in BELOW:
        if asked == way and path.startswith(begin):
            return need
    return ADMIN


def suffices(role: str, need: str) -> bool:
    """Whether a role may do what is needed."""
    return need == OPEN or need in ROLES[role]


def smallest(need: str) -> str:
    """The smallest role that may do it, for those who are told what they lack."""
    return next(role for role, may in ROLES.items() if need == OPEN or need in may)


def find_role(role: str) -> str:
    """``role`` when there is one of that name. Raises UnknownNameError."""
    if role not in ROLES:
        raise UnknownNameError("role", role, ROLES)
    return role
