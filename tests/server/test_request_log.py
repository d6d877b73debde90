"""The line for each request, and its id."""

from __future__ import annotations

import asyncio
import re

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.server.http import create_app
from candlewick.server.request_log import LONGEST, Line, RequestLog, now


@pytest.fixture
def logged(application):
    """Requests to the small application, with the lines that they leave."""
    lines = []
    app = create_app(application, log=lines.append)

    def ask(method, url, **about):
        async def once():
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
                return await client.request(method, url, **about)

        lines.clear()
        return asyncio.run(once()), lines

    yield ask
    app.state.serving.close()


def told(line):
    return {name: value for name, value in msgspec.structs.asdict(line).items() if value is not None}


def test_one_line_says_what_became_of_a_request(logged):
    response, lines = logged("GET", "/v1/candles/BTC%2FUSD?timeframe=1h")
    (line,) = lines
    shown = told(line)
    assert shown.pop("ms") > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", shown.pop("time"))
    assert re.fullmatch(r"[0-9a-f]{8}-1", shown.pop("id"))
    assert shown == {
        "level": "info",
        "event": "request",
        "method": "GET",
        "path": line.path,
        "status": 200,
        "bytes": len(response.content),
        "symbol": "BTC/USD",
        "engine": "classic",
        "arm": "classic",
        "fallback": False,
        "cache": "none",
        "address": "127.0.0.1",
    }
    assert line.path.startswith("/v1/candles/{symbol")


def test_every_answer_carries_the_id_of_its_line(logged):
    for url in ("/v1/symbols", "/nothing", "/v1/candles/SPX?timeframe=5m", "/metrics"):
        response, (line,) = logged("GET", url)
        assert response.headers["x-request-id"] == line.id
        assert line.status == response.status_code


def test_an_id_of_the_caller_is_taken_when_it_is_well_formed(logged):
    response, (line,) = logged("GET", "/v1/symbols", headers={"X-Request-Id": "trace:7.a_B-9"})
    assert response.headers["x-request-id"] == line.id == "trace:7.a_B-9"
    for bad in ("", "x" * 65, "a b", 'a"b', "a\tb", "é".encode()):
        response, (line,) = logged("GET", "/v1/symbols", headers={"X-Request-Id": bad})
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]+", line.id)
        assert response.headers["x-request-id"] == line.id


def test_ids_are_never_given_twice(logged):
    assert len({logged("GET", "/health/live")[1][0].id for _ in range(20)}) == 20


def test_failures_of_the_server_are_no_mere_information(logged, application):
    def defective(*_):
        raise KeyError("inside")

    application.hooks["symbols"] = defective
    response, (line,) = logged("GET", "/v1/symbols")
    assert (response.status_code, line.status, line.level) == (500, 500, "error")
    application.warm = False
    del application.hooks["symbols"]
    assert logged("GET", "/health/ready")[1][0].level == "warning"
    assert logged("GET", "/v1/candles/SPX?timeframe=5m")[1][0].level == "info"


def test_what_has_no_route_is_shown_as_it_was_sent_and_without_harm(logged):
    assert logged("GET", "/a%1b%5b31m?secret=1")[1][0].path == "/a%1b%5b31m"
    symbol = logged("GET", "/v1/candles/A%1B%5B31m%0a?timeframe=5m")[1][0].symbol
    assert symbol == r"A\x1b[31m\n"
    assert len(logged("GET", f"/{'x' * 5000}")[1][0].path) == LONGEST


def asgi(scope, inner, lines):
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/x", "raw_path": b"/x", "headers": []} | scope
    asyncio.run(RequestLog(inner, lines.append)(scope, None, send))
    return sent, lines[-1]


def test_a_list_of_headers_that_is_remembered_stays_as_it_is():
    kept = [(b"etag", b"x")]

    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": kept})
        await send({"type": "http.response.body", "body": b"12"})
        await send({"type": "http.response.body", "body": b"345"})

    (start, *_), line = asgi({}, inner, [])
    assert kept == [(b"etag", b"x")]
    assert start["headers"] == [*kept, (b"x-request-id", line.id.encode())]
    assert (line.bytes, line.address) == (5, None)


def test_what_ends_without_an_answer_was_a_failure():
    async def inner(scope, receive, send):
        raise RuntimeError("inside")

    lines = []
    with pytest.raises(RuntimeError):
        asgi({}, inner, lines)
    assert (lines[0].status, lines[0].level) == (500, "error")


def test_a_socket_has_one_line_when_it_ends():
    async def inner(scope, receive, send):
        scope["candlewick"] |= {"messages": 3, "bytes": 30}  # written past us
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "1234"})
        await send({"type": "websocket.send", "bytes": b"12"})
        await send({"type": "websocket.close", "code": 1008})

    scope = {"type": "websocket"}
    (accept, *_), line = asgi(scope, inner, [])
    assert accept["headers"] == [(b"x-request-id", line.id.encode())]
    assert (line.method, line.status, line.messages, line.bytes, line.closed) == ("WEBSOCKET", 101, 5, 36, 1008)


def test_a_socket_that_is_turned_away_has_the_status_of_that():
    async def closing(scope, receive, send):
        await send({"type": "websocket.close"})

    async def telling(scope, receive, send):
        await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"123"})

    _, line = asgi({"type": "websocket"}, closing, [])
    assert (line.status, line.closed, line.messages) == (403, 1000, 0)
    _, line = asgi({"type": "websocket"}, telling, [])
    assert (line.status, line.bytes, line.closed) == (401, 3, None)


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_line_is_one_line(path, symbol):
    async def inner(scope, receive, send):
        scope["candlewick"]["symbol"] = symbol
        scope["route"] = type("Route", (), {"path": "/v1/candles/{symbol}"})
        await send({"type": "http.response.start", "status": 200})

    _, line = asgi({"raw_path": path.encode("utf-8", "replace")}, inner, [])
    encoded = msgspec.json.encode(line)
    assert b"\n" not in encoded
    assert msgspec.json.decode(encoded, type=Line) == line
    assert line.symbol.isprintable()


def test_the_time_goes_on():
    seen = [now() for _ in range(2000)]
    assert seen == sorted(seen)
