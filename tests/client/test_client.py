"""Client: an answer over HTTP is the library's, bit for bit; each call, and how it is asked."""

from __future__ import annotations

import datetime as dt
import gzip
import pickle
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import candlewick as cw
from candlewick.candles import VALUES
from candlewick.client import Client, ServedAnswer
from candlewick.errors import (
    InputError,
    LimitError,
    NaiveTimeError,
    UnknownNameError,
    UnknownSeriesError,
    UnreachableError,
)
from candlewick.service.request import Request

START = dt.datetime(2024, 1, 2, 14, 30, tzinfo=dt.UTC)
INSIDE = st.integers(-30, 1700).map(lambda minute: START + dt.timedelta(minutes=minute))
EDGES = st.none() | st.one_of(
    INSIDE,
    INSIDE.map(lambda at: at.isoformat()),
    INSIDE.map(lambda at: np.datetime64(at.replace(tzinfo=None), "us")),
    INSIDE.map(lambda at: int(at.timestamp()) * 1_000_000),
    st.sampled_from(["2024-01-02", dt.date(2024, 1, 3), np.datetime64("2024-01-03", "D")]),
)
INDICATORS = st.sampled_from([None, "sma(3)", "desk", ["sma(3)", cw.VWAP()], cw.SMA(3), "sma(3),vwap"])
SYMBOLS = ("SPY", "BTC/USD", "ES|Z 24%")


def bits(values: Any) -> bytes:
    """The bytes of a column; every undefined value is the same one."""
    array = np.asarray(values)
    return (np.where(np.isnan(array), np.nan, array) if array.dtype.kind == "f" else array).tobytes()


def same(left: Any, right: Any) -> bool:
    """True when both have the same columns, of the same types, bit for bit."""
    return list(left) == list(right) and all(
        left[name].dtype == right[name].dtype and bits(left[name]) == bits(right[name]) for name in left
    )


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(SYMBOLS),
    st.sampled_from(["1m", "5m", "90m", "1d", "1w"]),
    INDICATORS,
    EDGES,
    EDGES,
    st.sampled_from(["classic", "optimized", "auto"]),
    st.sampled_from(["keep", "drop"]),
    st.booleans(),
)
def test_an_answer_over_http_is_the_librarys_bit_for_bit(
    serving: Any,
    symbol: str,
    timeframe: str,
    indicators: Any,
    start: Any,
    end: Any,
    engine: str,
    zero_volume: str,
    final_only: bool,
) -> None:
    asked = {"start": start, "end": end, "zero_volume": zero_volume, "final_only": final_only}
    try:
        right = serving.application.candles(Request.of(symbol, timeframe, indicators, **asked), engine).answer
    except cw.InputError as error:  # a range that ends before it starts
        with pytest.raises(type(error)):
            serving.client.candles(symbol, timeframe, indicators, engine=engine, **asked)
        return
    answer = serving.client.candles(symbol, timeframe, indicators, engine=engine, **asked)
    assert same(answer.columns, right.columns)
    assert (answer.symbol, answer.timeframe, answer.source) == (symbol, right.bars.timeframe, right.source)
    assert (answer.engine, answer.revision, answer.fingerprint) == (right.engine, right.revision, right.fingerprint)
    if right.engine == "optimized":
        found = cw.query(serving.store, symbol, timeframe, indicators, complete_until="2024-02-05T00:00Z", **asked)
        assert all(bits(answer[name]) == bits(getattr(found.bars, name)) for name in ("time", *VALUES, "n", "final"))
        assert same(answer.indicators, dict(found.indicators or {}))


