"""A task ends once, and nobody waits past its deadline."""

from __future__ import annotations

import gc
import threading
import weakref
from contextlib import suppress

import pytest

from candlewick.errors import DeadlineError, EngineError, InputError, ServiceError

LONG = 60.0


class Payload:
    """Something that can be seen to die."""


def test_a_result_may_be_asked_for_again(new_pool) -> None:
    task = new_pool(1).submit(lambda: object())
    assert task.result(LONG) is task.result() is task.outcome()
    assert task.done
    assert not task.cancel()


def test_the_calls_own_error_is_raised_as_it_is(new_pool) -> None:
    error = InputError("limit", 0, "give more")

    def fail() -> None:
        raise error

    task = new_pool(1).submit(fail)
    for _ in range(2):
        with pytest.raises(InputError) as raised:
            task.result(LONG)
        assert raised.value is error
    assert task.outcome() is error


def test_another_exception_is_an_engine_error_with_its_cause(new_pool) -> None:
    task = new_pool(1).submit(lambda: [][1])
    with pytest.raises(EngineError, match="engine tested failed: IndexError: list index") as raised:
        task.result(LONG)
    assert isinstance(raised.value.__cause__, IndexError)


def test_an_error_that_is_returned_is_a_result(new_pool) -> None:
    error = InputError("limit", 0, "give more")
    assert new_pool(1).submit(lambda: error).result(LONG) is error


def test_a_timeout_leaves_the_task_alone(new_pool, gate) -> None:
    task = new_pool(1).submit(gate, "late")
    with pytest.raises(DeadlineError, match=r"not done within 0\.01 s"):
        task.result(0.01)
    with pytest.raises(TimeoutError):
        task.result(0)
    assert not task.done
    gate.open()
    assert task.result(LONG) == "late"


def test_a_task_past_its_deadline_never_starts(new_pool, gate, clock) -> None:
    pool = new_pool(1, clock=clock)
    first = pool.submit(gate, "first")
    gate.entered()
    ran = []
    late = pool.submit(ran.append, 1, deadline=5)
    in_time = pool.submit(ran.append, 2, deadline=5.5)
    assert not late.done
    clock.now += 5
    assert late.done
    gate.open()
    assert first.result() == "first"
    assert in_time.result() is None
    with pytest.raises(DeadlineError, match="not done within 5 s"):
        late.result()
    assert ran == [2]
    assert pool.stats().expired == 1


@pytest.mark.parametrize("deadline", [0, -1.5])
def test_a_deadline_that_is_past_already(new_pool, deadline: float) -> None:
    ran = []
    assert isinstance(new_pool(1).submit(ran.append, 1, deadline=deadline).outcome(), DeadlineError)
    assert ran == []


def test_a_result_that_comes_too_late_is_none(new_pool, gate, clock) -> None:
    task = new_pool(1, clock=clock).submit(gate, "late", deadline=5)
    gate.entered()
    clock.now += 6
    gate.open()
    assert isinstance(task.outcome(), DeadlineError)


def test_nobody_waits_past_the_deadline_of_a_call_that_hangs(new_pool, gate, in_thread, until) -> None:
    pool = new_pool(1)
    task = pool.submit(gate, deadline=0.05)
    gate.entered()
    outcomes = []
    others = [in_thread(lambda: outcomes.append(task.outcome())) for _ in range(8)]
    with pytest.raises(DeadlineError, match=r"within 0\.05 s"):
        task.result(LONG)
    for other in others:
        other.join(LONG)
    assert len(outcomes) == 8
    assert all(isinstance(outcome, DeadlineError) for outcome in outcomes)
    assert (pool.stats().let_go, pool.stats().busy) == (1, 0)
    gate.open()
    until(lambda: pool.stats().let_go == 0)


def test_a_hanging_call_costs_a_thread_and_not_a_place(new_pool, gate, names, until) -> None:
    pool = new_pool(2)
    hanging = [pool.submit(gate, deadline=0.02) for _ in range(2)]
    assert all(isinstance(task.outcome(), DeadlineError) for task in hanging)
    assert pool.map(str, range(30)) == [str(k) for k in range(30)]
    again = [pool.submit(gate, deadline=0.02) for _ in range(2)]
    assert all(isinstance(task.outcome(), DeadlineError) for task in again)
    assert pool.stats().let_go == len(names()) == 4  # as many again as there are workers, no more
    starved = pool.submit(int, deadline=0.02)
    assert isinstance(starved.outcome(), DeadlineError)
    gate.open()
    assert pool.map(str, range(30)) == [str(k) for k in range(30)]
    until(lambda: len(names()) == 2 and pool.stats().let_go == 0)


def test_who_waits_for_another_task_ends_those_that_hang_before_it(new_pool, gate) -> None:
    pool = new_pool(1)
    pool.submit(gate, deadline=0.03)
    gate.entered()
    assert pool.submit(int).result(LONG) == 0


