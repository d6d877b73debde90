"""Split factors over HTTP: kept, listed, removed, and candles adjusted by them."""

from __future__ import annotations

import json
from typing import Any

import pytest

PATH = "/v1/candles/AAPL?timeframe=5m&indicators=sma(3)&engine=classic"
EXPLAIN = "/v1/explain?symbol=AAPL&timeframe=5m&at=2024-01-02T15:30:00Z&column=sma_3"
JSON = {"content-type": "application/json"}


def put(ask: Any, **change: Any) -> Any:
    return ask("PUT", "/v1/splits", headers=JSON, content=json.dumps(change))


def test_a_factor_is_kept_listed_and_removed(ask: Any) -> None:
    assert ask("GET", "/v1/splits").json() == []
    kept = {"symbol": "AAPL", "time": "2024-01-02T16:00:00Z", "factor": 7.0, "ratio": "7:1"}
    assert put(ask, symbol="AAPL", at="2024-01-02T16:00:00Z", factor="7:1").json() == kept
    date = put(ask, symbol="SPY", at="2024-01-02", factor=0.1, calendar="XNYS").json()
    assert date == {"symbol": "SPY", "time": "2024-01-02T05:00:00Z", "factor": 0.1, "ratio": "1:10"}
    assert ask("GET", "/v1/splits").json() == [kept, date]
    assert put(ask, symbol="AAPL", at="2024-01-02T16:00:00Z", factor=None).json() == kept
    gone = put(ask, symbol="AAPL", at="2024-01-02T16:00:00Z", factor=None)
    assert (gone.status_code, gone.json()["detail"]) == (
        400,
        "at: '2024-01-02T16:00:00Z' is not the time of a factor; see GET /v1/splits",
    )
    assert ask("GET", "/v1/splits").json() == [date]


def test_adjusted_is_another_answer_by_another_name(ask: Any) -> None:
    plain = ask("GET", PATH)
    put(ask, symbol="AAPL", at="2024-01-02T16:00:00Z", factor=2)
    raw, found = ask("GET", f"{PATH}&adjusted=false"), ask("GET", f"{PATH}&adjusted=true")
    assert raw.json()["columns"] == plain.json()["columns"]
    assert raw.headers["etag"] == plain.headers["etag"] != found.headers["etag"]
    closes, before = found.json()["columns"]["close"], raw.json()["columns"]["close"]
    assert closes[:18] == [one / 2 for one in before[:18]]
    assert closes[18:] == before[18:]
    again = ask("GET", f"{PATH}&adjusted=true", headers={"if-none-match": found.headers["etag"]})
    assert again.status_code == 304
    many = ask("GET", "/v1/candles?symbols=AAPL&timeframe=5m&adjusted=true").json()
    assert many["AAPL"]["columns"]["close"] == closes
    told = ask("GET", f"{EXPLAIN}&adjusted=true").json()
    assert [one["ratio"] for one in told["series"]["splits"]] == ["2:1"]
    assert ask("GET", EXPLAIN).json()["series"]["splits"] == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"symbol": "AAPL", "at": "2024-01-02T16:00:00Z", "factor": 1}, "factor: 1 is not valid"),
        ({"symbol": "AAPL", "at": "2024-01-02T16:00:00Z", "factor": True}, "factor: True is not valid"),
        ({"symbol": "AAPL", "at": "2024-01-02T16:00:00", "factor": 2}, "has no timezone"),
        ({"symbol": "AAPL", "at": "2024-01-06", "factor": 2}, "is not a session of XNYS"),
        ({"symbol": "AAPL", "at": 5, "factor": 2}, "at: 5 is not valid"),
        ({"symbol": " ", "at": "2024-01-02", "factor": 2}, "symbol: ' ' is not valid; give a symbol, as text"),
        ({"symbol": "AAPL", "at": "2024-01-02", "factor": 2, "calendar": 3}, "calendar: 3 is not valid"),
        ({"symbol": "AAPL", "at": "2024-01-02"}, "factor: None is missing"),
        ({"symbol": "AAPL", "at": "2024-01-02", "factor": 2, "why": "x"}, "body member: 'why'"),
    ],
)
def test_what_cannot_be_kept_is_told(ask: Any, change: dict[str, Any], says: str) -> None:
    refused = put(ask, **change)
    assert (refused.status_code, says in refused.json()["detail"]) == (400, True), refused.text
    assert ask("GET", "/v1/splits").json() == []


def test_adjusted_is_true_or_false(ask: Any) -> None:
    for path in (PATH, EXPLAIN):
        assert "adjusted: 'yes' is not valid; give true or false" in ask("GET", f"{path}&adjusted=yes").json()["detail"]
