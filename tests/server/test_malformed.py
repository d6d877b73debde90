"""Thousands of malformed requests through a socket to the real server: each is refused in words, and none breaks it."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import uvicorn
from tests.server.conftest import filled
from tests.server.malformed import request

from candlewick.app import build
from candlewick.server.http import create_app
from candlewick.server.lane import Limits
from candlewick.store.open import open_store

SEED = 20_250_106
WAIT = 0.15
"""Seconds after which a request is taken for one whose rest the server still waits for."""
PARSER = b"Invalid HTTP request received."
"""What bytes that are no HTTP are told: they do not reach the application."""


class Errors(logging.Handler):
    """What the server logs as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The real application over a DuckDB store, in a thread, with its port and what it logged."""
    folder: Path = tmp_path_factory.mktemp("malformed")
    store = filled(open_store(folder / "a.duckdb"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("candlewick.app.WARM", ("sma(9)",))
        application = build(store)
        application.warm_up()
    application.set_flag("rollout_percentage", 50.0, who="test")
    app = create_app(application, Limits(body_bytes=1 << 20))
    errors = Errors()
    logging.getLogger().addHandler(errors)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, lifespan="on")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield app, application, listening.getsockname()[1], errors
        server.should_exit = True
        thread.join(30)
    logging.getLogger().removeHandler(errors)
    application.close()
    store.close()
    assert not thread.is_alive()


def answer_of(port: int, sent: bytes) -> bytes:
    """The first response to some bytes, or nothing where the server waits for more or just closes."""
    with closing(socket.create_connection(("127.0.0.1", port), 10)) as connection:
        connection.settimeout(10)
        with suppress(OSError):  # it may not want all of it
            connection.sendall(sent)
        found = b""
        while True:
            connection.settimeout(10 if found or complete(sent) else WAIT)
            try:
                piece = connection.recv(1 << 16)
            except TimeoutError:
                assert not found, f"half an answer to {sent[:300]!r}"
                assert not complete(sent), f"no answer to {sent[:300]!r}"
                return b""
            except ConnectionError:
                return found
            if not piece:
                return found
            found += piece


def complete(sent: bytes) -> bool:
    """Whether a request is surely whole: else the server may rightly wait for the rest."""
    head, ended, body = sent.partition(b"\r\n\r\n")
    plain = re.fullmatch(rb"[A-Z]+ [!-~]+ HTTP/1\.1(\r\n[!-9;-~]+:[ -~]*)*", head)
    lengths = re.findall(rb"(?i)\r\ncontent-length: ?(\d+)(?=\r\n|$)", head)
    special = re.search(rb"(?i)\r\n(transfer-encoding|upgrade|expect):", head)
    whole = [int(one) for one in lengths] == [len(body)] if lengths else not body
    return bool(plain and ended and whole and not special and b"connection: close" in head.lower())


class Documented:
    """What the document says of a request's address."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._places = [(_pattern(path), methods) for path, methods in document["paths"].items()]

    def statuses(self, method: str, path: str) -> set[int]:
        """Every status that a request there may have."""
        if path == "/openapi.json":
            return {200, 405, 403}
        found: set[int] = set()
        for pattern, methods in self._places:
            if pattern.fullmatch(path):
                operation = methods.get({"head": "get"}.get(method.lower(), method.lower()))
                found |= {405, 403} if operation is None else {int(status) for status in operation["responses"]}
        return found or {404, 403}


def _pattern(path: str) -> re.Pattern[str]:
    parts = {"{symbol}": ".*", "{number}": "[^/]+"}
    found = re.split(r"(\{\w+\})", path)
    return re.compile("".join(parts.get(one) or re.escape(one) for one in found), re.DOTALL)


def check(answer: bytes, sent: bytes, documented: Documented, seen: Counter[str]) -> None:
    shown = sent[:300]
    if not answer:
        seen["none"] += 1
        return
    head, ended, body = answer.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    assert ended, shown
    assert re.fullmatch(r"HTTP/1\.1 \d{3} .*", status_line), (status_line, shown)
    status = int(status_line[9:12])
    headers = {name.casefold(): value for name, value in (line.split(": ", 1) for line in lines)}
    seen[str(status)] += 1
    assert status < 500, (status_line, body[:500], shown)
    for secret in (b"Traceback", b'File "', b"site-packages", b"candlewick/server"):
        assert secret not in body, (secret, shown)
    if body == PARSER:
        assert status == 400
        return
    target = re.match(rb"([A-Z]+) ([!-~]+) HTTP/1\.[01]\r\n", sent)
    if target is not None and target[2].startswith(b"/"):
        path = unquote(target[2].partition(b"?")[0].decode())
        if "#" not in path:
            allowed = documented.statuses(target[1].decode(), path)
            assert status in allowed, (status, allowed, body[:300], shown)
    if status >= 400 and not sent.startswith(b"HEAD"):
        assert headers["content-type"] == "application/problem+json", (status, body[:300], shown)
        problem = json.loads(body)
        assert problem["status"] == status, shown
        assert problem["type"], shown
        assert problem["title"], shown
        assert problem["detail"], shown


def hold(served: Any, count: int) -> None:
    app, application, port, errors = served
    documented = Documented(app.openapi())
    good = b"GET /v1/candles/AAPL?timeframe=5m&engine=classic HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    before = answer_of(port, good).partition(b"\r\n\r\n")[2]
    assert before.startswith(b'{"symbol":"AAPL"')
    seen: Counter[str] = Counter()
    for number in range(count):
        sent = request(SEED, number)
        try:
            check(answer_of(port, sent), sent, documented, seen)
        except AssertionError as error:
            raise AssertionError(f"request {number}: {error}") from error
    assert errors.lines == []
    assert seen["none"] < count / 5
    assert {"400", "404", "405", "415"} <= set(seen)
    assert answer_of(port, good).partition(b"\r\n\r\n")[2] == before
    told = application.monitor.render().decode()
    assert not re.findall(r'candlewick_http_responses_total\{[^}]*status="5', told)


def test_the_same_number_is_the_same_request() -> None:
    assert [request(SEED, at) for at in range(50)] == [request(SEED, at) for at in range(50)]
    assert len({request(SEED, at) for at in range(200)}) > 150


def test_five_hundred_malformed_requests(served: Any) -> None:
    hold(served, 500)


@pytest.mark.slow
def test_ten_thousand_malformed_requests(served: Any) -> None:
    hold(served, 10_000)
