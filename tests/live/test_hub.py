"""Hub: who is told what, when, and what happens to what fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from candlewick.candles import Candles
from candlewick.errors import OverloadedError, UnknownSeriesError
from candlewick.live import hub as hub_module
from candlewick.live.channel import Channel
from candlewick.live.hub import Follower, Hub
from candlewick.live.message import Message
from candlewick.live.subscription import Subscription, Topic
from candlewick.store.memory import MemoryStore
from candlewick.testing.small_application import SmallApplication
from candlewick.timeframe import Timeframe

MINUTE = 60_000_000
OPEN = 1_704_205_800_000_000


def candles(symbol: str, minutes: Sequence[int], price: float = 100.0, timeframe: str = "1m") -> Candles:
    at = np.array(minutes, dtype=np.int64)
    columns: dict[str, Any] = {name: np.full(len(at), price) for name in ("open", "high", "low", "close", "volume")}
    return Candles(symbol=symbol, timeframe=timeframe, calendar="24/7", time=OPEN + at * MINUTE, **columns)


def asked(symbol: str = "A", timeframe: str = "1m", **about: Any) -> Subscription:
    return Subscription.of({"symbol": symbol, "timeframe": timeframe} | about)


class Told:
    """Takes what the hub delivers."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.refused: list[tuple[str, Exception]] = []
        self.fails = 0

    def deliver(self, followers: Sequence[Follower], messages: Sequence[Message], _: bool) -> None:
        if self.fails:
            self.fails -= 1
            raise RuntimeError("on purpose")
        self.messages += [(one.to, message.kind) for one in followers for message in messages]

    def refuse(self, follower: Follower, error: Exception) -> None:
        self.refused.append((follower.to, error))

    def heard(self, *expected: tuple[str, str]) -> bool:
        return until(lambda: self.messages == list(expected))


def until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.002)
    return False


@pytest.fixture
def application() -> SmallApplication:
    made = SmallApplication(MemoryStore())
    made.store.upsert_many([candles("A", range(5)), candles("B", range(5))])
    return made


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def hub(application: SmallApplication, told: Told) -> Iterator[Hub]:
    made = Hub(application, told.deliver, told.refuse)
    yield made
    made.close()
    assert not any(thread.is_alive() for thread in made._threads)


def test_who_follows_is_told_until_it_leaves(hub: Hub, application: SmallApplication, told: Told) -> None:
    one, two = (hub.follow(asked(), name) for name in ("one", "two"))
    assert told.heard(("one", "snapshot"), ("two", "snapshot"))
    application.store.upsert_many([candles("A", [5]), candles("C", [5])])
    assert until(lambda: len(told.messages) == 4)
    hub.leave(one)
    hub.leave(one)
    application.store.upsert(candles("A", [6]))
    assert told.heard(*told.messages[:4], ("two", "final"))
    assert hub.stats() | {"looks": 0} == {
        "series": 1,
        "subscriptions": 1,
        "looks": 0,
        "failed_looks": 0,
        "waiting": 0,
    }
    hub.leave(two)
    assert hub.stats()["series"] == 0


def test_series_that_nobody_follows_are_forgotten_in_the_end(
    hub: Hub, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "IDLE", 1)
    for symbol in ("A", "B"):
        follower = hub.follow(asked(symbol), symbol)
        assert until(lambda symbol=symbol: (symbol, "snapshot") in told.messages)  # type: ignore[misc]
        assert until(lambda: not any(line.held for line in list(hub._lines.values())))
        hub.leave(follower)
    assert [topic.symbol for topic in hub._lines] == list(hub._of_symbol) == ["B"]
    hub.leave(follower)
    hub.leave(Follower(asked("A"), "nobody"))


def test_a_series_is_not_forgotten_while_somebody_is_let_in(
    hub: Hub, application: SmallApplication, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "IDLE", 0)
    first = hub.follow(asked(), "first")
    assert told.heard(("first", "snapshot"))
    began, go = threading.Event(), threading.Event()

    def slow(*_: Any) -> None:
        began.set()
        go.wait(20)

    application.hooks["candles"] = slow
    second = hub.follow(asked(), "second")
    assert began.wait(20)
    hub.leave(first)
    go.set()
    assert until(lambda: ("second", "snapshot") in told.messages)
    told.messages.clear()
    application.store.upsert_many([candles("A", [5])])
    hub.touch(["A"])
    assert until(lambda: bool(told.messages))
    hub.leave(second)
    assert until(lambda: not hub._lines)


def test_who_leaves_before_it_was_served_is_sent_nothing(hub: Hub, application: SmallApplication, told: Told) -> None:
    began, go = threading.Event(), threading.Event()

    def slow(*_: Any) -> None:
        began.set()
        go.wait(20)

    application.hooks["candles"] = slow
    first = hub.follow(asked(), "first")
    assert began.wait(20)
    second = hub.follow(asked(), "second")
    hub.leave(second)
    hub.leave(first)
    go.set()
    application.hooks.clear()
    hub.follow(asked(), "third")
    assert told.heard(("third", "snapshot"))