def test_an_answer_is_frozen_and_speaks_arrow(serving: Any) -> None:
    answer = serving.client.candles("SPY", "5m", "sma(3),vwap")
    assert list(answer.columns)[-2:] == ["sma_3", "vwap"] == list(answer.indicators)
    assert (answer["time"] == answer.time).all()
    with pytest.raises(ValueError, match="read-only"):
        answer["close"][0] = 1.0
    with pytest.raises(TypeError):
        answer.columns["close"] = answer["open"]
    for change in (lambda: setattr(answer, "symbol", "X"), lambda: delattr(answer, "symbol")):
        with pytest.raises(AttributeError, match="ServedAnswer is frozen"):
            change()
    with pytest.raises(UnknownNameError, match="'sma_4' is unknown; nearest: sma_3"):
        answer["sma_4"]
    table = pa.table(answer)
    assert table.column_names == list(answer.columns)
    assert table.schema.metadata[b"candlewick.revision"] == str(answer.revision).encode()
    assert pl.DataFrame(answer)["sma_3"].null_count() == 2
    assert answer.to_pandas().index.name == "time"
    assert pickle.loads(pickle.dumps(answer)) == answer
    assert answer.arm == pickle.loads(pickle.dumps(answer)).arm
    again = cw.from_frame(answer, symbol="SPY", timeframe="5m", calendar="XNYS")
    assert bits(again.close) == bits(answer["close"])


def test_an_answer_shows_what_it_is(serving: Any) -> None:
    answer = serving.client.candles("SPY", "1d", engine="optimized")
    title = f"ServedAnswer SPY 1d of 1m candles, optimized, revision {answer.revision}: 1 row"
    assert repr(answer).startswith(f"<{title}>\n")
    assert answer._repr_html_().startswith(f"<div><p><b>{title}, 1 final, 2024-01-02T14:30:00Z to ")


def test_many_are_answered_in_order_and_an_error_harms_no_other(serving: Any) -> None:
    found = serving.client.candles_many(["SPY", "SPX", *SYMBOLS], "5m", "sma(3)", engine="optimized")
    assert [getattr(one, "symbol", type(one)) for one in found] == ["SPY", UnknownSeriesError, *SYMBOLS]
    assert found[0] == serving.client.candles("SPY", "5m", "sma(3)", engine="optimized")


def test_errors_of_the_server_are_raised_as_themselves(serving: Any) -> None:
    client = serving.client
    with pytest.raises(UnknownSeriesError, match="symbol: 'SPX' is not in the store; nearest: SPY"):
        client.candles("SPX", "5m")
    with pytest.raises(LimitError, match="limit: 3 is less than the") as caught:
        client.candles("SPY", "5m", limit=3)
    assert caught.value.bars == 78
    with pytest.raises(UnknownNameError, match="engine"):
        client.candles("SPY", "5m", engine="fast")


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"timeframe": "7x"}, InputError, "timeframe"),
        ({"start": "2024-01-02T10:00"}, NaiveTimeError, "start"),
        ({"end": START.replace(tzinfo=None)}, NaiveTimeError, "end"),
        ({"end": np.datetime64("NaT", "D")}, InputError, "end: None is missing"),
        ({"start": 1.5}, InputError, "start"),
        ({"source": "x"}, InputError, "source"),
        ({"symbol": ""}, InputError, "symbol: '' is not valid; give the name of a stored symbol"),
        ({"symbol": None}, InputError, "symbol"),
    ],
)
def test_what_cannot_be_asked_is_refused_here(told: Any, asked: Any, error: type[Exception], said: str) -> None:
    client, seen = told({})
    with pytest.raises(error, match=said):
        client.candles(**({"symbol": "SPY", "timeframe": "5m"} | asked))
    assert seen == []


def test_a_question_is_asked_as_http_takes_it(told: Any) -> None:
    client, seen = told(httpx.Response(404))
    with pytest.raises(UnreachableError):
        client.candles(
            "BTC/USD|X",
            "5m",
            [cw.SMA(9), "desk"],
            start=START,
            end=dt.date(2024, 1, 3),
            source="1m",
            zero_volume="drop",
            final_only=True,
            limit=7,
        )
    assert seen[0].url.raw_path.startswith(b"/v1/candles/BTC%2FUSD%7CX?")
    assert dict(seen[0].url.params) == {
        "timeframe": "5m",
        "indicators": "sma(9),desk",
        "start": "2024-01-02T14:30:00Z",
        "end": "2024-01-03",
        "engine": "auto",
        "source": "1m",
        "zero_volume": "drop",
        "final_only": "true",
        "limit": "7",
    }


