"""Live bars over real sockets: what is sent, to whom, and how it ends."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from candlewick.candles import Candles
from candlewick.errors import DeadlineError
from candlewick.server import stream_client, streams
from candlewick.server.frames import socket_options
from candlewick.server.http import create_app
from candlewick.server.run import address_of, bind
from candlewick.store.memory import MemoryStore
from candlewick.testing.small_application import SmallApplication

MINUTE = 60_000_000
OPEN = int(np.datetime64("2024-01-02T14:30", "us").astype(np.int64))
PATIENCE = 20.0


def candles(symbol: str, minutes: Any, price: float = 100.0) -> Candles:
    """Candles at minutes after the open of a session."""
    at = np.array(list(minutes), dtype=np.int64)
    close = price + at * 0.25
    columns = {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": at + 1.0}
    return Candles(symbol=symbol, timeframe="1m", calendar="XNYS", time=OPEN + at * MINUTE, **columns)


class Serving:
    """A server in a thread, on a port of its own."""

    def __init__(self) -> None:
        self.application = SmallApplication(MemoryStore())
        for symbol in ("A", "B"):
            self.application.store.upsert(candles(symbol, range(12)))
        self.app = create_app(self.application)
        self.streams = self.app.state.serving.streams
        listening = bind("127.0.0.1", 0)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)  # a slow client is known the sooner
        self.address = address_of(listening)
        config = uvicorn.Config(self.app, log_config=None, access_log=False, **socket_options())
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([listening],))
        self.thread.start()
        assert until(lambda: self.server.started)

    @contextmanager
    def open(self, query: str = "", **about: Any) -> Iterator[ClientConnection]:
        """A socket."""
        url = self.address.replace("http", "ws") + "/v1/stream" + query
        with connect(url, max_size=None, compression=None, proxy=None, **about) as one:
            yield one

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


def until(true: Callable[[], bool]) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.005)
    return False


def live_threads() -> int:
    """Threads of hubs."""
    return sum(thread.name.startswith("candlewick-live") for thread in threading.enumerate())


def say(one: ClientConnection, **message: Any) -> None:
    one.send(json.dumps(message))


def hear(one: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(one.recv(PATIENCE))
    return found


@pytest.fixture(scope="module")
def shared() -> Iterator[Serving]:
    serving = Serving()
    yield serving
    serving.stop()


@pytest.fixture
def serving(shared: Serving) -> Iterator[Serving]:
    """The server with the candles that it began with, and nobody there."""
    assert until(lambda: shared.streams.stats()["clients"] == 0)
    for symbol in ("A", "B"):
        if shared.application.series_of(symbol):
            shared.application.store.delete(symbol)
        shared.application.store.upsert(candles(symbol, range(12)))
    yield shared
    shared.application.hooks.clear()


def test_a_snapshot_is_what_get_answers_and_bars_follow(serving: Serving) -> None:
    with serving.open() as one:
        say(one, subscribe=[{"id": "a", "symbol": "A", "timeframe": "5m", "indicators": "sma(2)", "bars": 2}])
        snapshot = hear(one)
        start = np.datetime64(snapshot["columns"]["time"][0], "ms")
        asked = {"timeframe": "5m", "indicators": "sma(2)", "start": f"{start}Z"}
        assert snapshot == httpx.get(serving.address + "/v1/candles/A", params=asked).json() | {
            "kind": "snapshot",
            "id": "a",
        }
        assert snapshot["columns"]["final"] == [True, False]
        serving.application.store.upsert(candles("A", [12]))
        forming = hear(one)
        assert (forming["kind"], forming["id"], forming["bar"]["n"]) == ("forming", "a", 3)
        assert forming["revision"] == serving.application.series_of("A")[0].revision
        serving.application.store.upsert(candles("A", [13, 14, 15]))
        final, forming = hear(one), hear(one)
        assert (final["kind"], final["bar"]["final"], forming["kind"]) == ("final", True, "forming")
        assert list(final["bar"]) == list(snapshot["columns"])
        assert final["bar"]["sma_2"] == (102.25 + 103.5) / 2


def test_a_correction_says_from_when(serving: Serving) -> None:
    with serving.open("?symbol=A&timeframe=5m") as one:
        times = hear(one)["columns"]["time"]
        serving.application.store.upsert(candles("A", [6], 99.0))
        message = hear(one)
        assert message == {"kind": "revision", "id": "A 5m", "revision": message["revision"], "from": times[1]}


def test_an_undefined_value_is_null(serving: Serving) -> None:
    with serving.open("?symbol=A&timeframe=5m&indicators=sma(50)&bars=1") as one:
        assert hear(one)["columns"]["sma_50"] == [None]
        serving.application.store.upsert(candles("A", [12]))
        assert hear(one)["bar"]["sma_50"] is None


def test_who_comes_back_is_sent_what_was_missed(serving: Serving) -> None:
    with serving.open("?symbol=A&timeframe=1m") as one:
        known = hear(one)
    revision, last = known["revision"], known["columns"]["time"][-1]
    serving.application.store.upsert(candles("A", range(12, 20)))
    with serving.open(f"?symbol=A&timeframe=1m&since_revision={revision}&since_time={last}") as one:
        bars = [hear(one) for _ in range(8)]
        assert [bar["kind"] for bar in bars] == ["final"] * 8
        assert [bar["bar"]["time"] for bar in bars] == [last + 60_000 * k for k in range(1, 9)]
    serving.application.store.upsert(candles("A", [3], 99.0))
    query = f"?symbol=A&timeframe=1m&bars=2&since_revision={revision}&since_time={last}"
    with serving.open(query) as one:
        back, gap, *bars = [hear(one) for _ in range(4)]
        assert (back["kind"], back["from"]) == ("revision", last - 8 * 60_000)
        assert gap == {"kind": "gap", "id": "A 1m", "from": last + 1, "to": last + 7 * 60_000}
        assert [bar["bar"]["time"] for bar in bars] == [last + 7 * 60_000, last + 8 * 60_000]


def test_the_same_series_is_computed_once_for_all(serving: Serving) -> None:
    asked: list[Any] = []
    with serving.open() as one, serving.open() as other:
        for each in (one, other):
            say(each, subscribe=[{"id": "x", "symbol": "B", "timeframe": "5m"}])
            assert hear(each)["kind"] == "snapshot"
        assert serving.streams.stats()["subscriptions"] == 2
        serving.application.hooks["candles"] = lambda *given: asked.append(given)
        serving.application.store.upsert(candles("B", [12]))
        assert hear(one) == hear(other)
    assert len(asked) == 1


def test_a_series_is_let_go_of(serving: Serving) -> None:
    with serving.open() as one:
        say(one, subscribe=[{"id": name, "symbol": name, "timeframe": "1m", "bars": 1} for name in ("A", "B")])
        assert {hear(one)["id"] for _ in range(2)} == {"A", "B"}
        say(one, unsubscribe=["A"])
        assert until(lambda: serving.streams.stats()["subscriptions"] == 1)
        for symbol in ("A", "B"):
            serving.application.store.upsert(candles(symbol, [12]))
        assert hear(one)["id"] == "B"
        say(one, subscribe=[{"id": "A", "symbol": "A", "timeframe": "1m", "bars": 1}])
        assert hear(one)["kind"] == "snapshot"


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"symbol": "NONE", "timeframe": "1m"}, "symbol"),
        ({"symbol": "A", "timeframe": "7x"}, "timeframe"),
        ({"symbol": "A"}, "timeframe"),
        ({"symbol": "A", "timeframe": "1m", "bars": 0}, "bars"),
        ({"symbol": "A", "timeframe": "1m", "engine": "fast"}, "engine"),
        ({"symbol": "A", "timeframe": "1m", "indicators": "smaa(3)"}, "indicator"),
        ({"symbol": "A", "timeframe": "1m", "since": {"time": 3}}, "since"),
        ({"symbol": "A", "timeframe": "1m", "colour": 3}, "member of a subscription"),
        ({"symbol": "B", "timeframe": "1m", "id": "kept"}, "id"),
    ],
)
def test_what_cannot_be_served_is_refused_and_the_socket_stays(serving: Serving, asked: Any, parameter: str) -> None:
    with serving.open() as one:
        say(one, subscribe=[{"id": "kept", "symbol": "B", "timeframe": "1m", "bars": 1}])
        assert hear(one)["kind"] == "snapshot"
        say(one, subscribe=[{"id": "bad"} | asked])
        refused = hear(one)
        assert (refused["kind"], refused["id"]) == ("refused", asked.get("id", "bad"))
        assert refused["problem"]["parameter"] == parameter
        if refused["id"] == "bad":
            say(one, unsubscribe=["bad"])  # sent before the refusal was read: no reason to end the others
        serving.application.store.upsert(candles("B", [12]))
        assert hear(one)["id"] == "kept"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"subscribe": 3}',
        '{"subscribe": [3]}',
        '{"follow": []}',
        '{"unsubscribe": [{}]}',
        '{"unsubscribe": ["nobody"]}',
        b"\xff",
    ],
)
def test_what_is_not_understood_ends_the_connection(serving: Serving, text: str | bytes) -> None:
    with serving.open() as one:
        one.send(text)
        bye = hear(one)
        assert (bye["kind"], bye["reason"], bye["detail"]["status"]) == ("bye", "refused", 400)
        with pytest.raises(ConnectionClosed):
            one.recv(PATIENCE)
        assert one.close_code == 1008


@pytest.mark.parametrize("query", ["?symbol=A&timeframe=1m&bars=x", "?symbol=A&timeframe=1m&colour=red"])
def test_a_query_that_is_not_understood_ends_the_connection(serving: Serving, query: str) -> None:
    with serving.open(query) as one:
        assert hear(one)["reason"] == "refused"


def test_pages_of_other_sites_may_not_follow(serving: Serving) -> None:
    for about in ({"origin": "https://candles.example"}, {"additional_headers": {"Origin": "null"}}):
        with pytest.raises(InvalidStatus) as refused, serving.open(**about):
            pass
        assert refused.value.response.status_code == 403
    with serving.open("?symbol=A&timeframe=1m", origin="http://127.0.0.1:5173") as one:
        assert hear(one)["kind"] == "snapshot"


def test_many_subscriptions_of_one_client_are_bounded(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_client, "MOST_SUBSCRIPTIONS", 3)
    monkeypatch.setattr(stream_client, "ASKED_BYTES", 10)  # each waits until the one before has left
    with serving.open() as one:
        say(one, subscribe=[{"id": f"{k}", "symbol": "A", "timeframe": "1m"} for k in range(4)])
        kinds = {message["id"]: message["kind"] for message in (hear(one) for _ in range(4))}
        assert kinds == {"0": "snapshot", "1": "snapshot", "2": "snapshot", "3": "refused"}


def test_clients_are_bounded(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_CLIENTS", 1)
    with serving.open("?symbol=A&timeframe=1m") as first:
        assert hear(first)["kind"] == "snapshot"
        with serving.open() as second:
            bye = hear(second)
            assert (bye["reason"], bye["detail"]["status"]) == ("refused", 503)
        serving.application.store.upsert(candles("A", [12]))
        assert hear(first)["kind"] == "final"


def test_a_client_that_does_not_read_is_dropped_and_slows_nobody(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_client, "BYE_SECONDS", 0.2)
    dropped = serving.streams.stats()["dropped_clients"]
    with serving.open(close_timeout=0.1) as slow, serving.open() as quick:
        say(slow, subscribe=[{"id": f"{k}", "symbol": "A", "timeframe": "1m", "bars": 1} for k in range(100)])
        assert until(lambda: serving.streams.stats()["subscriptions"] == 100)
        say(quick, subscribe=[{"symbol": "A", "timeframe": "1m", "bars": 1}])
        assert hear(quick)["kind"] == "snapshot"
        minute = 12
        while serving.streams.stats()["dropped_clients"] == dropped:
            serving.application.store.upsert(candles("A", range(minute, minute + 25)))
            for at in range(minute, minute + 25):
                bar = hear(quick)["bar"]
                assert bar["time"] == (OPEN + at * MINUTE) // 1000
            minute += 25
            assert minute < 390 * 100, "nobody is dropped"
        assert until(lambda: serving.streams.stats()["clients"] == 1)


def test_a_key_that_is_revoked_ends_the_connection(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving.open("?symbol=A&timeframe=1m") as one:
        assert hear(one)["kind"] == "snapshot"
        monkeypatch.setattr(serving.streams, "_holds", lambda scope: "key_id" in scope)
        bye = hear(one)
        assert bye == {"kind": "bye", "reason": "key_revoked"}


def test_what_fails_for_now_is_tried_again(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("candlewick.live.hub.AGAIN", 0.05)
    failures: list[Exception] = [DeadlineError(1.0), DeadlineError(1.0)]

    def failing(*_: Any) -> None:
        if failures:
            raise failures.pop()

    with serving.open("?symbol=A&timeframe=1m&bars=1") as one:
        assert hear(one)["kind"] == "snapshot"
        serving.application.hooks["candles"] = failing
        serving.application.store.upsert(candles("A", [12]))
        assert hear(one)["kind"] == "final"
    assert not failures


def test_a_defect_is_told_without_its_inside(serving: Serving) -> None:
    def failing(*_: Any) -> None:
        raise RuntimeError("secret")

    serving.application.hooks["candles"] = failing
    with serving.open("?symbol=A&timeframe=1m&bars=3") as one:
        refused = hear(one)
    assert refused["problem"]["status"] == 500
    assert "secret" not in json.dumps(refused)


def test_a_symbol_that_goes_away_is_refused(serving: Serving) -> None:
    with serving.open("?symbol=A&timeframe=1m") as one:
        assert hear(one)["kind"] == "snapshot"
        serving.application.store.delete("A")
        assert hear(one)["problem"]["status"] == 404


def test_bars_become_final_by_the_clock(serving: Serving) -> None:
    serving.application.until = OPEN + 12 * MINUTE
    try:
        with serving.open("?symbol=A&timeframe=5m") as one:
            assert hear(one)["columns"]["final"] == [True, True, False]
            serving.application.until = OPEN + 15 * MINUTE - 50_000  # what is due in 50 ms
            serving.application.store.upsert(candles("A", [12]))
            assert hear(one)["kind"] == "forming"
            serving.application.until = OPEN + 15 * MINUTE
            assert hear(one)["kind"] == "final"
    finally:
        serving.application.until = None


def test_the_figures_are_scraped(serving: Serving) -> None:
    with serving.open("?symbol=A&timeframe=1m") as one:
        assert hear(one)["kind"] == "snapshot"
        serving.application.store.upsert(candles("A", [12]))
        assert hear(one)["kind"] == "final"
        text = httpx.get(serving.address + "/metrics").text
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("candlewick_stream"))
    assert float(figures["candlewick_stream_clients"]) == 1
    assert float(figures["candlewick_stream_final_messages_total"]) >= 1
    assert (
        0
        < float(figures["candlewick_stream_write_to_sent_seconds_total"])
        < 60 * float(figures["candlewick_stream_write_to_sent_messages_total"])
    )


def test_everybody_is_told_that_the_server_stops() -> None:
    others = live_threads()
    serving = Serving()
    with serving.open("?symbol=A&timeframe=1m") as follower, serving.open() as idle:
        assert hear(follower)["kind"] == "snapshot"
        serving.app.state.serving.drain()
        for one in (follower, idle):
            assert hear(one) == {"kind": "bye", "reason": "stopping"}
            with pytest.raises(ConnectionClosed):
                one.recv(PATIENCE)
            assert one.close_code == 1001
        with serving.open() as late:
            assert hear(late)["reason"] == "stopping"
    serving.stop()
    assert until(lambda: live_threads() == others)


def test_a_server_without_frames_sends_one_by_one() -> None:
    """Plain ASGI, driven by hand: what it is sent, and that it ends when the other side goes."""
    application = SmallApplication(MemoryStore())
    application.store.upsert(candles("A", range(12)))
    app = create_app(application)

    async def drive() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        said = asyncio.Event()

        async def send(message: Any) -> None:
            sent.append(message)
            said.set()

        async def heard(count: int) -> None:
            while len(sent) < count:
                said.clear()
                await asyncio.wait_for(said.wait(), PATIENCE)

        coming.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "path": "/v1/stream",
            "raw_path": b"/v1/stream",
            "query_string": b"symbol=A&timeframe=5m",
            "headers": [(b"host", b"127.0.0.1")],
            "client": ("127.0.0.1", 1),
            "subprotocols": [],
        }
        serving = asyncio.create_task(app(scope, coming.get, send))
        await heard(2)
        application.store.upsert(candles("A", [12]))
        await heard(3)
        coming.put_nowait({"type": "websocket.disconnect"})
        await serving
        return sent

    sent = asyncio.run(drive())
    app.state.serving.close()
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.send", "websocket.send"]
    assert [json.loads(message["text"])["kind"] for message in sent[1:]] == ["snapshot", "forming"]


def test_no_hub_before_the_first_client() -> None:
    from candlewick.server.streams import Streams

    application = SmallApplication(MemoryStore())
    made = Streams(application, lambda _: True)
    with pytest.raises(RuntimeError):
        made.hub  # noqa: B018 - it raises
    made.drain()
    made.close()
    assert made.stats()["clients"] == 0


def test_threads_of_the_hub_wait_for_the_loop_and_not_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from candlewick.server.streams import Streams

    monkeypatch.setattr(streams, "BEHIND", 0)
    made = Streams(SmallApplication(MemoryStore()), lambda _: True)
    waiting = threading.Thread(target=made._deliver, args=([], [], False))
    waiting.start()
    made.close()
    waiting.join(PATIENCE)
    assert not waiting.is_alive()
