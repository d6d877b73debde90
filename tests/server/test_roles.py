"""Roles: what each may do, and that the table is closed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import UnknownNameError
from candlewick.server.roles import ADMIN, BELOW, NEEDED, OPEN, ROLES, find_role, needed, smallest, suffices


@pytest.mark.parametrize(
    ("method", "path", "roles"),
    [
        ("GET", "/v1/candles/BTC/USD", "viewer ingest operator admin"),
        ("HEAD", "/v1/candles/SPY", "viewer ingest operator admin"),
        ("GET", "/metrics", "viewer ingest operator admin"),
        ("WEBSOCKET", "/v1/stream", "viewer ingest operator admin"),
        ("POST", "/v1/candles", "ingest admin"),
        ("PUT", "/v1/flags", "operator admin"),
        ("GET", "/v1/keys", "admin"),
        ("POST", "/v1/keys", "admin"),
        ("DELETE", "/v1/keys/0123abcd", "admin"),
        ("DELETE", "/v1/candles/SPY", "admin"),
        ("POST", "/v1/candles/SPY", "admin"),
        ("GET", "/v1/candles", "viewer ingest operator admin"),
        ("OPTIONS", "/v1/candles/SPY", "admin"),
        ("GET", "/", "admin"),
    ],
)
def test_who_may(method, path, roles):
    need = needed(method, path)
    assert [role for role in ROLES if suffices(role, need)] == roles.split()
    assert smallest(need) == roles.split()[0]


def test_only_that_it_is_alive_is_told_to_everybody():
    assert [path for (_, path), need in NEEDED.items() if need == OPEN] == ["/health/live", "/v1/health/live"]
    assert OPEN not in [need for _, _, need in BELOW]
    assert suffices("viewer", OPEN)
    assert smallest(OPEN) == "viewer"


@given(st.text(max_size=10), st.text(max_size=30))
def test_what_is_not_listed_needs_admin(method, path):
    listed = any(path.startswith(begin) for _, begin, _ in BELOW) or path in [one for _, one in NEEDED]
    assert listed or needed(method, path) == ADMIN
    assert listed or needed("GET", path) == ADMIN


def test_a_larger_role_may_whatever_a_smaller_one_may():
    assert ROLES["viewer"] < ROLES["ingest"] < ROLES["admin"]
    assert ROLES["viewer"] < ROLES["operator"] < ROLES["admin"]


def test_roles_are_a_closed_set():
    assert find_role("operator") == "operator"
    with pytest.raises(UnknownNameError, match="role: 'view' is unknown; nearest: viewer"):
        find_role("view")
