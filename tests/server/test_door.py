"""The door: who comes in on this machine, and who on any other address."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import StoreError
from candlewick.server import door as module
from candlewick.server.door import Door, Guarded, same_origin
from candlewick.server.http import create_app
from candlewick.server.key_file import KeyFile
from candlewick.server.key_ring import KeyRing

HOST = (b"host", b"candles.example:8787")


def nothing(*_, **__):
    return None


@pytest.fixture(scope="module")
def ring():
    made = KeyRing(KeyFile(None, note=nothing))
    yield made
    made.close()


@pytest.fixture(scope="module")
def keys(ring):
    """A key for each role, and one that is revoked."""
    found = {role: ring.create(role, role, who="me")[1] for role in ("viewer", "ingest", "operator", "admin")}
    revoked, found["revoked"] = ring.create("gone", "admin", who="me")
    ring.revoke(revoked.id, who="me")
    return found


def bearer(key):
    return (b"authorization", f"Bearer {key}".encode())


def scope(*headers, path="/v1/symbols", method="GET", query=b"", **about):
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": [HOST, *headers],
        "client": ("10.0.0.7", 5000),
    } | about


def status(problem):
    return None if problem is None else problem.status


def test_a_key_comes_in_and_is_told_to_the_log_by_its_name(ring, keys):
    door = Door(ring)
    asked = scope(bearer(keys["viewer"]))
    assert door.admit(asked) is None
    about = asked["candlewick"]
    assert (about["key"], about["role"]) == ("viewer", "viewer")
    assert keys["viewer"] not in repr(asked["candlewick"])
    assert door.still_valid(asked)
    assert not door.still_valid(scope())


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_as_http_has_it(ring, keys, scheme):
    assert Door(ring).admit(scope((b"authorization", f"{scheme}  {keys['viewer']} ".encode()))) is None


@pytest.mark.parametrize(
    "value", [b"", b"Bearer", b"Bearer ", b"Basic KEY", b"KEY", b"BearerKEY", b"Bearer KEY x", b"Bearer\tKEY", b'"KEY"']
)
def test_malformed_headers_are_no_key(ring, keys, value):
    sent = value.replace(b"KEY", keys["admin"].encode())
    problem = Door(ring).admit(scope((b"authorization", sent)))
    assert status(problem) == 401
    assert problem.headers["WWW-Authenticate"] == "Bearer"


@given(st.binary(max_size=200))
def test_any_header_is_decided(ring, keys, value):
    door = Door(ring)
    for sent in (value, b"Bearer " + value, value + keys["viewer"].encode()):
        problem = door.admit(scope((b"authorization", sent)))
        if problem is None:
            assert sent.strip()[:6].lower() == b"bearer"
            assert keys["viewer"].encode() in sent
        else:
            assert problem.status == 401


def test_a_key_that_is_given_twice_is_none(ring, keys):
    assert status(Door(ring).admit(scope(bearer(keys["admin"]), bearer(keys["admin"])))) == 401


@pytest.mark.parametrize("name", ["revoked", "unknown"])
def test_which_of_both_is_not_told(ring, keys, name):
    key = keys.get(name, f"cw_00000000_{'0' * 64}")
    problem = Door(ring).admit(scope(bearer(key)))
    assert status(problem) == 401
    assert "the one that was sent is not valid" in problem.document["detail"]
    assert key[12:] not in json.dumps(problem.document)
    assert status(Door(ring).admit(scope())) == 401


def test_a_role_too_small_is_told_which_would_do(ring, keys):
    problem = Door(ring).admit(scope(bearer(keys["viewer"]), method="PUT", path="/v1/flags"))
    assert status(problem) == 403
    assert problem.document["detail"] == (
        "role: 'viewer' does not suffice for PUT /v1/flags; use a key with the role operator"
    )


def test_only_that_it_is_alive_is_told_to_strangers(ring, keys):
    door = Door(ring)
    assert door.admit(scope(path="/health/live")) is None
    assert door.admit(scope(bearer(keys["revoked"]), path="/health/live")) is None
    assert status(door.admit(scope(path="/health/ready"))) == 401


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://candles.example:8787", "candles.example:8787", True),
        ("https://candles.example", "candles.example", True),
        ("https://candles.example:443", "candles.example", True),
        ("http://candles.example", "candles.example:80", True),
        ("http://CANDLES.example:8787", "candles.EXAMPLE:8787", True),
        ("http://[fd00::1]:8787", "[fd00::1]:8787", True),
        ("https://candles.example", "candles.example:8787", False),
        ("https://other.example", "candles.example", False),
        ("https://candles.example.evil", "candles.example", False),
        ("null", "candles.example", False),
        ("ftp://candles.example", "candles.example", False),
        ("http://", "", False),
        ("http://candles.example:x", "candles.example", False),
        ("http://[fd00::1", "candles.example", False),
    ],
)
def test_pages_of_this_server_alone_may_ask(ring, keys, origin, host, same):
    assert same_origin(origin.encode(), host.encode()) is same
    asked = scope(bearer(keys["admin"]), (b"origin", origin.encode()))
    asked["headers"][0] = (b"host", host.encode())
    assert status(Door(ring).admit(asked)) == (None if same else 403)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_origin_is_decided(origin, host):
    assert same_origin(origin, host) in (True, False)


def test_the_host_is_given_once(ring, keys):
    for hosts in ([], [HOST, HOST]):
        asked = scope(bearer(keys["admin"]))
        asked["headers"] = [*hosts, bearer(keys["admin"])]
        assert status(Door(ring).admit(asked)) == 403


@pytest.mark.parametrize("keyed", [True, False])
def test_a_key_in_an_address_is_refused_and_not_repeated(ring, keys, keyed):
    door = Door(ring if keyed else None)
    key = keys["admin"]
    for asked in (
        scope(query=f"key={key}".encode()),
        scope(path=f"/v1/candles/{key}"),
        scope(query=b"a=1&b=" + key.encode()),
    ):
        problem = door.admit(asked)
        assert status(problem) == 400
        assert key not in json.dumps(problem.document)
        assert "revoke this one" in problem.document["detail"]
    local = [(b"host", b"127.0.0.1")]
    assert Door(None).admit(scope(query=b"symbol=cw_1") | {"headers": local}) is None


def test_a_key_is_let_in_so_often_a_second_whatever_it_asks_for(ring, keys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    door = Door(ring, rate=3)

    def ask(key, **about):
        return status(door.admit(scope(bearer(keys[key]), **about)))

    assert [ask("viewer"), ask("viewer", method="PUT"), ask("viewer"), ask("viewer")] == [None, 403, None, 429]
    problem = door.admit(scope(bearer(keys["viewer"])))
    assert problem.headers == {"Retry-After": "1"}
    assert "more than 3 requests with this key a second" in problem.document["detail"]
    assert ask("admin") is None
    now[0] += 0.34
    assert [ask("viewer"), ask("viewer")] == [None, 429]


def test_attempts_without_a_key_are_slowed_for_each_address_and_a_key_still_comes_in(ring, keys, monkeypatch):
    monkeypatch.setattr(module.time, "monotonic", lambda: 100.0)
    door = Door(ring)
    seen = [status(door.admit(scope(bearer("wrong")))) for _ in range(25)]
    assert seen[:20] == [401] * 20
    assert seen[20:] == [429] * 5
    assert int(door.admit(scope()).headers["Retry-After"]) >= 1
    assert status(door.admit(scope(client=("10.0.0.8", 1)))) == 401
    assert status(door.admit(scope(client=None))) == 401
    assert status(door.admit(scope((b"x-forwarded-for", b"10.9.9.9")))) == 429
    assert door.admit(scope(bearer(keys["viewer"]))) is None
    assert door.admit(scope(path="/health/live")) is None


def test_while_keys_cannot_be_read_nobody_comes_in(ring, keys, monkeypatch):
    door = Door(ring)
    monkeypatch.setattr(KeyRing, "problem", "a disk that is gone")
    problem = door.admit(scope(bearer(keys["admin"])))
    assert status(problem) == 503
    assert "keys cannot be looked up now: a disk that is gone" in problem.document["detail"]
    assert door.admit(scope(path="/health/live")) is None


def test_keys_that_cannot_be_read_at_the_start_are_told(tmp_path):
    file = KeyFile(tmp_path / "a.keys.sqlite", note=nothing)
    file.create("desk", "viewer", who="me")
    file.close()
    (tmp_path / "a.keys.sqlite").chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        Door(KeyRing(KeyFile(tmp_path / "a.keys.sqlite", note=nothing)))


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("headers", "right"),
    [
        ([(b"host", b"127.0.0.1:8787")], True),
        ([(b"host", b"localhost"), (b"origin", b"http://localhost:5173")], True),
        ([(b"host", b"rebound.example")], False),
        ([(b"host", b"127.0.0.1"), (b"origin", b"https://evil.example")], False),
        ([], False),
    ],
)
def test_on_this_machine_its_name_is_the_key(kind, headers, right):
    door = Door()
    asked = scope(type=kind) | {"headers": headers}
    assert status(door.admit(asked)) == (None if right else 403)
    assert door.still_valid(asked)


def turned_away(extensions, ring):
    sent = []

    async def app(scope, receive, send):
        raise AssertionError("it came in")

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    asked = scope(type="websocket", path="/v1/stream", extensions=extensions)
    del asked["method"]
    asyncio.run(Guarded(app, Door(ring))(asked, receive, send))
    return sent


def test_a_socket_is_turned_away_with_a_problem_where_the_server_can_send_one(ring):
    start, body = turned_away({"websocket.http.response": {}}, ring)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert (b"content-type", b"application/problem+json") in start["headers"]
    assert body["type"] == "websocket.http.response.body"
    assert json.loads(body["body"])["status"] == 401
    assert turned_away({}, ring) == [{"type": "websocket.close", "code": 1008, "reason": "A key is needed"}]


def test_an_answer_of_the_door_is_a_problem_document_with_an_id(application):
    _, admin = application.keys.create("boss", "admin", who="me")

    async def go():
        app = create_app(application, keyed=True, rate=100)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://candles.example") as client:
            refused = [await client.get("/v1/symbols"), await client.put("/v1/flags", json={})]
            client.headers["Authorization"] = f"Bearer {admin}"
            made = await client.post("/v1/keys", json={"name": "desk", "role": "viewer"})
            flag = {"name": "rollout_percentage", "value": 5, "why": "trial"}
            served = [await client.get("/health/live"), await client.put("/v1/flags", json=flag), made]
        app.state.serving.close()
        return refused, served

    refused, served = asyncio.run(go())
    for response in refused:
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-request-id"]
    assert [one.headers.get("connection") for one in refused] == [None, "close"]
    assert [one.status_code for one in served] == [200, 200, 201]
    assert served[0].json()["store"] == "memory:"
    assert application.journal[1:] == [
        (served[2].json()["id"], "desk (viewer)", "key boss at 127.0.0.1", ""),
        ("rollout_percentage", 5, "key boss at 127.0.0.1", "trial"),
    ]
