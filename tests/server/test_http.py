"""The application over HTTP: routes, headers, problem documents."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import httpx
import numpy as np
import pytest

from candlewick.engine.query import query
from candlewick.errors import (
    DeadlineError,
    EngineError,
    KilledError,
    OverloadedError,
    StoreError,
)
from candlewick.server.http import create_app
from candlewick.service.request import Request

PROBLEM = "application/problem+json"


def strict(text: str) -> Any:
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def problem(response, status, kind):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    document = strict(response.text)
    assert document["status"] == status
    assert document["type"] == (kind if kind == "about:blank" else f"urn:candlewick:problem:{kind}")
    assert document["title"]
    assert document["detail"]
    return document


def test_bars_and_indicators_are_those_of_the_library(ask, application):
    response = ask("GET", "/v1/candles/AAPL?timeframe=5m&indicators=sma(9),rsi(14)&start=2024-01-02T15:00:00Z")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = strict(response.text)
    assert list(answer) == ["symbol", "timeframe", "source", "engine", "revision", "fingerprint", "columns"]
    right = query(application.store, "AAPL", "5m", "sma(9),rsi(14)", start="2024-01-02T15:00:00Z")
    columns = answer["columns"]
    assert columns["time"] == (right.bars.microseconds // 1000).tolist()
    for name in ("sma_9", "rsi_14"):
        got = np.array([np.nan if value is None else value for value in columns[name]])
        np.testing.assert_array_equal(got, right.indicators[name])
    assert None in columns["rsi_14"]


@pytest.mark.parametrize(
    ("path", "symbol"),
    [("BTC%2FUSD", "BTC/USD"), ("BTC/USD", "BTC/USD"), ("ES%7CZ%2024%25", "ES|Z 24%")],
)
def test_symbols_with_signs_work_percent_encoded(ask, path, symbol):
    response = ask("GET", f"/v1/candles/{path}?timeframe=1h")
    assert response.status_code == 200
    assert response.json()["symbol"] == symbol


def test_an_answer_that_the_caller_has_already_is_not_sent_again(ask):
    first = ask("GET", "/v1/candles/AAPL?timeframe=5m", headers={"Accept-Encoding": "identity"})
    tag = first.headers["etag"]
    assert re.fullmatch(r'"classic-1-[0-9a-f]{32}"', tag)
    plain = {"If-None-Match": f'"other", W/{tag}', "Accept-Encoding": "identity"}
    again = ask("GET", "/v1/candles/AAPL?timeframe=5m", headers=plain)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = ask("GET", "/v1/candles/AAPL?timeframe=5m&end=2024-01-02T15:00:00Z", headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_the_client_of_a_request_is_handed_on(ask, application):
    ask("GET", "/v1/candles/AAPL?timeframe=5m", headers={"X-Candlewick-Client": "desk-7"})
    ask("GET", "/v1/candles/AAPL?timeframe=5m")
    assert application.clients == ["desk-7", None]
    document = problem(
        ask("GET", "/v1/candles/AAPL?timeframe=5m", headers={"X-Candlewick-Client": "x" * 201}), 400, "input"
    )
    assert document["parameter"] == "X-Candlewick-Client"


def test_how_an_answer_came_about_is_in_its_headers(ask):
    auto = ask("GET", "/v1/candles/AAPL?timeframe=5m").headers
    assert (auto["x-candlewick-arm"], auto["x-candlewick-fallback"], auto["x-candlewick-cache"]) == (
        "classic",
        "false",
        "none",
    )
    assert ask("GET", "/v1/candles/AAPL?timeframe=5m&engine=classic").headers["x-candlewick-arm"] == "explicit"


def test_what_can_be_answered_at_once_needs_no_thread(serve, application):
    request = Request.of("AAPL", "5m")
    application.remembered[request] = application.candles(request)
    application.hooks["candles"] = lambda *_: pytest.fail("it was answered already")

    async def go():
        async with serve(application) as client:
            return await client.get("/v1/candles/AAPL?timeframe=5m"), client.serving.reads.stats()["inside"]

    response, inside = asyncio.run(go())
    assert (response.status_code, inside) == (200, 0)
    assert response.content == application.remembered[request].answer.json()


def test_a_long_answer_is_encoded_in_a_thread(serve, application, monkeypatch):
    monkeypatch.setattr("candlewick.server.hot.INLINE", 10)
    request = Request.of("AAPL", "5m")
    application.remembered[request] = application.candles(request)

    async def go():
        async with serve(application) as client:
            return await client.get("/v1/candles/AAPL?timeframe=5m")

    assert asyncio.run(go()).content == application.remembered[request].answer.json()


def test_symbols_are_listed(ask, application):
    listed = ask("GET", "/v1/symbols").json()
    assert listed == [one.as_dict() for one in application.store.series()]
    assert [one["symbol"] for one in listed] == ["AAPL", "BTC/USD", "ES|Z 24%"]


@pytest.mark.parametrize(
    ("query", "kind", "parameter", "value"),
    [
        ("", "input", "timeframe", None),
        ("timeframe=7x", "input", "timeframe", "7x"),
        ("timeframe=5m&timeframe=5m", "input", "timeframe", "5m"),
        ("timeframe=5m&engine=fast", "unknown-name", "engine", "fast"),
        ("timeframe=5m&colour=red", "unknown-name", "query parameter", "colour"),
        ("timeframe=5m&start=2024-01-02T09:30:00", "naive-time", "start", "2024-01-02T09:30:00"),
        ("timeframe=5m&start=2024-01-02T09:30:00+02:00", "input", "start", "2024-01-02T09:30:00 02:00"),
        ("timeframe=5m&end=2024-02-30", "input", "end", "2024-02-30"),
        ("timeframe=5m&start=soon", "input", "start", "soon"),
        ("timeframe=5m&limit=-1", "input", "limit", "-1"),
        ("timeframe=5m&limit=0", "input", "limit", 0),
        ("timeframe=5m&final_only=yes", "input", "final_only", "yes"),
        ("timeframe=5m&zero_volume=none", "unknown-name", "zero_volume", "none"),
        ("timeframe=5m&source=2m", "input", "source", "2m"),
        ("timeframe=5m&start=2024-01-03&end=2024-01-02", "input", "end", "2024-01-02"),
    ],
)
def test_what_cannot_be_used_is_named(ask, query, kind, parameter, value):
    document = problem(ask("GET", f"/v1/candles/AAPL?{query}"), 400, kind)
    assert (document["parameter"], document["value"]) == (parameter, value)
    assert document["expected"]


def test_unknown_indicators_say_what_is_near(ask):
    document = problem(ask("GET", "/v1/candles/AAPL?timeframe=5m&indicators=smaa(9)"), 400, "unknown-name")
    assert "sma" in document["nearest"]


def test_an_unknown_symbol_is_not_found(ask):
    document = problem(ask("GET", "/v1/candles/AAPLE?timeframe=5m"), 404, "unknown-series")
    assert (document["parameter"], document["value"], document["nearest"]) == ("symbol", "AAPLE", ["AAPL"])
    assert problem(ask("GET", "/v1/candles/?timeframe=5m"), 400, "input")["parameter"] == "symbol"


def test_an_answer_beyond_its_limit_is_refused(ask):
    document = problem(ask("GET", "/v1/candles/AAPL?timeframe=5m&limit=77"), 413, "limit")
    assert (document["parameter"], document["value"], document["bars"]) == ("limit", 77, 78)
    assert ask("GET", "/v1/candles/AAPL?timeframe=5m&limit=78").status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (KilledError("engine optimized is killed"), 409, "killed"),
        (OverloadedError(7, 2.4), 503, "overloaded"),
        (DeadlineError(1.0), 504, "deadline"),
        (StoreError("store: disk is full"), 503, "store"),
        (EngineError("optimized", "ZeroDivisionError", "division by zero"), 500, "engine"),
    ],
)
def test_each_error_has_its_status(ask, application, error, status, kind):
    def fail(*_):
        raise error

    application.hooks["candles"] = fail
    response = ask("GET", "/v1/candles/AAPL?timeframe=5m")
    document = problem(response, status, kind)
    assert document["detail"] == str(error)
    assert response.headers.get("retry-after") == ("2" if kind == "overloaded" else None)


def test_a_defect_shows_nothing_of_its_inside(ask, application):
    def fail(*_):
        raise RuntimeError("secret of the house")

    application.hooks["candles"] = fail
    response = ask("GET", "/v1/candles/AAPL?timeframe=5m")
    problem(response, 500, "about:blank")
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    assert 'candlewick_http_responses_total{method="GET",route="/v1/candles/{symbol:path}",status="500"} 1.0' in (
        application.monitor.render().decode()
    )


def test_what_is_not_there_and_what_is_not_for_it(ask):
    assert "nothing is at /v2/candles" in problem(ask("GET", "/v2/candles"), 404, "about:blank")["detail"]
    response = ask("DELETE", "/v1/flags")
    assert "DELETE is not for /v1/flags" in problem(response, 405, "about:blank")["detail"]
    assert response.headers["allow"]


@pytest.mark.parametrize("path", ["/v1/candles/AAPL?timeframe=5m", "/v1/flags", "/health/live", "/metrics"])
@pytest.mark.parametrize(
    "headers", [{"Host": "candles.example"}, {"Host": ""}, {"Origin": "https://candles.example"}, {"Origin": "null"}]
)
def test_what_does_not_ask_for_this_machine_is_refused(ask, application, path, headers):
    application.hooks["candles"] = lambda *_: pytest.fail("it must not get this far")
    problem(ask("GET", path, headers=headers), 403, "about:blank")


def test_the_interface_is_described(ask):
    described = ask("GET", "/openapi.json").json()
    assert {"/v1/candles/{symbol}", "/v1/candles", "/v1/flags", "/v1/rollout", "/v1/symbols", "/v1/status"} <= set(
        described["paths"]
    )
    names = [one["name"] for one in described["paths"]["/v1/candles/{symbol}"]["get"]["parameters"]]
    assert {"symbol", "timeframe", "indicators", "engine"} <= set(names)


def test_responses_are_counted_by_pattern(ask, application):
    ask("GET", "/v1/candles/AAPL?timeframe=5m")
    ask("GET", "/v1/candles/BTC%2FUSD?timeframe=5m")
    ask("GET", "/v1/candles/NOBODY?timeframe=5m")
    ask("BREW", "/coffee")
    text = ask("GET", "/metrics").text
    route = 'route="/v1/candles/{symbol:path}"'
    assert f'candlewick_http_responses_total{{method="GET",{route},status="200"}} 2.0' in text
    assert f'candlewick_http_responses_total{{method="GET",{route},status="404"}} 1.0' in text
    assert 'candlewick_http_responses_total{method="other",route="none",status="404"} 1.0' in text
    assert "coffee" not in text
    assert "AAPL" not in text


def test_a_server_of_other_addresses_takes_other_names(application):
    async def go():
        app = create_app(application, keyed=True)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://candles.example") as client:
            response = await client.get("/health/live")
        app.state.serving.close()
        return response.status_code

    assert asyncio.run(go()) == 200


def test_what_the_framework_refuses_is_a_problem_too(application):
    async def go():
        app = create_app(application)

        @app.get("/typed")
        async def typed(number: int) -> int:
            return number

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            response = await client.get("/typed?number=x")
        app.state.serving.close()
        return response

    assert problem(asyncio.run(go()), 400, "about:blank")["detail"].startswith("query.number: ")


def test_what_fails_before_the_framework_is_told_and_counted(serve, application):
    def fail(*_):
        raise RuntimeError("secret of the house")

    application.hooks["quick"] = fail
    response = asyncio.run(_once(serve(application)))
    problem(response, 500, "about:blank")
    assert "secret" not in response.text
    assert 'status="500"} 1.0' in application.monitor.render().decode()


async def _once(client: httpx.AsyncClient) -> httpx.Response:
    async with client:
        return await client.get("/v1/candles/AAPL?timeframe=5m")
