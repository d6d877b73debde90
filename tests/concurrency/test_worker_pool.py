"""What a worker pool promises, each promise with the fault that would break it."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.concurrency.worker_pool import WorkerPool
from candlewick.errors import (
    CandlewickError,
    DeadlineError,
    EngineError,
    InputError,
    OverloadedError,
    ServiceError,
)

LONG = 60.0


class Silent(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError("no text")


def act(item: tuple[str, int]) -> int:
    kind, value = item
    if kind == "slow":
        time.sleep(0.002)
    elif kind == "input":
        raise InputError("item", value, "give another")
    elif kind != "good":
        raise {"value": ValueError, "exit": SystemExit, "stop": KeyboardInterrupt, "silent": Silent}[kind](str(value))
    return value


KINDS = st.sampled_from(["good", "slow", "input", "value", "exit", "stop", "silent"])


@given(
    kinds=st.lists(KINDS, max_size=30),
    workers=st.integers(1, 4),
    queue=st.integers(1, 5),
)
def test_any_mix_keeps_order_and_no_item_changes_another(kinds: list[str], workers: int, queue: int) -> None:
    items = list(zip(kinds, itertools.count()))
    with WorkerPool(workers, queue, "mixed") as pool:
        outcomes = pool.map(act, items)
        stats = pool.stats()
    assert len(outcomes) == len(items)
    for (kind, value), outcome in zip(items, outcomes):
        if kind in ("good", "slow"):
            assert outcome == value
        elif kind == "input":
            assert isinstance(outcome, InputError)
            assert outcome.value == value
        else:
            named = {"value": "ValueError", "exit": "SystemExit", "stop": "KeyboardInterrupt", "silent": "Silent"}[kind]
            assert isinstance(outcome, EngineError)
            assert (outcome.engine, outcome.kind) == ("mixed", named)
            assert type(outcome.__cause__).__name__ == named
            assert ("its text cannot be read" if kind == "silent" else str(value)) in str(outcome)
    well = sum(kind in ("good", "slow") for kind in kinds)
    assert (stats.done, stats.failed) == (well, len(items) - well)
    assert (stats.cancelled, stats.expired, stats.queued, stats.busy) == (0, 0, 0, 0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mixed-")]


@given(
    kinds=st.lists(st.sampled_from(["good", "input", "hang", "nested"]), max_size=12),
    workers=st.integers(1, 3),
)
def test_items_that_hang_lose_their_own_place_only(kinds: list[str], workers: int) -> None:
    if kinds.count("hang") > workers:  # beyond as many again as there are workers a pool has no threads left
        kinds = [kind for kind in kinds if kind != "hang"]
    gate = threading.Event()
    pool = WorkerPool(workers, 4, "mixed")
    tasks = []
    for kind, value in zip(kinds, itertools.count()):
        if kind == "hang":
            tasks.append(pool.submit(gate.wait, LONG, deadline=0.005))
        elif kind == "nested":
            tasks.append(pool.submit(pool.map, act, [("good", value), ("value", value)]))
        else:
            tasks.append(pool.submit(act, (kind, value)))
    outcomes = [task.outcome() for task in tasks]
    gate.set()
    assert pool.close(LONG)
    for kind, value, outcome in zip(kinds, itertools.count(), outcomes):
        if kind == "good":
            assert outcome == value
        elif kind == "nested":
            assert outcome[0] == value
            assert isinstance(outcome[1], EngineError)
        else:
            assert isinstance(outcome, {"input": InputError, "hang": DeadlineError}[kind])
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mixed-")]


def test_64_threads_get_their_own_results(new_pool, in_thread) -> None:
    pool = new_pool(4, 8)
    wrong = []

    def client(number: int) -> None:
        for k in range(40):
            value = (number, k)
            if pool.submit(lambda value=value: value).result(LONG) != value:
                wrong.append(value)
        if pool.map(lambda k: (number, k), range(40)) != [(number, k) for k in range(40)]:
            wrong.append(number)

    for thread in [in_thread(lambda number=number: client(number)) for number in range(64)]:
        thread.join(LONG)
    assert wrong == []
    assert pool.stats().done == 64 * 80


def test_map_takes_items_only_as_there_is_room(new_pool, gate, in_thread, until) -> None:
    pool = new_pool(2, 3)
    taken = itertools.count(1)
    reached = []

    def items():
        for _ in range(100):
            reached.append(next(taken))
            yield len(reached)

    outcomes = []
    thread = in_thread(lambda: outcomes.extend(pool.map(gate, items())))
    until(lambda: pool.stats().queued == 3)
    assert len(reached) <= 2 + 3 + 1
    gate.open()
    thread.join(LONG)
    assert outcomes == list(range(1, 101))


def test_map_raises_what_the_items_raise_and_cancels_the_rest(new_pool, gate) -> None:
    pool = new_pool(1)

    def items():
        yield from range(4)
        gate.entered()
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        pool.map(gate, items())
    assert pool.stats().cancelled == 4
    gate.open()
    assert pool.map(str, [1]) == ["1"]


def test_map_goes_on_when_the_pool_closes_and_still_raises_what_the_items_raise(new_pool) -> None:
    pool = new_pool(1)

    def items():
        yield 1
        assert pool.close(LONG)
        yield 2
        raise LookupError("no more")

    with pytest.raises(LookupError):
        pool.map(str, items())
    assert pool.stats().done == 1


def test_map_has_one_deadline_for_all(new_pool, gate) -> None:
    pool = new_pool(2)
    outcomes = pool.map(lambda k: k if k < 2 else gate(k), range(6), deadline=0.2)
    assert outcomes[:2] == [0, 1]
    assert all(isinstance(outcome, DeadlineError) and outcome.seconds == 0.2 for outcome in outcomes[2:])


def test_a_full_queue_refuses_at_once_when_asked(new_pool, gate) -> None:
    pool = new_pool(1, 2)
    running = pool.submit(gate, "first")
    gate.entered()
    queued = [pool.submit(gate, k) for k in range(2)]
    with pytest.raises(OverloadedError, match="2 requests wait already") as refused:
        pool.submit(gate, wait=False)
    assert 0.1 <= refused.value.retry_after <= 60
    assert pool.stats().refused == 1
    gate.open()
    assert [task.result(LONG) for task in (running, *queued)] == ["first", 0, 1]
    assert pool.submit(int, wait=False).result(LONG) == 0


def test_a_full_queue_holds_the_caller_until_there_is_room(new_pool, gate, in_thread, until) -> None:
    pool = new_pool(1, 1)
    pool.submit(gate)
    gate.entered()
    pool.submit(gate)
    results = []
    waiting = [in_thread(lambda k=k: results.append(pool.submit(lambda: k).result(LONG))) for k in range(20)]
    assert pool.stats().queued == 1
    gate.open()
    for thread in waiting:
        thread.join(LONG)
    assert sorted(results) == list(range(20))


def test_waiting_for_room_ends_with_the_deadline(new_pool, gate) -> None:
    pool = new_pool(1, 1)
    pool.submit(gate)
    gate.entered()
    pool.submit(gate)
    late = pool.submit(gate, deadline=0.02)
    assert late.done
    assert isinstance(late.outcome(), DeadlineError)
    assert pool.stats().expired == 1


def test_what_has_expired_or_was_cancelled_makes_room(new_pool, gate, clock) -> None:
    pool = new_pool(1, 3, clock=clock)
    pool.submit(gate)
    gate.entered()
    queued = [pool.submit(gate, deadline=deadline) for deadline in (5, 50, None)]
    with pytest.raises(OverloadedError):
        pool.submit(gate, wait=False)
    clock.now += 5
    pool.submit(gate, wait=False)
    assert queued[2].cancel()
    pool.submit(gate, wait=False)
    with pytest.raises(OverloadedError):
        pool.submit(gate, wait=False)


def test_a_caller_held_by_a_full_queue_goes_on_when_a_queued_task_expires(new_pool, gate) -> None:
    pool = new_pool(1, 1)
    pool.submit(gate)
    gate.entered()
    pool.submit(gate, deadline=0.02)
    last = pool.submit(int)
    assert pool.stats().expired == 1
    gate.open()
    assert last.result(LONG) == 0


def test_a_storm_of_cancellations(new_pool, in_thread) -> None:
    pool = new_pool(3, 16)
    ran = []

    def client(number: int) -> None:
        for k in range(60):
            task = pool.submit(ran.append, (number, k))
            if k % 3:
                task.cancel()
            outcome = task.outcome()
            assert outcome is None or (isinstance(outcome, ServiceError) and k % 3), outcome

    clients = [in_thread(lambda number=number: client(number)) for number in range(16)]
    for thread in clients:
        thread.join(LONG)
    assert pool.drain(LONG)
    stats = pool.stats()
    assert stats.done + stats.cancelled == 16 * 60
    assert stats.done >= 16 * 20
    assert len(ran) == len(set(ran)) >= stats.done
    assert pool.map(int, ["7"] * 20) == [7] * 20


def test_a_call_in_the_pool_may_use_it_again(new_pool) -> None:
    pool = new_pool(1, 1)

    def deep(level: int) -> list[int]:
        if level == 0:
            return [threading.get_ident()]
        below = pool.submit(deep, level - 1).result(LONG)
        return [*below, *pool.map(lambda _: threading.get_ident(), range(3))]

    assert len(set(pool.submit(deep, 10).result(LONG))) == 1


def test_nested_calls_of_every_worker_at_once(new_pool) -> None:
    pool = new_pool(4, 2)
    together = threading.Barrier(4)

    def outer(value: int) -> list[int | CandlewickError]:
        together.wait(LONG)
        return pool.map(lambda k: k * value, range(50))

    assert pool.map(outer, range(4)) == [[k * value for k in range(50)] for value in range(4)]


def test_two_pools_may_use_each_other(new_pool) -> None:
    first, second = new_pool(1, 1), new_pool(1, 1)

    def there_and_back(depth: int) -> int:
        if depth == 0:
            return 0
        return 1 + second.submit(lambda: first.submit(there_and_back, depth - 1).result(LONG)).result(LONG)

    assert first.submit(there_and_back, 5).result(LONG) == 5


def test_accepted_tasks_finish_on_close_also_what_they_ask_for(new_pool, gate, in_thread, until) -> None:
    pool = new_pool(1, 8)

    def asks() -> list[int | CandlewickError]:
        return pool.map(lambda k: k + 1, [1, 2])

    first = pool.submit(gate, "done")
    gate.entered()
    later = [pool.submit(asks) for _ in range(8)]
    closed = []
    in_thread(lambda: closed.append(pool.close(LONG)))
    until(lambda: pool._crew.closing)
    with pytest.raises(ServiceError, match="pool tested: is closed"):
        pool.submit(int)
    with pytest.raises(ServiceError, match="is closed"):
        pool.resize(2)
    assert not any(task.done for task in later)
    gate.open()
    assert first.result(LONG) == "done"
    assert [task.result(LONG) for task in later] == [[2, 3]] * 8
    until(lambda: closed == [True])


def test_close_under_load_of_64_threads(new_pool, in_thread, names) -> None:
    pool = new_pool(4, 8)
    accepted, refused = [], []
    going = threading.Semaphore(0)

    def client(number: int) -> None:
        for k in itertools.count():
            try:
                accepted.append((pool.submit(lambda value: value, (number, k)), (number, k)))
            except ServiceError:
                refused.append(number)
                return
            going.release()

    clients = [in_thread(lambda number=number: client(number)) for number in range(64)]
    for _ in range(500):
        assert going.acquire(timeout=LONG)
    assert pool.close(LONG)
    assert names() == []
    for thread in clients:
        thread.join(LONG)
    assert sorted(refused) == list(range(64))
    assert all(task.done and task.result() == value for task, value in accepted)
    assert pool.stats().done == len(accepted)


def test_close_that_a_hanging_call_outlasts(new_pool, gate, names, until) -> None:
    pool = new_pool(1)
    hanging = pool.submit(gate, "late")
    gate.entered()
    queued = pool.submit(int)
    assert pool.drain(0.01) is False
    assert pool.close(0.01) is False
    with pytest.raises(ServiceError, match="closed before it started"):
        queued.result()
    assert not hanging.done
    gate.open()
    assert hanging.result(LONG) == "late"
    assert pool.close(LONG)
    assert names() == []


def test_callers_held_by_a_full_queue_are_let_go_by_close(new_pool, gate, in_thread, until) -> None:
    pool = new_pool(1, 1)
    pool.submit(gate)
    gate.entered()
    pool.submit(gate)
    outcomes = []
    in_thread(lambda: outcomes.extend(pool.map(str, range(5))))
    held = []

    def submit() -> None:
        try:
            pool.submit(int)
        except ServiceError as error:
            held.append(error)

    in_thread(submit)
    until(lambda: len(pool._crew._room._waiters) == 2)
    assert not pool.close(0.01)
    until(lambda: len(outcomes) == 5 and len(held) == 1)
    assert all(isinstance(outcome, ServiceError) for outcome in outcomes)


def test_close_and_drain_from_a_call_do_not_wait_for_it(new_pool) -> None:
    pool = new_pool(1)
    assert pool.submit(lambda: (pool.drain(), pool.close())).result(LONG) == (False, False)
    with pytest.raises(ServiceError):
        pool.submit(int)
    assert pool.close(LONG)


def test_drain_leaves_the_pool_open(new_pool) -> None:
    pool = new_pool(2)
    tasks = [pool.submit(time.sleep, 0.001) for _ in range(20)]
    assert pool.drain(LONG)
    assert all(task.done for task in tasks)
    assert pool.submit(int).result(LONG) == 0


def test_resize_up_serves_what_waits(new_pool, gate) -> None:
    pool = new_pool(1)
    tasks = [pool.submit(gate, k) for k in range(4)]
    gate.entered()
    assert pool.stats().busy == 1
    pool.resize(3)
    gate.entered(2)
    stats = pool.stats()
    assert (stats.workers, stats.busy, stats.queued) == (3, 3, 1)
    assert stats.utilisation == 1.0
    gate.open()
    assert [task.result(LONG) for task in tasks] == [0, 1, 2, 3]


def test_resize_down_ends_threads_and_loses_no_task(new_pool, gate, names, until) -> None:
    pool = new_pool(4)
    tasks = [pool.submit(gate, k) for k in range(12)]
    gate.entered(4)
    pool.resize(1)
    assert pool.stats().utilisation == 1.0  # four are busy for one worker
    gate.open()
    assert [task.result(LONG) for task in tasks] == list(range(12))
    until(lambda: len(names()) == 1)
    idle = new_pool(4, name="idle")
    together = threading.Barrier(4)
    idle.map(lambda _: together.wait(LONG), range(4))
    idle.resize(2)
    until(lambda: len(names("idle")) == 2)
    assert idle.map(str, range(50)) == [str(k) for k in range(50)]


def test_resize_back_and_forth_under_load(new_pool, in_thread, names, until) -> None:
    pool = new_pool(2, 4)
    results = []
    clients = [in_thread(lambda: results.append(pool.map(lambda k: k, range(300)))) for _ in range(4)]
    for size in itertools.islice(itertools.cycle([1, 5, 3, 1, 4]), 60):
        pool.resize(size)
        assert pool.submit(int).result(LONG) == 0
    for thread in clients:
        thread.join(LONG)
    assert results == [list(range(300))] * 4
    pool.resize(1)
    until(lambda: len(names()) == 1)


def test_threads_start_with_work_and_no_more_than_it_needs(new_pool, names) -> None:
    pool = new_pool(8)
    assert names() == []
    assert pool.submit(int).result(LONG) == 0
    assert len(names()) == 1


def test_a_pool_that_nobody_holds_lets_its_threads_end(gate, names, until) -> None:
    pool = WorkerPool(2, name="dropped")
    task = pool.submit(gate, "kept")
    gate.entered()
    del pool
    gate.open()
    assert task.result(LONG) == "kept"
    until(lambda: names("dropped") == [])


def test_a_thread_that_cannot_start(new_pool, monkeypatch) -> None:
    pool = new_pool(2)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as fault:
        fault.setattr(threading.Thread, "start", refuse)
        with pytest.raises(ServiceError, match="no thread can be started"):
            pool.submit(int)
    assert pool.stats().queued == 0
    assert pool.submit(int).result(LONG) == 0
    with monkeypatch.context() as fault:  # one that runs does the work of two
        fault.setattr(threading.Thread, "start", refuse)
        assert pool.map(str, range(20)) == [str(k) for k in range(20)]


def test_stats_while_busy(new_pool, gate, clock) -> None:
    pool = new_pool(4, clock=clock)
    task = pool.submit(gate)
    gate.entered()
    assert pool.stats().utilisation == 0.25
    clock.now += 3
    gate.open()
    task.result()
    assert pool.drain()
    assert pool.stats().busy_seconds == 3
    assert pool.stats().utilisation == 0.0


def test_stats_know_what_nobody_waits_for_has_expired(new_pool, gate, clock) -> None:
    pool = new_pool(1, clock=clock)
    pool.submit(gate, deadline=5)
    gate.entered()
    pool.submit(gate, deadline=5)
    clock.now += 5
    stats = pool.stats()
    assert (stats.expired, stats.queued, stats.busy, stats.let_go) == (2, 0, 0, 1)


@pytest.mark.parametrize("value", [0, -1, True, 2.0, None])
def test_sizes_that_are_none_are_refused(new_pool, value) -> None:
    with pytest.raises(InputError, match="workers"):
        WorkerPool(value)
    with pytest.raises(InputError, match="queue"):
        WorkerPool(1, value)
    with pytest.raises(InputError, match="workers"):
        new_pool(1).resize(value)


@pytest.mark.parametrize("value", [float("nan"), True, "1"])
def test_deadlines_that_are_none_are_refused(new_pool, value) -> None:
    with pytest.raises(InputError, match="deadline"):
        new_pool(1).submit(int, deadline=value)
    with pytest.raises(InputError, match="deadline"):
        new_pool(1).map(int, [], deadline=value)


@pytest.mark.parametrize(
    ("grace", "call", "shown"), [(30, "time.sleep(0.2); print('done', flush=True)", "done\n"), (0.1, "gate.wait()", "")]
)
def test_the_interpreter_ends_with_a_pool_open(grace: float, call: str, shown: str) -> None:
    """Accepted calls get their grace; one that hangs does not hold up the end."""
    program = f"""
import threading, time
from candlewick.concurrency import crew
from candlewick.concurrency.worker_pool import WorkerPool
crew.EXIT_GRACE = {grace}
gate = threading.Event()
def call():
    {call}
kept = WorkerPool(2), WorkerPool(1)
kept[0].submit(call)
kept[1].submit(int).result()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LONG, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, shown, "")