def test_the_server_sends_only_what_has_changed(serving: Any) -> None:
    status: list[int] = []
    with Client(serving.address) as client:
        client._connection._http.event_hooks = {"response": [lambda response: status.append(response.status_code)]}
        first = client.candles("SPY", "5m", "desk", engine="optimized")
        again = client.candles("SPY", "5m", "desk", engine="optimized")
        assert (status, again) == ([200, 304], first)
        assert again["close"].base is first["close"].base
        assert again.cache == "hit"
        client.candles("SPY", "5m", "desk", engine="optimized", limit=1000)
        serving.store.upsert(minutes_later(serving))
        changed = client.candles("SPY", "5m", "desk", engine="optimized")
        assert status == [200, 304, 200, 200]
        assert changed.revision == first.revision + 1
        assert len(changed) == len(first) + 1


def minutes_later(serving: Any) -> cw.Candles:
    """One candle, in the session after the newest of SPY."""
    one = serving.store.latest("SPY", "1m")
    about = {name: getattr(one, name) for name in VALUES}
    return cw.Candles(symbol="SPY", timeframe="1m", calendar="XNYS", time=["2024-01-03T15:00Z"], **about)


def test_what_is_stored(serving: Any) -> None:
    assert serving.client.symbols() == serving.store.series()


def test_candles_frames_and_files_are_stored_alike(serving: Any, tmp_path: Path) -> None:
    store, client = serving.store, serving.client
    sent = store.read("BTC/USD", "1m").rows(0, 20)
    frame = sent.to_pandas().rename(columns=str.upper)
    frame.to_csv(tmp_path / "a.csv")
    sent.to_polars().write_parquet(tmp_path / "a.parquet")
    local = frame.tz_convert("Asia/Tokyo").tz_localize(None)
    ways: list[tuple[Any, dict[str, str]]] = [
        (cw.Candles.from_arrow(sent, symbol="N0"), {}),
        (frame, {"symbol": "N1", "calendar": "24/7"}),
        (sent.to_polars(), {"symbol": "N2", "calendar": "24/7", "timeframe": "1m"}),
        (local, {"symbol": "N3", "calendar": "24/7", "timezone": "Asia/Tokyo"}),
        (tmp_path / "a.csv", {"symbol": "N4", "calendar": "24/7"}),
        (str(tmp_path / "a.parquet"), {"symbol": "N5", "calendar": "24/7"}),
        (pa.table(sent), {"symbol": "N6", "calendar": "24/7"}),
    ]
    for at, (given_, about) in enumerate(ways):
        summary = client.ingest(given_, **about)
        assert (summary.rows, summary.inserted, summary.symbols) == (20, 20, [f"N{at}"])
        assert client.ingest(given_, **about).unchanged == 20
        assert bits(store.read(f"N{at}", "1m").close) == bits(sent.close)
        store.delete(f"N{at}")


@pytest.mark.parametrize(
    ("given_", "about", "said"),
    [
        ("absent.csv", {"calendar": "24/7"}, "candles: 'absent.csv' is no file"),
        (".", {"calendar": "24/7"}, "is no file"),
        (7, {"calendar": "24/7"}, "candles: 'int' cannot be sent; give Candles, a frame"),
        (pd.DataFrame({"time": []}), {}, "calendar: None is missing; there is no default"),
    ],
)
def test_what_cannot_be_sent_is_refused_here(told: Any, given_: Any, about: dict[str, str], said: str) -> None:
    client, seen = told({})
    with pytest.raises(InputError, match=said):
        client.ingest(given_, **about)
    assert seen == []


