"""Ingest over HTTP: the body becomes a file, the file becomes candles, nothing is left behind."""

from __future__ import annotations

import asyncio
import gzip
import threading
from pathlib import Path

import pytest

from candlewick.errors import InputError, StoreError
from candlewick.server.lane import Lane, Limits
from candlewick.server.problem import Refusal
from candlewick.server.routes.ingest import file_name
from candlewick.store.open import open_store
from candlewick.testing.small_application import SmallApplication

CSV = "time,open,high,low,close,volume\n2024-01-02T14:30:00Z,10,11,9,10,5\n2024-01-02T14:31:00Z,10,9,9,10,5\n"
HEADERS = {"Content-Type": "text/csv"}
WHERE = "/v1/candles?calendar=XNYS&symbol=ACME"


def test_rows_are_stored_or_quarantined_and_counted(ask, application):
    response = ask("POST", f"{WHERE}&timeframe=1m&name=acme.csv", headers=HEADERS, content=CSV)
    assert response.status_code == 200, response.text
    summary = response.json()
    assert (summary["rows"], summary["inserted"], summary["quarantined"]) == (2, 1, 1)
    assert summary["symbols"] == ["ACME"]
    assert [row.file for row in application.store.quarantined()] == ["acme.csv"]
    again = ask("POST", WHERE, headers=HEADERS, content=CSV).json()
    assert (again["inserted"], again["unchanged"]) == (0, 1)
    assert ask("GET", "/v1/candles/ACME?timeframe=1m").json()["columns"]["close"] == [10.0]


def test_local_times_take_a_timezone(ask, application):
    text = "time,open,high,low,close,volume\n2024-01-02 09:30,10,11,9,10,5\n"
    response = ask("POST", f"{WHERE}&timezone=America/New_York", headers=HEADERS, content=text)
    assert response.json()["inserted"] == 1
    assert application.store.find("ACME", "1m").first == application.store.find("AAPL", "1m").first


def test_a_packed_file_is_taken_as_it_is(ask):
    packed = gzip.compress(CSV.encode())
    response = ask("POST", f"{WHERE}&name=a.csv.gz", headers={"Content-Type": "application/gzip"}, content=packed)
    assert response.json()["inserted"] == 1


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("symbol=ACME", "calendar"),
        ("calendar=XNYZ", "calendar"),
        ("calendar=XNYS&timeframe=7x&symbol=A", "timeframe"),
        ("calendar=XNYS", "symbol"),
        ("calendar=XNYS&symbol=A&timezone=Nowhere", "timezone"),
        ("calendar=XNYS&symbol=A&name=../a.csv", "name"),
        ("calendar=XNYS&symbol=A&name=.csv", "name"),
        ("calendar=XNYS&symbol=A&name=a.parquet", "name"),
        ("calendar=XNYS&symbol=A&mode=fast", "query parameter"),
    ],
)
def test_what_cannot_be_used_is_named(ask, query, parameter):
    response = ask("POST", f"/v1/candles?{query}", headers=HEADERS, content=CSV)
    assert response.status_code == 400, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert parameter in (response.json()["parameter"], response.json().get("column"))


def test_a_body_of_another_kind_is_refused(ask):
    response = ask("POST", WHERE, headers={"Content-Type": "text/plain"}, content=CSV)
    assert (response.status_code, response.headers["accept-post"]) == (415, "text/csv")
    assert response.json()["parameter"] == "Content-Type"
    assert ask("POST", WHERE, content=CSV).status_code == 415


@pytest.fixture
def small(tmp_path: Path):
    """An application over a DuckDB store, whose staging folder can be looked into."""
    made = SmallApplication(open_store(tmp_path / "a.duckdb"))
    yield made
    made.close()


def left(application: SmallApplication) -> list[Path]:
    folder = application.staging
    return sorted(folder.iterdir()) if folder is not None and folder.exists() else []


@pytest.mark.parametrize("told", [True, False])
def test_a_body_beyond_the_limit_is_refused_and_leaves_nothing(serve, small, told):
    async def pieces():
        for _ in range(8):
            yield CSV.encode()

    async def go():
        async with serve(small, Limits(body_bytes=len(CSV) * 4)) as client:
            body = CSV * 8 if told else pieces()
            return await client.post(WHERE, headers=HEADERS, content=body)

    response = asyncio.run(go())
    assert response.status_code == 413
    assert response.json()["parameter"] == "body"
    assert left(small) == []
    assert small.symbols() == []


def test_a_large_body_is_written_in_pieces(serve, small, monkeypatch):
    monkeypatch.setattr("candlewick.server.routes.ingest.PIECE", 64)
    seen = []
    small.hooks["ingest"] = lambda path: seen.append((path.read_text(), path.parent.parent))

    async def pieces():
        for start in range(0, len(CSV), 50):
            yield CSV[start : start + 50].encode()

    async def go():
        async with serve(small) as client:
            return await client.post(WHERE, headers=HEADERS, content=pieces())

    response = asyncio.run(go())
    assert response.status_code == 200, response.text
    assert response.json()["inserted"] == 1
    assert seen == [(CSV, small.staging)]
    assert left(small) == []


