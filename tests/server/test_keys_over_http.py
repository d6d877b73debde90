"""Keys over HTTP: made, listed and revoked."""

from __future__ import annotations

import pytest

from candlewick.errors import InputError, UnknownNameError
from candlewick.server.routes.keys import parsed_key
from candlewick.settings import KEY_FORM


def test_a_key_from_its_making_to_its_end(ask, application):
    made = ask("POST", "/v1/keys", json={"name": "desk", "role": "viewer", "why": "charts"})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    key = made.json()
    assert KEY_FORM.fullmatch(key.pop("key"))
    assert ask("GET", "/v1/keys").json() == [key]
    revoked = ask("DELETE", f"/v1/keys/{key['id']}")
    assert revoked.status_code == 200
    assert revoked.json()["revoked"] is not None
    assert ask("DELETE", f"/v1/keys/{key['id']}").json() == revoked.json()
    assert [(name, new, why) for name, new, _, why in application.journal] == [
        (key["id"], "desk (viewer)", "charts"),
        (key["id"], "revoked", ""),
    ]


def test_an_id_that_there_is_not_is_told(ask):
    response = ask("DELETE", "/v1/keys/00000000")
    assert response.status_code == 404
    assert response.json()["parameter"] == "id"


def test_mistakes_are_told(ask, application):
    assert ask("POST", "/v1/keys", content=b"{}").status_code == 415
    assert ask("POST", "/v1/keys", json={"name": "desk", "role": "king"}).status_code == 400
    assert ask("POST", "/v1/keys", json={"name": "", "role": "viewer"}).json()["parameter"] == "name"
    assert application.keys.all() == []


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (b"{", "body"),
        (b"\xff", "body"),
        (b"[]", "body"),
        (b'{"name": "a"}', "role"),
        (b'{"role": "viewer"}', "name"),
        (b'{"name": 5, "role": "viewer"}', "name"),
    ],
)
def test_a_body_that_is_no_key_is_refused(body, parameter):
    with pytest.raises(InputError) as raised:
        parsed_key(body)
    assert raised.value.parameter == parameter


def test_members_are_a_closed_set():
    with pytest.raises(UnknownNameError, match="nearest: role"):
        parsed_key(b'{"name": "a", "rolle": "viewer"}')
