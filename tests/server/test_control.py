"""Flags and rollout over HTTP."""

from __future__ import annotations

import asyncio
import json

import pytest

from candlewick.errors import InputError, KilledError, UnknownNameError
from candlewick.server.http import create_app
from candlewick.server.routes.control import parsed_change

CHANGE = {"name": "rollout_percentage", "value": 10, "why": "first step"}


def test_a_flag_is_set_read_back_and_journalled(ask, application):
    response = ask("PUT", "/v1/flags", json=CHANGE, headers={"X-Candlewick-Client": "ops"})
    assert response.status_code == 200
    assert response.json() == {"name": "rollout_percentage", "value": 10, "origin": "default"}
    assert {one["name"]: one["value"] for one in ask("GET", "/v1/flags").json()}["rollout_percentage"] == 10
    assert application.journal == [("rollout_percentage", 10, "http 127.0.0.1 (ops)", "first step")]


def test_who_is_the_address_where_nobody_says_more(ask, application):
    ask("PUT", "/v1/flags", json=CHANGE)
    assert application.journal[0][2] == "http 127.0.0.1"


@pytest.mark.parametrize(
    ("change", "status", "parameter"),
    [
        ({**CHANGE, "name": "colour"}, 400, "flag"),
        ({**CHANGE, "value": 101}, 400, "rollout_percentage"),
        ({**CHANGE, "value": {}}, 400, "value"),
        ({**CHANGE, "why": " "}, 400, "why"),
        ({"name": "rollout_percentage", "value": 1}, 400, "why"),
        ({**CHANGE, "how": "?"}, 400, "body member"),
        ([1], 400, "body"),
    ],
)
def test_what_cannot_be_set_is_named(ask, application, change, status, parameter):
    response = ask("PUT", "/v1/flags", json=change)
    assert (response.status_code, response.json()["parameter"]) == (status, parameter)
    assert application.journal == []


def test_a_rise_is_refused_while_killed(ask, application):
    def fail(*_):
        raise KilledError("rollout_percentage: refused while killed; lift it first")

    application.hooks["set_flag"] = fail
    response = ask("PUT", "/v1/flags", json=CHANGE)
    assert (response.status_code, response.json()["type"]) == (409, "urn:candlewick:problem:killed")


def test_a_form_of_another_page_is_no_change(ask, application):
    response = ask("PUT", "/v1/flags", content=json.dumps(CHANGE), headers={"Content-Type": "text/plain"})
    assert response.status_code == 415
    assert (
        ask("PUT", "/v1/flags", content=b" " * 70_000, headers={"Content-Type": "application/json"}).status_code == 413
    )
    assert application.journal == []


@pytest.mark.parametrize("body", [b"", b"{", b'{"name": NaN}', b"\xff\xfe", b"3", b"[" * 5000])
def test_a_body_that_is_no_change_is_refused(body):
    with pytest.raises(InputError, match="body"):
        parsed_change(body)


def test_an_unknown_member_is_refused():
    with pytest.raises(UnknownNameError, match="body member"):
        parsed_change(b'{"Name": "x"}')


def test_the_rollout_is_shown_without_nan(ask):
    response = ask("GET", "/v1/rollout")
    assert response.status_code == 200
    assert "NaN" not in response.text
    assert response.json()["percentage"] == 0.0
    assert response.json()["guards"] == {"slowness": None}


@pytest.mark.parametrize(("method", "path"), [("PUT", "/v1/flags"), ("POST", "/v1/keys")])
def test_a_caller_who_goes_away_changes_nothing(application, caplog, method, path):
    app = create_app(application)
    messages = [{"type": "http.request", "body": b'{"name":', "more_body": True}, {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")],
    }
    asyncio.run(app(scope, receive, send))
    app.state.serving.close()
    assert sent[0]["status"] == 400
    assert b"ended too early" in sent[1]["body"]
    assert application.journal == []
    assert not caplog.records
