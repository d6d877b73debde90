"""The OpenAPI document is true: schemathesis asks what it allows and what it does not, and holds each answer to it."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from tests.server.conftest import ADDRESS, filled

from candlewick.app import build
from candlewick.server.contract import COMMON
from candlewick.server.docs_page import docs_page
from candlewick.server.http import create_app
from candlewick.store.memory import MemoryStore

# schemathesis is imported where it is used: it takes two seconds, and every worker that collects would pay them.
PHASES = [Phase.explicit, Phase.generate]
SENSELESS = [
    "positive_data_acceptance",  # a text that is no indicator is refused, and no schema can say which
    "ignored_auth",  # on a loopback address nobody needs a key; tests of the door have all others
]


@pytest.fixture(scope="module")
def served() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("candlewick.app.WARM", ("sma(9)",))  # the rest would be compiled for nothing
        application = build(filled(MemoryStore()))
        application.warm_up()
    application.set_flag("rollout_percentage", 50.0, who="test")
    app = create_app(application)
    yield app
    app.state.serving.close()
    application.close()


@pytest.fixture(scope="module")
def document(served: Any) -> dict[str, Any]:
    return json.loads(json.dumps(served.openapi()))


@pytest.fixture(scope="module")
def api(served: Any, document: dict[str, Any]) -> Any:
    async def running(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] != "lifespan", "it runs already, and runs on"
        await served(scope, receive, send)

    import schemathesis

    found = schemathesis.openapi.from_dict(document)
    found.app = running
    return found


def asked(api: Any, mode: str, examples: int) -> None:
    """So many requests of each operation."""
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi import checks

    senseless = [getattr(checks, name) for name in SENSELESS]
    for found in api.get_all_operations():
        operation = found.ok()

        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
        @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
        def hold(case: Any) -> None:
            case.call_and_validate(base_url=ADDRESS, excluded_checks=senseless)

        try:
            hold()
        except Unsatisfiable:  # nothing about this operation can be wrong
            assert mode == "negative"
            assert not operation.body


@pytest.mark.parametrize(("mode", "examples"), [("positive", 6), ("negative", 3)])
def test_every_answer_is_one_that_the_document_has(api: Any, mode: str, examples: int) -> None:
    asked(api, mode, examples)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_every_answer_is_one_that_the_document_has_at_length(api: Any, mode: str) -> None:
    asked(api, mode, 300)


def schema_of(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    return jsonschema_rs.validator_for({**schema, "components": document["components"]})


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_says_what_it_answers_with_an_example_that_is_true(document: dict[str, Any]) -> None:
    examples = 0
    for method, path, operation in operations(document):
        place = f"{method} {path}"
        assert operation["summary"], place
        assert operation["description"], place
        assert {str(status) for status in COMMON} <= set(operation["responses"]), place
        assert "422" not in operation["responses"], place
        contents = [one for response in operation["responses"].values() for one in response.get("content", {}).items()]
        contents += operation.get("requestBody", {}).get("content", {}).items()
        for media, content in contents:
            if "json" in media and "ndjson" not in media:
                assert "example" in content, f"{place} {media}"
                schema_of(document, content["schema"]).validate(content["example"])
                examples += 1
        for parameter in operation.get("parameters", []):
            assert parameter["description"], f"{place} {parameter['name']}"
            if "example" in parameter:
                schema_of(document, parameter["schema"]).validate(parameter["example"])
    assert examples > 100


def test_problems_are_documented_where_they_can_happen(document: dict[str, Any]) -> None:
    told = {f"{method} {path}": set(one["responses"]) for method, path, one in operations(document)}
    assert {"200", "304", "400", "404", "406", "409", "413", "500"} <= told["get /v1/candles/{symbol}"]
    assert {"200", "400", "406"} <= told["get /v1/candles"]
    assert {"200", "400", "413", "415"} <= told["post /v1/candles"]
    assert {"200", "400", "409", "413", "415"} <= told["put /v1/flags"]
    retried = [one["responses"][status] for _, _, one in operations(document) for status in ("429",)]
    assert all("Retry-After" in one["headers"] for one in retried)


def test_what_is_not_documented_is_not_allowed(served: Any, document: dict[str, Any]) -> None:
    async def go() -> None:
        transport = httpx.ASGITransport(served, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            for path, methods in document["paths"].items():
                allowed = {method.upper() for method in methods}
                allowed |= {"HEAD"} if "GET" in allowed else set()
                for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"} - allowed:
                    response = await client.request(method, path.replace("{symbol}", "AAPL").replace("{number}", "x"))
                    assert response.status_code == 405, (method, path)
                    assert set(response.headers["allow"].split(", ")) == allowed, (method, path)
                    assert response.headers["content-type"] == "application/problem+json"

    asyncio.run(go())


def test_the_page_is_whole_and_loads_nothing(served: Any, document: dict[str, Any]) -> None:
    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url=ADDRESS) as client:
            return await client.get("/docs")

    response = asyncio.run(go())
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.text == docs_page(document)
    for _, path, operation in operations(document):
        assert f"</b> {path}</h3>" in response.text
        assert operation["description"].split("`")[0].split("\n")[0] in html.unescape(response.text)
    assert not re.findall(r"<script|<link|<img|<iframe|src=|@import|url\(", response.text)
    assert re.findall(r'href="([^"]*)"', response.text) == ["openapi.json"]


def test_a_page_shows_signs_as_they_are() -> None:
    operation = {"tags": ["<b>"], "description": "`a` < b & `c", "responses": {"200": {"description": "<i>"}}}
    document = {"info": {"title": "<t>", "version": "&"}, "paths": {"/<p>": {"get": operation}}}
    page = docs_page(document)
    assert "<title>&lt;t&gt; &amp;</title>" in page
    assert "<p><code>a</code> &lt; b &amp; `c</p>" in page
    assert "/&lt;p&gt;" in page
    for raw in ("<b></h2>", "<i>", "<p></h3>", "<t>"):
        assert raw not in page