SUMMARY = {
    **dict.fromkeys(("rows", "inserted", "updated", "unchanged", "duplicates", "quarantined", "off_session"), 0),
    "seconds": 0.1,
    "symbols": [],
    "warnings": [],
    "of_a_newer_server": 1,
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", "text/csv"),
        ("a.CSV.GZ", "application/gzip"),
        ("a.zip", "application/zip"),
        ("a.parquet", "application/vnd.apache.parquet"),
        ("a.arrows", "application/vnd.apache.arrow.stream"),
        ("a.feather", "application/vnd.apache.arrow.file"),
        ("a.ndjson", "application/x-ndjson"),
    ],
)
def test_a_file_is_sent_as_it_is(told: Any, tmp_path: Path, name: str, kind: str) -> None:
    content = gzip.compress(b"x" * 1000)
    (tmp_path / name).write_bytes(content)
    client, seen = told(SUMMARY)
    assert client.ingest(tmp_path / name, calendar="24/7", symbol="A").rows == 0
    assert seen[0].content == content
    assert seen[0].headers["content-type"] == kind
    assert seen[0].headers["content-length"] == str(len(content))
    assert "transfer-encoding" not in seen[0].headers
    assert dict(seen[0].url.params) == {"calendar": "24/7", "symbol": "A", "name": name}


def test_flags_rollout_and_status(serving: Any) -> None:
    client = serving.client
    before = {one["name"]: one["value"] for one in client.flags()}
    found = client.set_flag("max_cache_mb", 128, "a test")
    assert (found["name"], found["value"], before["max_cache_mb"]) == ("max_cache_mb", 128, 512)
    with pytest.raises(InputError, match="max_cache_mb"):
        client.set_flag("max_cache_mb", -1, "a test")
    assert client.rollout()["percentage"] == 0
    assert client.status()["pid"] == client.about()["pid"]


def test_what_can_be_computed(serving: Any) -> None:
    found = serving.client.indicators()
    assert "sma" in [one["name"] for one in found["indicators"]]
    assert found["presets"]


@pytest.mark.parametrize("at", [START + dt.timedelta(hours=1), "2024-01-02T15:30:00Z"])
def test_where_a_value_comes_from(serving: Any, at: Any) -> None:
    found = serving.client.explain("BTC/USD", "5m", at, "sma_3", engine="optimized", source="1m", zero_volume="drop")
    asked = {"symbol": "BTC/USD", "timeframe": "5m", "column": "sma_3", "engine": "optimized"}
    assert {name: found[name] for name in asked} == asked
    answer = serving.client.candles("BTC/USD", "5m", "sma(3)", engine="optimized", zero_volume="drop")
    assert [found["value"]] == answer["sma_3"][answer.time == np.datetime64("2024-01-02T15:30")].tolist()
    with pytest.raises(UnknownNameError, match="smq"):
        serving.client.explain("BTC/USD", "5m", at, "smq_3")


def test_a_client_shows_its_address_alone() -> None:
    key = f"cw_{'0' * 8}_{'a' * 64}"
    with cw.connect("http://127.0.0.1:8787/", key) as client:
        assert repr(client) == "<Client of http://127.0.0.1:8787>"
        assert client.address == "http://127.0.0.1:8787"
        assert key not in repr(vars(client)) + repr(client._connection.address)


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), True, "5"])
def test_a_timeout_is_seconds(timeout: Any) -> None:
    with pytest.raises(InputError, match=r"timeout: .* give seconds above 0"):
        cw.connect("http://127.0.0.1:8787", timeout=timeout)


@pytest.mark.parametrize("size", [-1, float("inf"), float("nan"), "5", None])
def test_what_is_remembered_has_a_size(size: Any) -> None:
    with pytest.raises(InputError, match=r"remembered_mb: .* give mebibytes"):
        cw.connect("http://127.0.0.1:8787", remembered_mb=size)


def test_one_symbol_among_many_is_no_list_of_letters() -> None:
    with Client("http://127.0.0.1:8787", retries=False) as client:
        assert len(client.candles_many("SPY", "7x")) == 1


def test_an_answer_without_a_tag_is_not_remembered(told: Any) -> None:
    columns = {name: [] for name in ("time", *VALUES, "n", "final")}
    about = {"symbol": "A", "timeframe": "5m", "source": "1m", "engine": "classic", "revision": 1, "fingerprint": "f"}
    client, seen = told({**about, "columns": columns})
    assert isinstance(client.candles("A", "5m"), ServedAnswer)
    assert len(client.candles("A", "5m")) == 0
    assert "if-none-match" not in seen[1].headers
