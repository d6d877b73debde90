"""Lanes: an answer within the deadline or an error, whatever the call does."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator

import pytest

from candlewick.delivery.lanes import Lanes
from candlewick.errors import DeadlineError, InputError, OverloadedError

WAIT = 20.0
SOON = 0.02
CALLER: contextvars.ContextVar[str] = contextvars.ContextVar("CALLER", default="nobody")


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    opened = Lanes(2)
    yield opened
    opened.close()


def test_answers_and_errors_come_back(lanes: Lanes) -> None:
    assert [lanes.run(lambda k=k: k * k, WAIT) for k in range(20)] == [k * k for k in range(20)]
    error = InputError("start", 1, "give 2")

    def fails() -> None:
        raise error

    with pytest.raises(InputError) as caught:
        lanes.run(fails, WAIT)
    assert caught.value is error


def test_what_ends_a_program_reaches_the_caller(lanes: Lanes) -> None:
    def ends() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        lanes.run(ends, WAIT)
    assert lanes.run(lambda: 1, WAIT) == 1


def test_the_call_sees_the_callers_context(lanes: Lanes) -> None:
    CALLER.set("me")
    assert lanes.run(CALLER.get, WAIT) == "me"


def test_one_that_hangs_is_given_up_on_and_holds_only_its_thread(lanes: Lanes) -> None:
    go = threading.Event()
    with pytest.raises(DeadlineError) as caught:
        lanes.run(go.wait, SOON)
    assert caught.value.seconds == SOON
    assert lanes.stuck == 1
    assert lanes.run(lambda: "well", WAIT) == "well"
    go.set()
    until(lambda: lanes.stuck == 0)


def test_when_all_hang_it_fails_at_once_and_recovers_with_them(lanes: Lanes) -> None:
    go, ran = threading.Event(), []
    for _ in range(2):
        with pytest.raises(DeadlineError):
            lanes.run(go.wait, SOON)
    with pytest.raises(OverloadedError):
        lanes.run(lambda: ran.append(1), WAIT)
    go.set()
    until(lambda: lanes.stuck == 0)
    assert lanes.run(lambda: "well", WAIT) == "well"
    assert ran == []


def test_what_waited_in_vain_is_not_run_later(lanes: Lanes) -> None:
    go, ran = threading.Event(), []
    started = threading.Barrier(3)

    def hold() -> None:
        started.wait(WAIT)
        go.wait(WAIT)

    holders = [threading.Thread(target=lanes.run, args=(hold, WAIT)) for _ in range(2)]
    for holder in holders:
        holder.start()
    started.wait(WAIT)
    with pytest.raises(DeadlineError):
        lanes.run(lambda: ran.append(1), SOON)
    assert lanes.stuck == 0, "it never began"
    go.set()
    for holder in holders:
        holder.join()
    assert lanes.run(lambda: "next", WAIT) == "next"
    assert ran == []


def test_closed_lanes_take_nothing() -> None:
    lanes = Lanes(1)
    assert lanes.run(lambda: 1, WAIT) == 1
    lanes.close()
    with pytest.raises(OverloadedError):
        lanes.run(lambda: 1, WAIT)


def test_many_callers_at_once_have_each_their_own_answer() -> None:
    lanes = Lanes(3)
    found: dict[int, int] = {}

    def caller(k: int) -> None:
        found[k] = lanes.run(lambda: k * k, WAIT)

    callers = [threading.Thread(target=caller, args=(k,)) for k in range(40)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert found == {k: k * k for k in range(40)}
    lanes.close()


def until(true: object) -> None:
    for _ in range(2000):
        if true():  # type: ignore[operator]
            return
        threading.Event().wait(0.01)
    pytest.fail("it did not come")