def test_a_store_that_fails_is_told_and_leaves_no_file(serve, small):
    def fail(_):
        raise StoreError("store: the disk is full")

    small.hooks["ingest"] = fail

    async def go():
        async with serve(small) as client:
            return await client.post(WHERE, headers=HEADERS, content=CSV)

    response = asyncio.run(go())
    assert (response.status_code, response.json()["detail"]) == (503, "store: the disk is full")
    assert left(small) == []


@pytest.mark.parametrize("begun", [True, False])
def test_a_file_is_there_until_whoever_reads_it_has_done_so(serve, small, begun):
    """The caller is told that it takes too long; what runs then still ends, and what waits never begins."""
    go_on, reading = threading.Event(), threading.Event()
    ended = []

    def slow(path: Path) -> None:
        reading.set()
        assert go_on.wait(30)
        ended.append(path.read_text())

    small.hooks["ingest"] = slow

    async def go():
        async with serve(small) as client:
            lane = client.serving.ingests = Lane("ingest", 1, 8, 0.2)
            before = None if begun else lane._submit(slow, Path(__file__))
            response = await client.post(WHERE, headers=HEADERS, content=CSV)
            assert reading.wait(30)
            there = len(left(small))
            go_on.set()
            await asyncio.wrap_future(lane._submit(lambda: None))  # behind the one that runs
            assert before is None or before.result() is None
            return response, there

    response, there = asyncio.run(go())
    assert response.status_code == 504
    assert (there, len(ended)) == (1, 1) if begun else (0, 1)
    assert left(small) == []
    assert len(small.symbols()) == begun


def test_a_caller_who_goes_away_leaves_nothing(serve, small):
    from candlewick.server.http import create_app

    app = create_app(small)
    messages = [
        {"type": "http.request", "body": CSV[:40].encode(), "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/candles",
        "raw_path": b"/v1/candles",
        "query_string": b"calendar=XNYS&symbol=ACME",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"text/csv")],
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 8787),
    }
    asyncio.run(app(scope, receive, send))
    app.state.serving.close()
    assert sent[0]["status"] == 400
    assert left(small) == []
    assert small.symbols() == []


def test_the_name_of_a_body_is_of_its_kind():
    assert file_name("text/csv; charset=utf-8", None) == "body.csv"
    assert file_name("Text/CSV", " a.TSV ") == "a.TSV"
    assert file_name("application/vnd.apache.arrow.stream", None) == "body.arrows"
    for name in ("", "a/b.csv", "a\\b.csv", "a\n.csv", "x" * 300 + ".csv", "a.gz"):
        with pytest.raises(InputError, match="name"):
            file_name("text/csv", name)
    with pytest.raises(Refusal):
        file_name(None, None)


def test_one_object_a_line_is_taken_as_rows(ask, application):
    rows = '{"time": "2024-01-02T14:30:00Z", "open": 1, "high": 2, "low": 1, "close": 2, "volume": 3}\n[]\n'
    response = ask("POST", f"{WHERE}&name=a.jsonl", headers={"Content-Type": "application/x-ndjson"}, content=rows)
    assert response.status_code == 200, response.text
    assert (response.json()["inserted"], response.json()["quarantined"]) == (1, 1)
    assert [(one.file, one.line) for one in application.store.quarantined()] == [("a.jsonl", 2)]


@pytest.mark.parametrize(
    ("kind", "name", "content", "shown"),
    [
        ("text/csv", None, b"", "body.csv"),
        ("text/csv", "day.csv", b"", "day.csv"),
        ("application/gzip", None, b"no gzip", "body.csv.gz"),
        ("application/zip", "day.zip", b"no zip", "day.zip"),
        ("application/vnd.apache.parquet", None, b"no parquet", "body.parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_its_name_alone(ask, kind, name, content, shown):
    where = WHERE if name is None else f"{WHERE}&name={name}"
    response = ask("POST", where, headers={"Content-Type": kind}, content=content)
    assert response.status_code == 400, response.text
    assert response.json()["value"] == shown
    assert "staging" not in response.text


def test_a_coding_of_the_body_is_refused_and_not_taken_for_the_file(ask):
    packed = gzip.compress(CSV.encode())
    response = ask("POST", WHERE, headers=HEADERS | {"Content-Encoding": "gzip"}, content=packed)
    assert response.status_code == 415, response.text
    assert response.json()["parameter"] == "Content-Encoding"
    assert "application/gzip" in response.json()["detail"]
    assert ask("POST", WHERE, headers=HEADERS | {"Content-Encoding": "identity"}, content=CSV).status_code == 200
