"""The law of streams: whatever is written, however slowly it is read, a client ends with what a fresh read gives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from candlewick.candles import Candles
from candlewick.live.channel import Channel
from candlewick.live.outbox import Outbox
from candlewick.live.subscription import Subscription
from candlewick.service.answer import Answer
from candlewick.service.request import Request
from candlewick.store.memory import MemoryStore
from candlewick.testing.small_application import QueryService, SmallApplication

MARK = b'"a"'
MINUTE = 60_000_000
START = int(np.datetime64("2024-01-02T14:30", "us").astype(np.int64))


def candles(symbol: str, minutes: list[int], price: float, calendar: str = "XNYS", start: int = START) -> Candles:
    """Candles at minutes after the open of a session."""
    at = np.array(minutes, dtype=np.int64)
    close = price + np.sin(at) * 0.25
    return Candles(
        symbol=symbol,
        timeframe="1m",
        calendar=calendar,
        time=start + at * MINUTE,
        open=close,
        high=close + 0.5,
        low=close - 0.5,
        close=close,
        volume=np.abs(at) + 1.0,
    )


class Rivals(QueryService):
    """Two engines that differ in the last bits of every indicator."""

    other = False

    def candles(self, request: Request) -> Answer:
        answer = super().candles(request)
        if not self.other:
            return answer
        columns = {name: np.nextafter(values, np.inf) for name, values in answer.indicators.items()}
        return replace(answer, engine="optimized", indicators=columns, _encoded={})


def application(calendar: str) -> SmallApplication:
    """An application with some minutes of one symbol."""
    made = SmallApplication(MemoryStore())
    made.service = Rivals(made.store)
    made.store.upsert(candles("A", list(range(12)), 100.0, calendar))
    return made


@dataclass
class Reader:
    """A client: what it has of one series. It reads again when it is told to, as HTTP would let it."""

    application: SmallApplication
    asked: dict[str, Any]
    bars: dict[int, dict[str, Any]] = field(default_factory=dict)
    revision: int = 0
    first: int = 0

    def take(self, message: dict[str, Any]) -> None:
        """Do what a message says."""
        kind = message["kind"]
        if kind == "snapshot":
            self.bars = rows_of(message["columns"])
            self.first = min(self.bars, default=0)
        elif kind in ("forming", "final"):
            assert message["bar"]["final"] is (kind == "final")
            self.bars[message["bar"]["time"]] = message["bar"]
        elif kind == "revision":
            since = max(message["from"], self.first)
            self.bars = {time: bar for time, bar in self.bars.items() if time < since} | self.read(since)
        elif kind == "gap":
            self.bars |= self.read(message["from"], message["to"])
        else:
            raise AssertionError(message)
        self.revision = message.get("revision", self.revision)

    def read(self, start: int | None, end: int | None = None) -> dict[int, dict[str, Any]]:
        """Bars as GET gives them, by time."""
        request = Request.of(
            self.asked["symbol"],
            self.asked["timeframe"],
            self.asked.get("indicators"),
            start=None if start is None else start * 1000,
            end=None if end is None else end * 1000,
        )
        return rows_of(msgspec.json.decode(self.application.candles(request).answer.json())["columns"])

    def again(self) -> Subscription:
        """The subscription with which it comes back; it keeps nothing behind its last final bar."""
        finals = [time for time, bar in self.bars.items() if bar["final"]]
        if not finals:
            self.bars = {}
            return Subscription.of(self.asked)
        self.bars = {time: bar for time, bar in self.bars.items() if time <= max(finals)}
        backfill = {name: value for name, value in self.asked.items() if name != "bars"}
        return Subscription.of(backfill | {"since": {"revision": self.revision, "time": max(finals)}})

    def fresh(self) -> dict[int, dict[str, Any]]:
        """What it should have: from the first bar that it was sent, as read now."""
        return self.read(self.first)


def rows_of(columns: dict[str, list[Any]]) -> dict[int, dict[str, Any]]:
    """The rows of an answer's columns, by time."""
    return {row[0]: dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)}


