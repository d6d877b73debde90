"""Followed: whatever happens to a series and to the connection, what was given is what is there, and final once."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlewick.client import followed as module
from candlewick.client.followed import Followed, Reading
from candlewick.client.served_answer import ServedAnswer
from candlewick.client.streamed_bar import StreamedBar, bar_of
from candlewick.errors import UnknownNameError

MINUTE = 60_000
NAMES = ("open", "high", "low", "close", "volume", "n", "final", "sma_2")


@dataclass
class Series:
    """A series as a server has it: minutes to closes. The newest minute that ever came forms, those before are final.
    Every write is noted with from when on it changed bars."""

    closes: dict[int, float] = field(default_factory=dict)
    revision: int = 0
    clock: int = -1
    changes: list[tuple[int, int]] = field(default_factory=list)

    def write(self, minute: int, close: float | None) -> int:
        """Set or delete a candle; from which minute on bars are others."""
        self.revision += 1
        if close is None:
            self.closes.pop(minute, None)
        else:
            self.closes[minute] = close
            self.clock = max(self.clock, minute)
        self.changes.append((self.revision, minute))
        return minute

    def bar(self, minute: int) -> dict[str, Any]:
        close = self.closes[minute]
        about = dict.fromkeys(NAMES[:5], close) | {"n": 1, "final": minute < self.clock}
        return {"time": minute * MINUTE, **about, "sma_2": None if minute % 3 == 0 else close / 2}

    def bars(self, first: int, last: float = float("inf")) -> list[dict[str, Any]]:
        return [self.bar(minute) for minute in sorted(self.closes) if first <= minute < last]

    def answer(self, reading: Reading) -> ServedAnswer:
        """What GET gives."""
        end = float("inf") if reading.end is None else reading.end / MINUTE
        bars = self.bars(-(-reading.start // MINUTE), end)
        columns: dict[str, Any] = {
            "time": np.array([bar["time"] * 1000 for bar in bars], dtype="int64").view("datetime64[us]")
        }
        columns |= {name: np.array([bar[name] for bar in bars], dtype="float64") for name in NAMES}
        about = {"symbol": "A", "timeframe": "1m", "source": "1m", "engine": "classic", "fingerprint": "f"}
        return ServedAnswer({**about, "revision": self.revision}, columns)


class Server:
    """One connection's side of a server: what is to be sent, by what was sent before."""

    def __init__(self, series: Series, since: Mapping[str, int] | None, most: int) -> None:
        self._series = series
        self.queue: list[dict[str, Any]] = []
        if since is None:
            bars = series.bars(-1)[-most:]
            names = ("time", *NAMES)
            columns = {name: [bar[name] for bar in bars] for name in names}
            self._tell("snapshot", columns=columns)
        else:
            first = min((at for revision, at in series.changes if revision > since["revision"]), default=None)
            if first is not None and first * MINUTE <= since["time"]:
                self._tell("revision", **{"from": first * MINUTE})
            missed = series.bars(since["time"] // MINUTE + 1)
            if len(missed) > most:
                self._tell("gap", **{"from": since["time"] + 1, "to": missed[-most]["time"]})
            for bar in missed[-most:]:
                self._tell("final" if bar["final"] else "forming", bar=bar)
        self._sent = {bar["time"]: bar for bar in series.bars(-1)}

    def written(self) -> None:
        """Tell what the writes since the last telling changed."""
        now = {bar["time"]: bar for bar in self._series.bars(-1)}
        past = [
            time
            for time in {*now, *self._sent}
            if time in self._sent and self._sent[time]["final"] and now.get(time) != self._sent[time]
        ]
        newest = max(self._sent, default=-1)
        past += [time for time in now if time <= newest and time not in self._sent]
        past += [time for time in self._sent if time not in now]
        if past:
            # What the client will read again anyway does not wait for it.
            self.queue = [one for one in self.queue if "bar" not in one or one["bar"]["time"] < min(past)]
            self._tell("revision", **{"from": min(past)})
        else:
            for bar in (bar for time, bar in sorted(now.items()) if self._sent.get(time) != bar):
                self._tell("final" if bar["final"] else "forming", bar=bar)
        self._sent = now

    def _tell(self, kind: str, **about: Any) -> None:
        self.queue.append({"kind": kind, "id": "A", "revision": self._series.revision, **about})


def drained(followed: Followed, server: Server, series: Series, count: int) -> list[StreamedBar]:
    """What the next messages give."""
    found: list[StreamedBar] = []
    for _ in range(min(count, len(server.queue))):
        for one in followed.take(server.queue.pop(0)):
            found += [one] if isinstance(one, StreamedBar) else followed.reading(one, series.answer(one))
    return found


WRITES = st.tuples(st.integers(0, 12), st.none() | st.integers(1, 9).map(float))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.lists(WRITES, min_size=1, max_size=4)),
        st.tuples(st.just("read"), st.integers(1, 6)),
        st.tuples(st.just("lose"), st.integers(1, 4)),
        st.tuples(st.just("resume"), st.integers(1, 4)),
    ),
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(WRITES, max_size=8), st.integers(1, 5), STEPS)
def test_what_was_given_is_what_is_there(before: list[Any], most: int, steps: list[Any]) -> None:
    series = Series()
    for minute, close in before:
        series.write(minute, close)
    followed = Followed("A", "1m")
    server = Server(series, None, most)
    view: dict[int, StreamedBar] = {}
    closed: set[int] = set()
    unsure: set[int] = set()
    first = 10**9
    for step, about in [*steps, ("read", 10**6)]:
        if step == "write":
            for minute, close in about:
                series.write(minute, close)
            server.written()
        elif step == "lose":
            unsure |= {time for time, bar in view.items() if not bar.final}
            server = Server(series, followed.since, about)
        elif step == "resume":  # in another process, from the last final bar that was given
            final = [bar for bar in view.values() if bar.final]
            if final and followed.since is not None:
                newest = max(final, key=lambda bar: bar.milliseconds)
                newest = StreamedBar("A", "1m", newest.time, {}, 1, True, followed.since["revision"])
                followed = Followed("A", "1m", pickle.loads(pickle.dumps(newest)))
                first, view = newest.milliseconds, {newest.milliseconds: view[newest.milliseconds]}
                server = Server(series, followed.since, about)
        else:
            for bar in drained(followed, server, series, about):
                time = bar.milliseconds
                if bar.removed:
                    assert view.pop(time, None) is not None, "only what was given is taken back"
                    closed.discard(time)
                    continue
                if bar.final and not bar.corrected:
                    assert time not in closed, "a bar is final once"
                if bar.final:
                    closed.add(time)
                view[time] = bar
                first = min(first, time)
    right = {bar["time"]: bar for bar in series.bars(first // MINUTE)}
    # Of a forming bar that is deleted while the connection is lost, and is the newest, a server tells nothing.
    for time in [time for time in view if time in unsure and time > max(right, default=-1)]:
        del view[time]
    assert sorted(view) == sorted(right)
    for time, bar in view.items():
        same = bar_of("A", "1m", right[time], bar.revision)
        assert (bar.values, bar.n, bar.final) == (same.values, same.n, same.final)


def message(kind: str, minute: int, revision: int, close: float = 1.0) -> dict[str, Any]:
    bar = {"time": minute * MINUTE, **dict.fromkeys(NAMES[:5], close), "n": 1, "final": kind == "final"}
    return {"kind": kind, "id": "0", "revision": revision, "bar": bar}


def told(followed: Followed, *messages: Mapping[str, Any]) -> list[Any]:
    return [found for one in messages for found in followed.take(one)]


def test_a_forming_bar_that_is_older_than_what_was_read_is_not_given() -> None:
    series = Series({1: 1.0, 2: 2.0}, revision=5, clock=2)
    followed = Followed("A", "1m")
    told(followed, message("final", 1, 3))
    (reading,) = told(followed, {"kind": "revision", "revision": 4, "from": MINUTE})
    assert reading == Reading(MINUTE, None, True, 4)
    assert [(bar["close"], bar.corrected) for bar in followed.reading(reading, series.answer(reading))] == [
        (1.0, True),
        (2.0, False),
    ]
    assert told(followed, message("forming", 2, 4, 7.0)) == []
    assert followed.since == {"revision": 4, "time": MINUTE}
    followed.connected()  # of another server, which counts other revisions
    assert [bar["close"] for bar in told(followed, message("forming", 2, 1, 7.0))] == [7.0]


def test_a_snapshot_that_begins_later_leaves_nothing_out() -> None:
    """A server may answer whoever comes back with a snapshot."""
    followed = Followed("A", "1m")
    told(followed, message("final", 1, 3))
    series = Series(dict.fromkeys(range(1, 9), 1.0), revision=9, clock=8)
    columns = {name: [bar[name] for bar in series.bars(6)] for name in ("time", *NAMES)}
    wanted = followed.take({"kind": "snapshot", "revision": 9, "columns": columns})
    reading = next(wanted)
    assert reading == Reading(MINUTE + 1, 6 * MINUTE, False, None)
    missed = list(followed.reading(reading, series.answer(reading)))
    assert [bar.milliseconds // MINUTE for bar in missed] == [2, 3, 4, 5]
    assert not any(bar.corrected for bar in missed)
    assert [bar.milliseconds // MINUTE for bar in wanted] == [6, 7, 8]


def test_one_goes_on_from_a_bar_that_was_forming() -> None:
    bar = bar_of("A", "1m", message("forming", 5, 7)["bar"], 7)
    assert Followed("A", "1m", bar).since == {"revision": 7, "time": 5 * MINUTE - 1}
    (final,) = told(Followed("A", "1m", bar), message("final", 5, 8))
    assert (final.final, final.corrected) == (True, False)


def test_kinds_of_a_newer_server_give_nothing() -> None:
    assert told(Followed("A", "1m"), {"kind": "heartbeat", "id": "0"}) == []


def test_only_so_many_times_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    followed = Followed("A", "1m")
    for minute in range(10):
        told(followed, message("final", minute, 1))
    assert followed._given == [7 * MINUTE, 8 * MINUTE, 9 * MINUTE]
    assert told(followed, message("final", 2, 1), message("final", 8, 1)) == []


def test_a_bar_is_a_value() -> None:
    bar = bar_of("A", "1m", {**message("final", 5, 7)["bar"], "sma_2": None}, 7)
    again = pickle.loads(pickle.dumps(bar))
    assert (again.time, again.n, again.final, again.revision) == (bar.time, 1, True, 7)
    assert (str(bar.time), bar.milliseconds) == ("1970-01-01T00:05:00.000000", 5 * MINUTE)
    assert np.isnan(bar["sma_2"])
    with pytest.raises(UnknownNameError, match="'sma_3' is unknown; nearest: sma_2"):
        bar["sma_3"]
    with pytest.raises(TypeError):
        bar.values["close"] = 2.0  # type: ignore[index]
    with pytest.raises(AttributeError):
        bar.n = 2  # type: ignore[misc]
