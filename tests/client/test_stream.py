"""Stream: against a real WebSocket server that follows a script, and against the real one."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import numpy as np
import pytest
from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.sync.server import ServerConnection, serve

import candlewick as cw
from candlewick.client.address import Address
from candlewick.client.served_answer import ServedAnswer
from candlewick.client.stream import BarStream
from candlewick.errors import (
    CandlewickError,
    InputError,
    KeyNeededError,
    OverloadedError,
    RoleError,
    ServiceError,
    UnknownSeriesError,
    UnreachableError,
)
from candlewick.server.problem import problem_of

MINUTE = 60_000
KEY = f"cw_{'0' * 8}_{'ab' * 32}"
ASKED = {"timeframe": "1m", "indicators": None, "bars": None, "engine": "auto"}
Act = Callable[[ServerConnection, list[dict[str, Any]]], None]


def message(kind: str, minute: int, close: float = 1.0, revision: int = 1, mark: str = "0") -> dict[str, Any]:
    values = dict.fromkeys(("open", "high", "low", "close", "volume"), close)
    bar = {"time": minute * MINUTE, **values, "n": 1, "final": kind == "final"}
    return {"kind": kind, "id": mark, "revision": revision, "bar": bar}


def say(*messages: Any) -> Act:
    """A connection on which this is said, and which is then lost without a word."""

    def act(socket: ServerConnection, _: list[dict[str, Any]]) -> None:
        for one in messages:
            socket.send(one if isinstance(one, str | bytes) else json.dumps(one))
        socket.socket.shutdown(2)

    return act


def refuse(status: int, error: CandlewickError | None = None, **headers: str) -> tuple[int, bytes, Headers]:
    body = b"<html>" if error is None else problem_of(error).json()
    kind = "text/html" if error is None else "application/problem+json"
    about = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"} | headers
    return status, body, Headers(**{name.replace("_", "-"): value for name, value in about.items()})


class Script:
    """What a server does on one connection after the other: an act, or a refusal. ``asked`` has what came."""

    def __init__(self, *acts: Act | tuple[int, bytes, Headers]) -> None:
        self.acts = list(acts)
        self.asked: list[list[dict[str, Any]]] = []
        self.keys: list[str | None] = []
        self.lock = threading.Lock()

    def door(self, socket: ServerConnection, request: Any) -> Response | None:
        with self.lock:
            self.keys.append(request.headers.get("Authorization"))
            assert request.path == "/v1/stream"
            if self.acts and isinstance(self.acts[0], tuple):
                status, body, headers = self.acts.pop(0)
                return Response(status, HTTPStatus(status).phrase, headers, body)
        return None

    def handle(self, socket: ServerConnection) -> None:
        wanted = json.loads(socket.recv())["subscribe"]
        with self.lock:
            self.asked.append(wanted)
            act = self.acts.pop(0) if self.acts else None
        if callable(act):
            act(socket, wanted)
        else:
            for _ in socket:  # until the client leaves
                pass


@contextmanager
def scripted(*acts: Any) -> Iterator[tuple[Script, str]]:
    script = Script(*acts)
    with serve(script.handle, "127.0.0.1", 0, process_request=script.door, close_timeout=0.2) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield script, f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
    thread.join(10)


def never(*_: Any) -> ServedAnswer:
    raise AssertionError("nothing is to be read again")


def stream_of(address: str, read: Any = never, *symbols: str, key: str | None = None, timeout: float = 10) -> BarStream:
    return BarStream(Address.of(address, key), read, symbols or ("SPY",), ASKED, {}, timeout)


def shown(bars: Any) -> list[tuple[int, float, bool]]:
    return [(bar.milliseconds // MINUTE, bar["close"], bar.final) for bar in bars]


def test_bars_come_as_they_are_told() -> None:
    columns = {name: [1.0, 2.0] for name in ("open", "high", "low", "close", "volume", "sma_2")}
    columns |= {"time": [MINUTE, 2 * MINUTE], "n": [5, 2], "final": [True, False], "sma_2": [None, 1.5]}
    snapshot = {"kind": "snapshot", "id": "0", "revision": 3, "symbol": "SPY", "columns": columns}
    news = (message("forming", 2, 4.0), message("final", 2, 5.0), message("forming", 3, 6.0))
    with scripted(say(snapshot, *news)) as (script, address), stream_of(address) as stream:
        bars = list(itertools.islice(stream, 5))
        assert shown(bars) == [(1, 1.0, True), (2, 2.0, False), (2, 4.0, False), (2, 5.0, True), (3, 6.0, False)]
        assert (bars[0].symbol, bars[0].timeframe, bars[0].n, bars[0].revision) == ("SPY", "1m", 5, 3)
        assert np.isnan(bars[0]["sma_2"])
        assert bars[1]["sma_2"] == 1.5
        assert script.asked == [[{"id": "0", "symbol": "SPY", "timeframe": "1m", "engine": "auto"}]]


def test_a_lost_connection_goes_on_where_it_was() -> None:
    """Nothing is given twice, and nothing is missed, however the connection ended."""

    def close(socket: ServerConnection, _: Any) -> None:
        socket.send(json.dumps(message("final", 3, revision=4)))
        socket.close(1001)

    first = say(message("final", 1), message("forming", 2))
    bye = say(message("final", 2, revision=3), {"kind": "bye", "reason": "slow", "detail": "too slow"})
    stopping = say({"kind": "bye", "reason": "stopping"})
    acts = (
        first,
        refuse(503, Retry_After="0"),
        refuse(502),
        bye,
        close,
        stopping,
        say(message("final", 4, revision=5)),
    )
    with scripted(*acts) as (script, address), stream_of(address) as stream:
        bars = list(itertools.islice(stream, 5))
    assert shown(bars) == [(1, 1.0, True), (2, 1.0, False), (2, 1.0, True), (3, 1.0, True), (4, 1.0, True)]
    assert [one[0].get("since") for one in script.asked] == [
        None,
        {"revision": 1, "time": MINUTE},
        {"revision": 3, "time": 2 * MINUTE},
        {"revision": 4, "time": 3 * MINUTE},
        {"revision": 4, "time": 3 * MINUTE},
    ]


def answer(*bars: tuple[int, float], revision: int) -> ServedAnswer:
    columns: dict[str, Any] = {"time": np.array([minute for minute, _ in bars]).astype("datetime64[m]")}
    columns["time"] = columns["time"].astype("datetime64[us]")
    columns |= dict.fromkeys(("open", "high", "low", "close", "volume"), np.array([close for _, close in bars]))
    columns |= {"n": np.ones(len(bars), np.int32), "final": np.ones(len(bars), np.bool_)}
    about = {"symbol": "SPY", "timeframe": "1m", "source": "1m", "engine": "classic", "fingerprint": "f"}
    return ServedAnswer({**about, "revision": revision}, columns)


def test_corrections_and_gaps_are_read_again() -> None:
    asked = []

    def read(symbol: str, _: Any, start: int, end: int | None) -> ServedAnswer:
        asked.append((symbol, start, end))
        return answer((1, 7.0), (3, 8.0), revision=4) if end is None else answer((4, 9.0), (5, 9.5), revision=5)

    acts = say(
        message("final", 1),
        message("final", 2),
        {"kind": "revision", "id": "0", "revision": 3, "from": MINUTE},
        {"kind": "gap", "id": "0", "from": 3 * MINUTE + 1, "to": 6 * MINUTE},
        message("final", 6),
    )
    with scripted(acts) as (_, address), stream_of(address, read) as stream:
        bars = list(itertools.islice(stream, 8))
    marks = [(bar.milliseconds // MINUTE, bar.values.get("close"), bar.corrected, bar.removed) for bar in bars]
    assert marks == [
        (1, 1.0, False, False),
        (2, 1.0, False, False),
        (2, None, True, True),
        (1, 7.0, True, False),
        (3, 8.0, False, False),
        (4, 9.0, False, False),
        (5, 9.5, False, False),
        (6, 1.0, False, False),
    ]
    assert asked == [("SPY", MINUTE * 1000, None), ("SPY", (3 * MINUTE + 1) * 1000, (6 * MINUTE + 1) * 1000)]


def test_a_reading_that_fails_for_now_ends_the_connection_and_the_next_one_tells_it_again() -> None:
    failing = [OverloadedError(3, 0.0), UnreachableError("here", "gone")]

    def read(*_: Any) -> ServedAnswer:
        if failing:
            raise failing.pop()
        return answer((1, 7.0), revision=4)

    revision = {"kind": "revision", "id": "0", "revision": 3, "from": MINUTE}
    acts = (say(message("final", 1), revision, message("final", 2)), say(revision), say(revision, message("final", 2)))
    with scripted(*acts) as (script, address), stream_of(address, read) as stream:
        bars = list(itertools.islice(stream, 3))
    assert shown(bars) == [(1, 1.0, True), (1, 7.0, True), (2, 1.0, True)]
    assert [one[0].get("since") for one in script.asked] == [None, *[{"revision": 1, "time": MINUTE}] * 2]


def test_a_reading_that_is_refused_is_raised() -> None:
    def read(*_: Any) -> ServedAnswer:
        raise UnknownSeriesError("symbol", "SPY", ["QQQ"])

    acts = say({"kind": "revision", "id": "0", "revision": 3, "from": MINUTE})
    with scripted(acts) as (_, address), stream_of(address, read) as stream, pytest.raises(UnknownSeriesError):
        next(stream)


def test_several_series_share_a_connection() -> None:
    acts = say(message("final", 1, 1.0, mark="1"), message("final", 1, 2.0, mark="0"), message("final", 1, mark="9"))
    then = say(message("final", 2, mark="1"))
    with scripted(acts, then) as (script, address), stream_of(address, never, "A/B", "C") as stream:
        bars = list(itertools.islice(stream, 3))
    assert [(bar.symbol, bar["close"]) for bar in bars] == [("C", 1.0), ("A/B", 2.0), ("C", 1.0)]
    assert [one["symbol"] for one in script.asked[0]] == ["A/B", "C"]
    assert [one["since"]["time"] for one in script.asked[1]] == [MINUTE, MINUTE]


@pytest.mark.parametrize(
    ("acts", "error", "said"),
    [
        (
            say(
                {"kind": "refused", "id": "0", "problem": problem_of(UnknownSeriesError("symbol", "SPX", [])).document}
            ),
            UnknownSeriesError,
            "symbol: 'SPX' is not in the store",
        ),
        (say({"kind": "refused", "id": "0"}), ServiceError, "stream: the server refused it"),
        (say({"kind": "bye", "reason": "key_revoked"}), ServiceError, "the server ended it: key_revoked"),
        (
            say({"kind": "bye", "reason": "refused", "detail": problem_of(RoleError("a", "b", "c")).document}),
            RoleError,
            "role: 'a' does not suffice",
        ),
        (say({"kind": "bye", "reason": "failed", "detail": "it broke"}), ServiceError, "failed: it broke"),
        (refuse(401, KeyNeededError()), KeyNeededError, "key: is needed"),
        (refuse(403), UnreachableError, "HTTP 403"),
        (refuse(404, None), UnreachableError, "HTTP 404"),
        (say("{"), UnreachableError, "what it streams is no JSON"),
        (say("[]"), UnreachableError, "what it streams are no messages"),
        (say({"kind": "final", "id": "0"}), UnreachableError, "cannot be understood: KeyError: 'bar'"),
        (say({"kind": "snapshot", "id": "0", "revision": 1, "columns": 5}), UnreachableError, "cannot be understood"),
    ],
    ids=lambda one: one if isinstance(one, str) else getattr(one, "__name__", "acts"),  # never an address
)
def test_what_the_server_refuses_is_raised(acts: Any, error: type[Exception], said: str) -> None:
    with scripted(acts) as (_, address), stream_of(address) as stream:
        with pytest.raises(error, match=said):
            next(stream)
        with pytest.raises(StopIteration):
            next(stream)


def test_a_key_that_is_revoked_is_told_also_after_a_lost_connection() -> None:
    with scripted(say(message("final", 1)), refuse(401, KeyNeededError())) as (script, address):
        with stream_of(address, key=KEY) as stream:
            next(stream)
            with pytest.raises(KeyNeededError):
                next(stream)
        assert script.keys == [f"Bearer {KEY}"] * 2


def test_a_first_connection_is_not_waited_for_longer_than_the_timeout() -> None:
    with scripted() as (_, address):
        free = address
    with stream_of(free, timeout=0.5) as stream, pytest.raises(UnreachableError, match=r"reached: .*refused"):
        next(stream)
    overloaded = [refuse(503, OverloadedError(3, 60.0), Retry_After="60")]
    with scripted(*overloaded) as (_, address), stream_of(address, timeout=5) as stream, pytest.raises(OverloadedError):
        next(stream)


def test_another_thread_may_end_it() -> None:
    """Also while the stream waits for a message."""
    with scripted() as (script, address):
        stream = stream_of(address)
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.extend(stream))
        thread.start()
        while not script.asked:
            time.sleep(0.001)
        stream.close()
        thread.join(10)
        assert not thread.is_alive()
        assert found == []
        stream.close()
        assert list(stream) == []


def test_a_stream_that_was_closed_before_it_began_gives_nothing() -> None:
    with scripted() as (script, address):
        with stream_of(address) as stream:
            stream.close()
        assert list(stream) == []
        assert script.asked == []


def test_what_cannot_be_followed_is_refused_here(serving: Any) -> None:
    client = serving.client
    bar = next(client.stream("SPY", "5m"))
    for symbols, said in (([], "names none"), ("", "give the name"), (["SPY", ""], "give the name")):
        with pytest.raises(InputError, match=said):
            client.stream(symbols, "5m")
    with pytest.raises(InputError, match="since: 'SPY' is one bar of several"):
        client.stream(["SPY", "BTC/USD"], "5m", since=bar)
    with pytest.raises(InputError, match="since: 5 is no bar"):
        client.stream("SPY", "5m", since=5)
    with pytest.raises(InputError, match="timeframe"):
        client.stream("SPY", "5x")
    with client.stream(["SPY", "SPX"], "5m") as stream, pytest.raises(UnknownSeriesError, match="SPX"):
        list(stream)


class View:
    """Somebody who follows a stream of the real server: the last bar given for each time."""

    def __init__(self, stream: BarStream) -> None:
        self.bars: dict[int, Any] = {}
        self.finals: dict[int, int] = {}
        self.wrong: list[Any] = []
        self._stream = stream
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        for bar in self._stream:
            with self._changed:
                if bar.removed:
                    self.bars.pop(bar.milliseconds)
                    self.finals.pop(bar.milliseconds, None)
                else:
                    self.bars[bar.milliseconds] = bar
                    if bar.final and not bar.corrected:
                        self.finals[bar.milliseconds] = self.finals.get(bar.milliseconds, 0) + 1
                self._changed.notify_all()

    def reaches(self, right: dict[int, dict[str, Any]]) -> bool:
        """True once what was given is this; False when it does not get there."""
        with self._changed:
            return self._changed.wait_for(lambda: self._same(right), 30)

    def _same(self, right: dict[int, dict[str, Any]]) -> bool:
        return sorted(self.bars) == sorted(right) and all(
            np.array_equal(list(self.bars[at].values.values()), list(values.values()), equal_nan=True)
            for at, values in right.items()
        )

    def end(self) -> None:
        self._stream.close()
        self._thread.join(10)
        assert not self._thread.is_alive()


def fresh(client: cw.Client, symbol: str, indicators: str, first: int) -> dict[int, dict[str, Any]]:
    """What a fresh read gives from the first bar on that a stream gave."""
    found = client.candles(symbol, "5m", indicators, engine="optimized")
    times = found.time.astype("datetime64[ms]").astype(np.int64).tolist()
    names = [name for name in found.columns if name not in ("time", "n", "final")]
    return {time: {name: float(found[name][row]) for name in names} for row, time in enumerate(times) if time >= first}


def candles(symbol: str, first: int, closes: list[float]) -> cw.Candles:
    close = np.array(closes)
    time = np.datetime64("2024-01-02T14:30", "us") + (first + np.arange(len(closes))) * np.timedelta64(60, "s")
    prices: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close", "volume"), close)
    return cw.Candles(symbol=symbol, timeframe="1m", calendar="24/7", time=time, **prices)


def test_a_stream_of_the_real_server_ends_with_the_bars_of_a_fresh_read(serving: Any) -> None:
    """Through appends, a correction, candles that come late, a deletion, and a process that goes on from its last
    bar; bit for bit, and every bar is final once."""
    client, store = serving.client, serving.store
    chance = np.random.default_rng(3)
    client.ingest(candles("LIVE", 0, [*np.round(chance.normal(100, 1, 60), 2)]))
    view = View(client.stream(["LIVE"], "5m", "sma(3),vwap", engine="optimized", bars=4))
    first = 8 * 5 * MINUTE + int(np.datetime64("2024-01-02T14:30", "ms").astype(np.int64))
    right = fresh(client, "LIVE", "sma(3),vwap", first)
    assert len(right) == 4
    assert view.reaches(right)
    for change in (
        lambda: client.ingest(candles("LIVE", 60, [101.0, 102.0, 103.0])),
        lambda: client.ingest(candles("LIVE", 63, [*np.round(chance.normal(100, 1, 20), 2)])),
        lambda: client.ingest(candles("LIVE", 51, [90.0])),
        lambda: client.ingest(candles("LIVE", 90, [100.0, 99.0])),
        lambda: client.ingest(candles("LIVE", 83, [100.0] * 4)),
    ):
        change()
        assert view.reaches(fresh(client, "LIVE", "sma(3),vwap", first))
    assert set(view.finals.values()) == {1}
    last = max((bar for bar in view.bars.values() if bar.final), key=lambda bar: bar.milliseconds)
    view.end()
    client.ingest(candles("LIVE", 100, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    later = View(client.stream("LIVE", "5m", "sma(3),vwap", engine="optimized", since=last))
    right = fresh(client, "LIVE", "sma(3),vwap", last.milliseconds + 1)
    assert len(right) == 2
    assert later.reaches(right)
    later.end()
    store.delete("LIVE")