PRICES = st.sampled_from([100.0, 101.5, 99.0, 100.25])
ACTS = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 9), PRICES),
    st.tuples(st.just("newest"), PRICES),
    st.tuples(st.just("correct"), st.integers(0, 40), PRICES),
    st.tuples(st.just("delete"), st.integers(0, 40), st.integers(1, 6)),
    st.tuples(st.just("prepend"), st.integers(1, 3000), PRICES),
    st.tuples(st.just("night"), st.integers(1, 3)),
    st.tuples(st.just("clock"), st.integers(-4, 12)),
    st.tuples(st.just("race"), st.integers(-3, 40), PRICES),
    st.tuples(st.just("engine")),
    st.tuples(st.just("look")),
    st.tuples(st.just("read"), st.integers(1, 6)),
    st.tuples(st.just("reconnect")),
    st.tuples(st.just("new channel")),
)


class Play:
    """A market, the channel of one series, and one slow client."""

    def __init__(self, asked: dict[str, Any], calendar: str, by_clock: bool) -> None:
        self.application = application(calendar)
        self.calendar = calendar
        self.newest = 11
        self.unseen = False  # what changed without a write: only a channel that saw it knows of it
        if by_clock:
            self.application.until = START + 12 * MINUTE
        self.reader = Reader(self.application, asked)
        self.channel = Channel(Subscription.of(asked).topic, self.application)
        self.outbox = Outbox()
        self.join(Subscription.of(asked))

    def write(self, minutes: list[int], price: float) -> None:
        self.application.store.upsert(candles("A", minutes, price, self.calendar))

    def join(self, subscription: Subscription) -> None:
        self.outbox = Outbox()
        self.channel.look()
        for message in self.channel.join(subscription):
            self.outbox.put(MARK, message, asked=True)

    def look(self) -> None:
        for message in self.channel.look():
            self.outbox.put(MARK, message)
        assert not self.outbox.overflown

    def read(self, most: int) -> None:
        for _ in range(most):
            one = self.outbox.pop()
            if one is None:
                return
            self.reader.take(msgspec.json.decode(one.message.text(one.mark)))

    def race(self, back: int, price: float) -> None:
        """A look, while another one writes between what it reads of the series and its bars."""

        def once(*_: Any) -> None:
            del self.application.hooks["candles"]
            self.newest = max(self.newest, self.newest - back)
            self.write([max(0, self.newest - max(back, 0))], price)

        self.application.hooks["candles"] = once
        self.look()

    def act(self, kind: str, *about: Any) -> None:
        if kind == "append":
            count, price = about
            self.write(list(range(self.newest + 1, self.newest + 1 + count)), price)
            self.newest += count
        elif kind == "newest":
            self.write([self.newest], about[0])
        elif kind == "correct":
            self.write([max(0, self.newest - about[0])], about[1])
        elif kind == "delete":
            last = START + (self.newest - about[0]) * MINUTE
            series = self.application.store.find("A", "1m")
            first = max(series.first + MINUTE, last - about[1] * MINUTE)
            self.application.store.delete("A", "1m", first, max(first, last))
        elif kind == "prepend":
            self.write([-about[0]], about[1])
        elif kind == "night":
            self.newest = (self.newest // 1440 + about[0]) * 1440
            self.write([self.newest], 100.0)
        elif kind == "clock" and self.application.until is not None:
            until = START + (self.newest + about[0]) * MINUTE
            self.unseen = self.unseen or until < self.application.until
            self.application.until = until
        elif kind == "race":
            self.race(*about)
        elif kind == "engine":
            service = self.application.service
            assert isinstance(service, Rivals)
            service.other = not service.other
            self.unseen = True
        elif kind == "look":
            self.look()
        elif kind == "read":
            self.read(*about)
        elif kind == "reconnect":
            self.join(self.reader.again())
        elif kind == "new channel" and not self.unseen:
            self.channel = Channel(self.channel.topic, self.application)
            self.join(self.reader.again())


@given(
    timeframe=st.sampled_from(["1m", "5m", "1h", "1d", "1w"]),
    indicators=st.sampled_from([None, "sma(3)", "ema(2),vwap"]),
    bars=st.sampled_from([1, 3, 50]),
    calendar=st.sampled_from(["XNYS", "24/7"]),
    by_clock=st.booleans(),
    acts=st.lists(ACTS, min_size=3, max_size=25),
)
def test_a_client_ends_with_what_a_fresh_read_gives(timeframe, indicators, bars, calendar, by_clock, acts):
    asked = {"symbol": "A", "timeframe": timeframe, "indicators": indicators, "bars": bars}
    play = Play(asked, calendar, by_clock)
    for act in acts:
        play.act(*act)
    play.look()
    play.read(10_000)
    assert dict(sorted(play.reader.bars.items())) == play.reader.fresh()