def test_a_queued_task_that_is_cancelled_never_starts(new_pool, gate) -> None:
    pool = new_pool(1)
    pool.submit(gate)
    gate.entered()
    ran = []
    task = pool.submit(ran.append, 1)
    assert task.cancel()
    assert not task.cancel()
    assert pool.stats().queued == 0
    with pytest.raises(ServiceError, match="the task was cancelled"):
        task.result(LONG)
    gate.open()
    assert pool.drain(LONG)
    assert ran == []
    assert pool.stats().cancelled == 1


def test_who_waits_for_a_running_task_is_let_go_by_its_cancellation(new_pool, gate, in_thread, until) -> None:
    pool = new_pool(1)
    task = pool.submit(gate, "thrown away")
    gate.entered()
    outcomes = []
    waiting = in_thread(lambda: outcomes.append(task.outcome()))
    until(lambda: len(task._job.ended._waiters) == 1)
    assert task.cancel()
    waiting.join(LONG)
    assert isinstance(outcomes[0], ServiceError)
    assert pool.submit(int).result(LONG) == 0
    assert pool.drain(LONG)  # what is let go is not waited for
    gate.open()
    until(lambda: pool.stats().let_go == 0)
    assert isinstance(task.outcome(), ServiceError)
    assert pool.stats().done == 1


def test_a_task_cannot_wait_for_itself(new_pool) -> None:
    pool = new_pool(1)
    own = []
    known = threading.Event()

    def wait() -> object:
        assert known.wait(LONG)
        return own[0].result()

    own.append(pool.submit(wait))
    known.set()
    with pytest.raises(ServiceError, match="cannot wait for itself"):
        own[0].result(LONG)


def test_a_call_may_wait_for_a_task_that_is_queued_behind_it(new_pool) -> None:
    pool = new_pool(1)
    tasks = []
    known = threading.Event()

    def first() -> list[object]:
        assert known.wait(LONG)
        return [task.outcome() for task in tasks[1:]]

    tasks.append(pool.submit(first))
    tasks.append(pool.submit(lambda: "second"))
    tasks.append(pool.submit(lambda: [][0]))
    known.set()
    second, third = tasks[0].result(LONG)
    assert second == "second"
    assert isinstance(third, EngineError)
    assert tasks[1].result(LONG) == "second"
    assert (pool.stats().done, pool.stats().failed) == (2, 1)


def test_a_nested_call_may_overrun_and_be_cancelled(new_pool, gate, clock) -> None:
    pool = new_pool(1, clock=clock)
    nested = []

    def overrun(value: str) -> str:
        clock.now += 10
        return value

    def outer() -> object:
        too_late = pool.submit(overrun, "late", deadline=5)
        never = pool.submit(overrun, "never", deadline=-1)
        return too_late.outcome(), never.outcome()

    late, never = pool.submit(outer).result(LONG)
    assert isinstance(late, DeadlineError)
    assert isinstance(never, DeadlineError)
    assert clock.now == 1010.0

    def helped() -> object:  # queued by another thread, so others hold it while it is done here
        return nested[0].outcome()

    start = threading.Event()
    outer_task = pool.submit(lambda: start.wait(LONG) and helped())
    nested.append(pool.submit(gate, "thrown away"))
    start.set()
    gate.entered()
    assert nested[0].cancel()
    gate.open()
    assert isinstance(outer_task.result(LONG), ServiceError)
    assert pool.stats().let_go == 0


def test_who_waits_for_a_nested_call_of_another_is_held_to_its_deadline(new_pool, gate) -> None:
    pool = new_pool(1)
    start = threading.Event()
    nested = []
    outer = pool.submit(lambda: start.wait(LONG) and nested[0].outcome())
    nested.append(pool.submit(gate, deadline=0.1))
    start.set()
    with pytest.raises(DeadlineError):
        nested[0].result(LONG)
    gate.open()
    assert isinstance(outer.result(LONG), DeadlineError)


@pytest.mark.parametrize("kind", ["value", "error", "own error", "cancelled", "late"])
def test_nothing_of_a_task_outlives_it(new_pool, gate, clock, kind: str, until) -> None:
    """Without waiting for the collector: a failing request holds arrays as large as a good one's."""
    pool = new_pool(1, clock=clock)
    payload = Payload()
    seen = weakref.ref(payload)

    def call(payload: Payload) -> Payload:
        if kind == "error":
            raise ValueError("no")
        if kind == "own error":
            raise InputError("limit", 0, "no")
        if kind in ("cancelled", "late"):
            gate()
        return payload

    gc.disable()
    try:
        task = pool.submit(call, payload, deadline=5)
        del payload
        if kind == "cancelled":
            gate.entered()
            assert task.cancel()
        elif kind == "late":
            gate.entered()
            clock.now += 5
        gate.open()
        with suppress(EngineError, InputError, ServiceError):
            task.result(LONG)
        del task
        until(lambda: seen() is None)
    finally:
        gc.enable()


def test_a_queued_task_that_is_cancelled_keeps_nothing(new_pool, gate) -> None:
    pool = new_pool(1)
    pool.submit(gate)
    gate.entered()
    payload = Payload()
    seen = weakref.ref(payload)
    task = pool.submit(id, payload)
    del payload
    task.cancel()
    assert seen() is None
    assert not isinstance(task.outcome(), int)