def test_a_write_while_it_is_looked_at_leads_to_another_look(
    hub: Hub, application: SmallApplication, told: Told
) -> None:
    hub.follow(asked(), "one")
    assert told.heard(("one", "snapshot"))
    writes = [7, 6, 5]

    def writing(*_: Any) -> None:
        if writes:
            application.store.upsert(candles("A", [writes.pop()]))

    application.hooks["candles"] = writing
    hub.touch(["A"])
    assert until(lambda: [kind for _, kind in told.messages] == ["snapshot", "final", "final", "final"])


def test_what_fails_for_now_is_tried_again_and_who_joins_meanwhile_is_refused(
    hub: Hub, application: SmallApplication, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "AGAIN", 0.01)
    hub.follow(asked(), "one")
    assert told.heard(("one", "snapshot"))
    healthy = threading.Event()

    def failing(*_: Any) -> None:
        if not healthy.is_set():
            raise OverloadedError(1, 1.0)

    application.hooks["candles"] = failing
    application.store.upsert(candles("A", [5]))
    assert until(lambda: hub.stats()["failed_looks"] > 2)
    hub.follow(asked(), "two")
    assert until(lambda: [(name, type(error)) for name, error in told.refused] == [("two", OverloadedError)])
    healthy.set()
    assert told.heard(("one", "snapshot"), ("one", "final"))


def test_what_cannot_be_served_is_refused(hub: Hub, application: SmallApplication, told: Told) -> None:
    hub.follow(asked(), "one")
    assert told.heard(("one", "snapshot"))
    application.store.delete("A")
    hub.follow(asked("NONE"), "two")
    assert until(lambda: sorted(name for name, _ in told.refused) == ["one", "two"])
    assert all(isinstance(error, UnknownSeriesError) for _, error in told.refused)
    application.store.upsert(candles("A", [9]))
    hub.follow(asked(), "again")
    assert until(lambda: told.messages[-1] == ("again", "snapshot"))


def test_a_defect_is_told_and_logged(hub: Hub, application: SmallApplication, told: Told, caplog: Any) -> None:
    hub.follow(asked("B"), "one")
    assert told.heard(("one", "snapshot"))
    told.fails = 1
    application.store.upsert(candles("B", [5]))
    assert until(lambda: "a look at B ended in a defect" in caplog.text)
    application.hooks["candles"] = lambda *_: 1 / 0
    hub.follow(asked("A"), "two")
    assert until(lambda: [type(error) for _, error in told.refused] == [ZeroDivisionError])
    assert "following A failed" in caplog.text
    application.hooks.clear()
    application.store.upsert(candles("B", [6]))
    assert told.heard(("one", "snapshot"), ("one", "final"))


def test_bars_become_final_by_the_clock_though_it_is_set(
    hub: Hub, application: SmallApplication, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "LONGEST", 0.02)
    application.until = OPEN + 4 * MINUTE
    hub.follow(asked(), "one")
    assert told.heard(("one", "snapshot"))
    looks = hub.stats()["looks"]
    time.sleep(0.1)
    assert hub.stats()["looks"] == looks  # a minute has to go
    application.until = OPEN + 5 * MINUTE
    assert told.heard(("one", "snapshot"), ("one", "final"))


def test_one_that_stays_forming_is_looked_at_now_and_then(
    hub: Hub, application: SmallApplication, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "AGAIN", 0.01)
    application.until = OPEN + 4 * MINUTE
    hub.follow(asked(), "one")
    assert told.heard(("one", "snapshot"))
    monkeypatch.setattr(Channel, "due", lambda _: OPEN)  # as if it should have become final long ago
    looks = hub.stats()["looks"]
    hub.touch(["A"])
    assert until(lambda: hub.stats()["looks"] > looks + 3)


def test_another_stored_series_means_other_values(application: SmallApplication) -> None:
    channel = Channel(asked(timeframe="5m").topic, application)
    assert channel.due() is None
    assert channel.look() == []
    application.store.upsert(candles("A", [0], 7.0, "5m"))
    (message,) = channel.look()
    assert msgspec.json.decode(message.text(b'"a"')) == {
        "kind": "revision",
        "id": "a",
        "revision": 1,
        "from": OPEN // 1000 // 86_400_000 * 86_400_000,
    }


def test_a_series_that_came_between_is_looked_for_again(application: SmallApplication) -> None:
    records = application.series_of
    answers = [[], [], []]

    def late(symbol: str) -> Any:
        return answers.pop() if answers else records(symbol)

    application.series_of = late  # type: ignore[method-assign]
    topic = Topic("A", Timeframe.parse("1m"))
    channel = Channel(topic, application)
    channel.look()
    assert channel.known is not None
    answers += [[]] * 9
    with pytest.raises(UnknownSeriesError):
        Channel(topic, application).look()


def test_who_comes_back_from_another_store_reads_all_of_it(application: SmallApplication) -> None:
    channel = Channel(asked().topic, application)
    channel.look()
    first, *bars = channel.join(asked(since={"revision": 99, "time": (OPEN + 2 * MINUTE) // 1000}))
    assert (first.kind, first.time) == ("revision", OPEN // 1000)
    assert [bar.time for bar in bars] == [(OPEN + at * MINUTE) // 1000 for at in (3, 4)]
    assert channel.join(asked(since={"revision": 1, "time": OPEN // 1000 + 10**9})) == []
