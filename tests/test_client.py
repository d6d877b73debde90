"""Client: the calls of a server, its errors as themselves, and a server that is none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.client import Client, columns_of
from candlewick.errors import InputError, LimitError, OverloadedError, UnknownSeriesError, UnreachableError
from candlewick.server.problem import problem_of

ADDRESS = "http://127.0.0.1:8787"


def client(answer: Any) -> tuple[Client, list[httpx.Request]]:
    """A client whose requests ``answer`` answers, and those requests."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    return Client(f"{ADDRESS}/", transport=httpx.MockTransport(handle)), seen


def test_a_question_is_asked_as_http_takes_it() -> None:
    one, seen = client({"columns": {}})
    with one:
        one.candles("BTC/USD|X", "5m", start=None, indicators="sma(9)", final_only=True, limit=7)
    assert seen[0].url.raw_path.startswith(b"/v1/candles/BTC%2FUSD%7CX?")
    assert dict(seen[0].url.params) == {"timeframe": "5m", "indicators": "sma(9)", "final_only": "true", "limit": "7"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", "text/csv"),
        ("a.CSV.GZ", "application/gzip"),
        ("a.zip", "application/zip"),
        ("a.parquet", "application/vnd.apache.parquet"),
        ("a.arrows", "application/vnd.apache.arrow.stream"),
        ("a.feather", "application/vnd.apache.arrow.file"),
    ],
)
def test_a_file_is_sent_as_it_is(tmp_path: Path, name: str, kind: str) -> None:
    content = gzip.compress(b"x" * 1000)
    (tmp_path / name).write_bytes(content)
    one, seen = client({"rows": 0})
    assert one.ingest(tmp_path / name, calendar="24/7", symbol="A") == {"rows": 0}
    assert seen[0].content == content
    assert seen[0].headers["content-type"] == kind
    assert seen[0].headers["content-length"] == str(len(content))
    assert "transfer-encoding" not in seen[0].headers
    assert dict(seen[0].url.params) == {"calendar": "24/7", "timeframe": "1m", "symbol": "A", "name": name}


@pytest.mark.parametrize(
    "error", [UnknownSeriesError("symbol", "SPX", ["SPY"]), LimitError(10, 11), OverloadedError(3, 2.0)]
)
def test_an_error_of_the_server_is_raised_as_itself(error: Exception) -> None:
    problem = problem_of(error)  # type: ignore[arg-type]
    headers = {"content-type": "application/problem+json"}
    one, _ = client(httpx.Response(problem.status, content=problem.json(), headers=headers))
    with pytest.raises(type(error)) as caught:
        one.symbols()
    assert str(caught.value) == str(error)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.ConnectError("refused"), "refused"),
        (httpx.ReadTimeout(""), "ReadTimeout"),
        (httpx.Response(404, text="<html>"), "it answered 404 to GET /v1/health/live"),
        (httpx.Response(200, text="<html>"), "is no JSON"),
        (
            httpx.Response(500, text="<html>", headers={"content-type": "application/problem+json"}),
            "is no JSON",
        ),
    ],
)
def test_what_is_no_candlewick_server_is_unreachable(answer: Any, said: str) -> None:
    one, _ = client(answer)
    with pytest.raises(UnreachableError, match=f"server: {ADDRESS} cannot be reached: .*{said}"):
        one.about()


@given(
    st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=20),
    st.lists(st.integers(-(10**12), 10**12), max_size=20),
)
def test_numbers_cross_bit_for_bit(values: list[float | None], times: list[int]) -> None:
    told = json.loads(json.dumps({"columns": {"time": times, "n": [1], "final": [True], "sma_2": values}}))
    columns = columns_of(told)
    right = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    assert columns["sma_2"].tobytes() == right.tobytes()
    assert columns["time"].astype("datetime64[ms]").astype(np.int64).tolist() == times
    assert (columns["n"].dtype, columns["final"].dtype) == (np.int32, np.bool_)


@pytest.mark.parametrize("address", ["127.0.0.1:8787", "ftp://127.0.0.1", ""])
def test_an_address_is_one_of_http(address: str) -> None:
    with pytest.raises(InputError, match="address"):
        Client(address)
