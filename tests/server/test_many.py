"""Many symbols in one request: each one's answer or problem in its place, and limits on all of them together."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import InputError
from candlewick.server.asked import (
    BAR_COLUMNS,
    LONGEST_MANY,
    LONGEST_SYMBOL,
    MOST_BARS,
    MOST_COLUMNS,
    MOST_INDICATORS,
    MOST_SYMBOLS,
    MOST_VALUES,
    asked,
    asked_many,
)
from candlewick.service.request import LIMIT

PATH = "/v1/candles?timeframe=5m&indicators=sma(9)"


def test_each_symbol_has_what_it_has_alone(ask: Any) -> None:
    many = ask("GET", f"{PATH}&symbols=ES%7CZ 24%25,AAPL,NOBODY,BTC/USD")
    assert many.status_code == 200
    assert many.headers["cache-control"] == "no-store"
    found = json.loads(many.text)
    assert list(found) == ["ES|Z 24%", "AAPL", "NOBODY", "BTC/USD"]
    for symbol in ("ES|Z 24%", "AAPL", "BTC/USD"):
        one = ask("GET", f"/v1/candles/{symbol.replace('%', '%25').replace('/', '%2F')}?timeframe=5m&indicators=sma(9)")
        assert found[symbol]["columns"] == one.json()["columns"]
        assert found[symbol]["columns"]["close"]
    assert (found["NOBODY"]["status"], found["NOBODY"]["parameter"]) == (404, "symbol")


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_it_is_packed_as_one(ask: Any, coding: str) -> None:
    accepted = {"Accept-Encoding": coding}
    response = ask("GET", f"{PATH}&symbols=AAPL", headers=accepted)
    assert response.headers.get("content-encoding", "identity") == coding
    content = response.content  # gzip is unpacked by the client
    plain = pa.input_stream(pa.py_buffer(content), compression="zstd").read() if coding == "zstd" else content
    assert list(json.loads(plain)) == ["AAPL"]
    assert "content-encoding" not in ask("GET", f"{PATH}&symbols=NOBODY", headers=accepted).headers


@pytest.mark.parametrize("accept", ["application/vnd.apache.arrow.stream", "text/html"])
def test_it_is_json_only(ask: Any, accept: str) -> None:
    assert ask("GET", f"{PATH}&symbols=AAPL", headers={"Accept": accept}).status_code == 406


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("timeframe=5m", "symbols"),
        ("timeframe=5m&symbols=", "symbols"),
        ("timeframe=5m&symbols=A,,B", "symbols"),
        ("timeframe=5m&symbols=A,B,A", "symbols"),
        ("timeframe=5m&symbols=" + "A" * (LONGEST_SYMBOL + 1), "symbols"),
        ("timeframe=5m&symbols=" + ",".join(f"S{at}" for at in range(MOST_SYMBOLS + 1)), "symbols"),
        ("symbols=A", "timeframe"),
        ("timeframe=5m&symbols=A&symbol=B", "query parameter"),
        (f"timeframe=5m&symbols=A,B&limit={MOST_BARS // 2 + 1}", "limit"),
        ("timeframe=5m&symbols=A&engine=x", "engine"),
        ("timeframe=5m&symbols=" + "x" * LONGEST_MANY, "query"),
        ("timeframe=5m&symbols=A&indicators=" + ",".join(f"sma({at})" for at in range(2, 103)), "indicators"),
        ("timeframe=5m&symbols=A&indicators=" + ",".join(f"macd(12,26,{at})" for at in range(2, 70)), "indicators"),
    ],
)
def test_what_cannot_be_used_is_named(query: str, parameter: str) -> None:
    with pytest.raises(InputError) as raised:
        asked_many(query.encode())
    assert raised.value.parameter == parameter


@given(st.integers(1, MOST_SYMBOLS))
def test_all_of_them_together_have_no_more_bars_than_is_allowed(count: int) -> None:
    found = asked_many(b"timeframe=5m&symbols=" + ",".join(f"S{at}" for at in range(count)).encode())
    limits = {one.limit for one in found.requests}
    assert len(limits) == 1
    limit = limits.pop()
    assert limit * count <= MOST_BARS
    assert limit == LIMIT or (limit + 1) * count > MOST_BARS
    assert [one.symbol for one in found.requests] == [f"S{at}" for at in range(count)]


@given(st.integers(1, MOST_SYMBOLS), st.integers(1, MOST_INDICATORS))
def test_all_of_them_together_have_no_more_values_than_is_allowed(count: int, indicators: int) -> None:
    specs = ",".join(f"macd(12,26,{at})" for at in range(2, 2 + min(indicators, MOST_COLUMNS // 3)))
    query = b"timeframe=5m&symbols=" + ",".join(f"S{at}" for at in range(count)).encode()
    query += b"&indicators=" + specs.encode()
    found = asked_many(query).requests[0]
    columns = BAR_COLUMNS + sum(len(one.columns) for one in found.indicators)
    assert found.limit * columns * count <= MOST_VALUES
    assert asked_many(query + b"&limit=%d" % found.limit).requests[0].limit == found.limit
    if found.limit < LIMIT:
        with pytest.raises(InputError, match=f"at most {found.limit} bars of each of {count} with {columns} columns"):
            asked_many(query + b"&limit=%d" % (found.limit + 1))


@given(st.binary(max_size=60))
def test_any_query_is_parsed_or_refused_in_words(query: bytes) -> None:
    try:
        found = asked_many(query)
    except InputError:
        return
    assert found.requests


def test_one_symbol_has_limits_too() -> None:
    with pytest.raises(InputError, match="query: 9022 bytes are too many"):
        asked("A", b"timeframe=5m&indicators=" + b"x" * 8998)
    with pytest.raises(InputError, match="symbol"):
        asked("A" * (LONGEST_SYMBOL + 1), b"timeframe=5m")
    most = ",".join(f"sma({at})" for at in range(2, 102))
    assert len(asked("A", f"timeframe=5m&indicators={most}".encode()).request.indicators) == 100
