"""GET /v1/explain."""

from __future__ import annotations

import pytest

from candlewick.errors import KilledError
from candlewick.explain.explain import explain
from candlewick.service.request import Request

ASKED = {"symbol": "AAPL", "timeframe": "5m", "at": "2024-01-02T15:30:00Z", "column": "bollinger_20_2_upper"}


def test_it_is_what_the_library_says(ask, application) -> None:
    response = ask("GET", "/v1/explain", params=ASKED)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    told = response.json()
    own = explain(
        application.service, application.store, Request.of("AAPL", "5m"), ASKED["at"], ASKED["column"]
    ).as_dict()
    assert told | {"arm": "explicit", "fingerprint": ""} == own | {"fingerprint": ""}
    assert told["arm"] == "classic"


def test_symbols_dates_and_options(ask, application) -> None:
    about = {"symbol": "BTC/USD", "timeframe": "15m", "at": "2024-01-02T15:00:00+00:00", "column": "n"}
    told = ask(
        "GET",
        "/v1/explain",
        params=about | {"engine": "classic", "source": "1m", "zero_volume": "drop"},
        headers={"X-Candlewick-Client": "desk"},
    ).json()
    assert (told["value"], told["arm"], told["series"]["zero_volume"]) == (15.0, "explicit", "drop")
    assert application.clients[-1] == "desk"
    day = ask("GET", "/v1/explain", params=ASKED | {"at": "2024-01-02", "column": "open"}).json()
    assert (day["at"], day["value"]) == ("2024-01-02T14:30:00Z", 100.0)


@pytest.mark.parametrize(
    ("change", "status", "parameter"),
    [
        ({"symbol": "NOBODY"}, 404, "symbol"),
        ({"symbol": ""}, 400, "symbol"),
        ({"timeframe": "5x"}, 400, "timeframe"),
        ({"at": "2024-01-02T15:31:00Z"}, 400, "at"),
        ({"at": "2024-01-02T15:30:00"}, 400, "at"),
        ({"at": "2024-01-02T15:30:00 00:00"}, 400, "at"),
        ({"at": "2024-13-02"}, 400, "at"),
        ({"column": "bollinger_20_upper"}, 400, "column"),
        ({"column": ""}, 400, "column"),
        ({"column": "x" * 300}, 400, "column"),
        ({"column": "final"}, 400, "column"),
        ({"engine": "fast"}, 400, "engine"),
        ({"zero_volume": "maybe"}, 400, "zero_volume"),
        ({"source": "3m"}, 400, "source"),
        ({"bars": "5"}, 400, "query parameter"),
    ],
)
def test_what_is_wrong_is_named(ask, change: dict[str, str], status: int, parameter: str) -> None:
    response = ask("GET", "/v1/explain", params=ASKED | change)
    assert (response.status_code, response.json().get("parameter")) == (status, parameter)
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", list(ASKED))
def test_what_is_missing_is_named(ask, name: str) -> None:
    document = ask("GET", "/v1/explain", params={key: value for key, value in ASKED.items() if key != name}).json()
    assert (document["status"], document["parameter"], document["problem"]) == (400, name, "is missing")


def test_the_nearest_is_told(ask) -> None:
    document = ask("GET", "/v1/explain", params=ASKED | {"column": "bollinger_20_upper"}).json()
    assert document["nearest"][0] == "bollinger_20_2_upper"
    document = ask("GET", "/v1/explain", params=ASKED | {"at": "2024-01-02T15:31:00Z"}).json()
    assert "2024-01-02T15:30:00Z and 2024-01-02T15:35:00Z" in document["detail"]


def test_a_killed_engine_is_refused(ask, application) -> None:
    def killed(*_: object) -> None:
        raise KilledError("engine: 'optimized' is killed")

    application.hooks["explain"] = killed
    assert ask("GET", "/v1/explain", params=ASKED | {"engine": "optimized"}).status_code == 409
