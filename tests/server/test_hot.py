"""Hot: what is remembered is answered as the route would, in every form, and without it."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pyarrow as pa
import pytest

from candlewick.errors import OverloadedError
from candlewick.server.form import ARROW
from candlewick.server.wanted import matches
from candlewick.service.request import Request
from candlewick.store.postgres_watch import _waits

PATH = "/v1/candles/AAPL?timeframe=5m&indicators=sma(9)"
REQUEST = Request.of("AAPL", "5m", "sma(9)")
FORMS = [
    {"Accept-Encoding": "identity"},
    {"Accept-Encoding": "gzip"},
    {"Accept-Encoding": "zstd"},
    {"Accept-Encoding": "identity", "Accept": ARROW},
    {"Accept-Encoding": "gzip", "Accept": ARROW},
    {"Accept-Encoding": "zstd", "Accept": ARROW},
]


@pytest.fixture
def remembered(application: Any) -> Any:
    served = application.candles(REQUEST)
    application.remembered[REQUEST] = served
    application.hooks["candles"] = lambda *_: pytest.fail("it is remembered")
    return served


def without_id(response: Any) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name != "x-request-id"}


def test_the_same_answer_as_by_the_route(ask: Any, application: Any) -> None:
    by_route = [ask("GET", PATH, headers=headers) for headers in FORMS]
    application.remembered[REQUEST] = application.candles(REQUEST)
    application.hooks["candles"] = lambda *_: pytest.fail("it is remembered")
    at_once = [ask("GET", PATH, headers=headers) for headers in FORMS]
    for one, other in zip(by_route, at_once, strict=True):
        assert one.status_code == other.status_code == 200
        assert one.content == other.content
        assert without_id(one) == without_id(other)


def test_every_form_has_a_tag_that_is_not_sent_again(ask: Any, remembered: Any) -> None:
    tags = set()
    for headers in FORMS:
        first = ask("GET", PATH, headers=headers)
        assert first.headers["vary"] == "Accept, Accept-Encoding, X-Candlewick-Client"
        assert first.headers.get("content-encoding", "identity") == headers["Accept-Encoding"]
        tag = first.headers["etag"]
        tags.add(tag)
        again = ask("GET", PATH, headers=headers | {"If-None-Match": f'"x", W/{tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "content-length" not in again.headers
        for other in tags - {tag}:
            assert ask("GET", PATH, headers=headers | {"If-None-Match": other}).status_code == 200
    assert len(tags) == len(FORMS)


def test_arrow_is_a_stream(ask: Any, remembered: Any) -> None:
    response = ask("GET", PATH, headers={"Accept": ARROW})
    assert response.headers["content-type"] == ARROW
    found = pa.ipc.open_stream(response.content).read_all()
    assert found.num_rows == len(remembered.answer.bars)
    assert found.schema.metadata[b"symbol"] == b"AAPL"


def test_the_head_alone_is_that_of_the_answer(ask: Any, remembered: Any) -> None:
    for path in (PATH, "/v1/symbols", "/v1/candles/?timeframe=5m", "/nothing"):
        plain = {"Accept-Encoding": "identity"}
        whole, head = ask("GET", path, headers=plain), ask("HEAD", path, headers=plain)
        assert head.content == b""
        assert without_id(head) == without_id(whole)
        assert head.status_code == whole.status_code
        assert int(head.headers["content-length"]) == len(whole.content)


def test_what_it_cannot_parse_is_told_by_the_route(ask: Any, remembered: Any) -> None:
    assert ask("GET", PATH, headers={"Accept": "text/html"}).status_code == 406
    assert ask("GET", f"{PATH}&colour=red").status_code == 400
    assert ask("GET", PATH, headers={"X-Candlewick-Client": ""}).status_code == 400


def test_a_long_answer_that_finds_no_thread_is_refused(
    serve: Any, application: Any, remembered: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("candlewick.server.hot.INLINE", 10)

    async def go() -> Any:
        async with serve(application) as client:

            async def full(*_: Any) -> None:
                raise OverloadedError(7, 3.0)

            monkeypatch.setattr(client.serving.reads, "run", full)
            refused = await client.get(PATH)
            remembered.answer.json()
            given = await client.get(PATH, headers={"Accept-Encoding": "identity"})
            return refused, given

    refused, given = asyncio.run(go())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "3")
    assert refused.headers["content-type"] == "application/problem+json"
    assert given.content == remembered.answer.json()


def test_several_lines_of_a_header_are_one(ask: Any, remembered: Any) -> None:
    several = [("Accept", "text/html"), ("Accept", ARROW), ("Accept-Encoding", "br"), ("Accept-Encoding", "gzip")]
    response = ask("GET", PATH, headers=several)
    assert (response.headers["content-type"], response.headers["content-encoding"]) == (ARROW, "gzip")
    tag = response.headers["etag"]
    assert ask("GET", PATH, headers=[*several, ("If-None-Match", '"a"'), ("If-None-Match", tag)]).status_code == 304


def test_any_tag_matches_a_star() -> None:
    assert matches(" * ", '"a"')
    assert matches('W/"a"', '"a"')
    assert not matches('"b", "ab"', '"a"')


def test_the_outer_layers_are_told_how_it_came_about(serve: Any, application: Any, remembered: Any) -> None:
    from candlewick.server.http import create_app

    app = create_app(application)
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/v1/candles/AAPL",
        "query_string": b"timeframe=5m&indicators=sma(9)",
        "headers": [(b"host", b"127.0.0.1"), (b"accept-encoding", b"gzip")],
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, None, send))
    app.state.serving.close()
    told = {name: scope["candlewick"][name] for name in ("symbol", "engine", "arm", "fallback", "cache")}
    assert told == {"symbol": "AAPL", "engine": "classic", "arm": "classic", "fallback": False, "cache": "none"}
    assert gzip.decompress(sent[1]["body"]) == remembered.answer.json()


def test_no_database_is_waited_for_in_the_event_loop(ask: Any, application: Any) -> None:
    """A PostgreSQL store that would have to look says so instead, and the question goes on to the lane, which waits."""
    waits = {}
    application.hooks["quick"] = lambda *_: waits.update(quick=_waits.get())
    application.hooks["candles"] = lambda *_: waits.update(candles=_waits.get())
    assert ask("GET", PATH).status_code == 200
    assert waits == {"quick": False, "candles": True}
