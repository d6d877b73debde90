"""Connection: what is tried again and for how long, what errors become, and where a key goes."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import candlewick as cw
from candlewick.client import Client
from candlewick.client.address import Address
from candlewick.client.again import LONGEST_PAUSE, PassingError, pause, retry_after, until
from candlewick.errors import (
    DeadlineError,
    InputError,
    KeyNeededError,
    LimitError,
    OverloadedError,
    RateLimitError,
    ServiceError,
    UnknownSeriesError,
    UnreachableError,
)
from candlewick.server.problem import problem_of

ADDRESS = "http://127.0.0.1:8787"
KEY = f"cw_{'0' * 8}_{'ab' * 32}"


def refusal(error: Any, **headers: str) -> httpx.Response:
    problem = problem_of(error)
    about = {"content-type": "application/problem+json", **problem.headers, **headers}
    return httpx.Response(problem.status, content=problem.json(), headers=about)


PASSING = [
    httpx.ConnectError("refused"),
    httpx.ReadTimeout(""),
    httpx.RemoteProtocolError("it hung up"),
    refusal(OverloadedError(3, 2.0)),
    refusal(RateLimitError("requests", 5.0, 0.4)),
    refusal(DeadlineError(5.0)),
    httpx.Response(503, text="<html>"),
]


@pytest.mark.parametrize("failure", PASSING, ids=str)
def test_what_may_pass_is_tried_again(told: Any, clock: Any, failure: Any) -> None:
    client, seen = told(failure, failure, [])
    assert client.symbols() == []
    assert len(seen) == 3
    assert len(clock.slept) == 2
    asked = getattr(failure, "headers", {}).get("retry-after", 0)
    assert all(seconds >= float(asked) for seconds in clock.slept)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (refusal(UnknownSeriesError("symbol", "SPX", ["SPY"])), UnknownSeriesError),
        (refusal(LimitError(10, 11)), LimitError),
        (refusal(KeyNeededError()), KeyNeededError),
        (httpx.Response(500, text="<html>"), UnreachableError),
        (httpx.Response(302, headers={"location": "http://127.0.0.1:1/"}), UnreachableError),
        (httpx.UnsupportedProtocol("no"), UnreachableError),
    ],
    ids=str,
)
def test_what_does_not_pass_is_told_at_once(told: Any, clock: Any, failure: Any, error: type[Exception]) -> None:
    client, seen = told(failure, [])
    with pytest.raises(error):
        client.symbols()
    assert (len(seen), clock.slept) == (1, [])


@pytest.mark.parametrize("failure", PASSING, ids=str)
def test_a_change_is_sent_once(told: Any, clock: Any, failure: Any) -> None:
    client, seen = told(failure, {})
    with pytest.raises((ServiceError, RateLimitError)):
        client.set_flag("cache_enabled", True, "a test")
    assert (len(seen), clock.slept) == (1, [])
    client, seen = told(failure, {})
    with pytest.raises((ServiceError, RateLimitError)):
        client.about()
    assert len(seen) == 1
    client, seen = told(failure, [], retries=False)
    with pytest.raises((ServiceError, RateLimitError)):
        client.symbols()
    assert len(seen) == 1


def test_an_ingest_is_sent_again_from_its_beginning(told: Any, clock: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x" * 100_000)
    counts = ("rows", "inserted", "updated", "unchanged", "duplicates", "quarantined", "off_session")
    summary = {**dict.fromkeys(counts, 0), "seconds": 0.1, "symbols": [], "warnings": []}
    client, seen = told(httpx.ReadError("reset"), refusal(OverloadedError(3, 2.0)), summary)
    assert client.ingest(tmp_path / "a.csv", calendar="24/7").rows == 0
    assert [len(request.content) for request in seen] == [100_000] * 3


def test_trying_again_ends_with_the_time_that_a_call_may_take(told: Any, clock: Any) -> None:
    client, seen = told(httpx.ConnectError("refused"), timeout=20)
    began = clock.now
    with pytest.raises(UnreachableError, match=f"server: {ADDRESS} cannot be reached: refused"):
        client.symbols()
    assert 20 - LONGEST_PAUSE <= clock.now - began <= 20
    assert len(seen) > 4


def test_a_server_that_asks_for_more_time_than_there_is_is_not_waited_for(told: Any, clock: Any) -> None:
    client, seen = told(refusal(OverloadedError(3, 60.0)), timeout=20)
    with pytest.raises(OverloadedError) as caught:
        client.symbols()
    assert (len(seen), clock.slept, caught.value.retry_after) == (1, [], 60.0)


def test_an_answer_that_trickles_ends_with_the_time_too(told: Any, clock: Any) -> None:
    def trickle() -> Iterator[bytes]:
        for _ in range(100):
            clock.now += 1
            yield b" "

    client, seen = told(lambda _: httpx.Response(200, content=trickle()), timeout=20)
    with pytest.raises(DeadlineError, match="not done within 20 s"):
        client.symbols()
    assert (len(seen), clock.slept) == (1, [])


@pytest.mark.parametrize(
    "error", [UnknownSeriesError("symbol", "SPX", ["SPY"]), LimitError(10, 11), OverloadedError(3, 2.0)]
)
def test_an_error_of_the_server_is_raised_as_itself(told: Any, clock: Any, error: Exception) -> None:
    client, _ = told(refusal(error))
    with pytest.raises(type(error)) as caught:
        client.symbols()
    assert str(caught.value) == str(error)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.ConnectError("refused"), "refused"),
        (httpx.ReadTimeout(""), "ReadTimeout"),
        (httpx.Response(404, text="<html>"), "it answered 404 to GET /v1/health/live"),
        (
            httpx.Response(307, headers={"location": "http://elsewhere/"}),
            "it answered 307 .*redirects are not followed",
        ),
        (httpx.Response(200, text="<html>"), "is no JSON"),
        (httpx.Response(200, content=b"\xff"), "is no JSON"),
        (httpx.Response(500, text="<html>", headers={"content-type": "application/problem+json"}), "is no JSON"),
    ],
    ids=str,
)
def test_what_is_no_candlewick_server_is_unreachable(told: Any, answer: Any, said: str) -> None:
    client, _ = told(answer)
    with pytest.raises(UnreachableError, match=f"server: {ADDRESS} cannot be reached: .*{said}"):
        client.about()


def test_a_problem_that_is_no_object_is_told(told: Any) -> None:
    client, _ = told(httpx.Response(400, json=["x"], headers={"content-type": "application/problem+json"}))
    with pytest.raises(ServiceError, match="x"):
        client.symbols()


@given(st.integers(1, 2000), st.none() | st.floats(0, 1e6), st.floats(0, 1))
def test_a_pause_is_as_long_as_the_server_asks_and_bounded_else(
    attempt: int, asked: float | None, chance: float
) -> None:
    seconds = pause(attempt, asked, chance)
    assert seconds > 0 or asked is not None
    assert (asked or 0) <= seconds <= (asked or 0) + LONGEST_PAUSE
    assert asked is not None or seconds >= pause(attempt - 1 or 1, None, 0)


@given(st.floats(0, 100), st.lists(st.none() | st.floats(0, 50), max_size=30))
def test_no_pause_goes_beyond_the_deadline(deadline: float, asked: list[float | None]) -> None:
    now = 0.0
    decide = until(deadline, lambda: now)
    for one in asked:
        seconds = decide(PassingError(ServiceError("x"), one))
        if seconds is False:
            break
        now += seconds
        assert now < deadline
    assert decide(ValueError("x")) is False


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_what_a_server_asks_for(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1:8787", "ftp://127.0.0.1", "", "http://", "http://127.0.0.1:99999", "http://[::1", 7),
        *("http://user@127.0.0.1", "http://user:secret@127.0.0.1", "http://127.0.0.1/?key=secret", "http://h/#secret"),
    ],
)
def test_an_address_is_one_of_http_and_says_no_more(address: Any) -> None:
    with pytest.raises(InputError, match="address") as caught:
        Client(address)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "host", "port", "near", "stream"),
    [
        ("http://127.0.0.1:8787/", "127.0.0.1", 8787, True, "ws://127.0.0.1:8787/v1/stream"),
        ("http://[::1]:1", "::1", 1, True, "ws://[::1]:1/v1/stream"),
        ("http://localhost", "localhost", 80, True, "ws://localhost/v1/stream"),
        ("https://desk.example/candles", "desk.example", 443, False, "wss://desk.example/candles/v1/stream"),
    ],
)
def test_what_an_address_says(url: str, host: str, port: int, near: bool, stream: str) -> None:
    address = Address.of(url)
    assert (address.host, address.port, address.near, address.stream) == (host, port, near, stream)
    assert address.secure is url.startswith("https")


@pytest.mark.parametrize(("url", "checked"), [("https://desk.example", True), ("http://desk.example", False)])
def test_certificates_are_read_where_there_are_any(url: str, checked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    made = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda *a, **k: read.append(made(*a, **k)) or read[-1])
    with Client(url):
        assert [one.verify_mode for one in read] == [ssl.CERT_REQUIRED] * checked


def test_the_key_is_given_or_that_of_the_environment(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANDLEWICK_KEY", raising=False)
    _, seen = told([])
    told([])[0].symbols()
    client, seen = told([])
    client.symbols()
    assert "authorization" not in seen[0].headers
    monkeypatch.setenv("CANDLEWICK_KEY", KEY)
    other = KEY.replace("ab", "cd")
    for given_, right in ((None, KEY), (other, other)):
        client, seen = told([], key=given_)
        client.symbols()
        assert seen[0].headers["authorization"] == f"Bearer {right}"
        client, seen = told({}, key=given_)
        client.about()
        assert "authorization" not in seen[0].headers, "who is there may be somebody else"


@pytest.mark.parametrize("key", ["", "cw_1_2", f"{KEY} ", f"{KEY}\r\nX: y", KEY.upper()])
def test_a_key_that_is_not_whole_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(InputError, match=r"key: .*\(not shown\).* is no whole key") as caught:
        cw.connect(ADDRESS, key)
    assert not key or key not in str(caught.value)


class Door(BaseHTTPRequestHandler):
    """Sends everybody elsewhere; ``heard`` are the headers that came."""

    protocol_version = "HTTP/1.1"
    heard: list[str]
    to: str

    def do_GET(self) -> None:
        type(self).heard.append(str(self.headers))
        self.send_response(307)
        self.send_header("Location", type(self).to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def doors() -> Iterator[list[ThreadingHTTPServer]]:
    """Two real servers, of which the first sends everybody to the second."""
    made = []
    for _ in range(2):
        handler = type("Handler", (Door,), {"heard": [], "to": "/"})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        made.append(server)
    first, second = (server.RequestHandlerClass for server in made)
    first.to = second.to = f"http://127.0.0.1:{made[1].server_address[1]}/"  # type: ignore[attr-defined]
    yield made
    for server in made:
        server.shutdown()
        server.server_close()


def test_a_key_follows_no_redirect(doors: list[ThreadingHTTPServer]) -> None:
    with cw.connect(f"http://127.0.0.1:{doors[0].server_address[1]}", KEY) as client:
        with pytest.raises(UnreachableError, match="redirects are not followed"):
            client.symbols()
        with client.stream("SPY", "5m") as stream, pytest.raises(UnreachableError, match="HTTP 307"):
            next(stream)
    first, second = ([text.count(KEY) for text in server.RequestHandlerClass.heard] for server in doors)  # type: ignore[attr-defined]
    assert (first, second) == ([1, 1], [])
