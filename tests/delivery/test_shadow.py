"""Shadow: chosen beforehand, run apart, dropped and counted when there is no room; V1 never waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from candlewick.delivery.outcome import Attempt, Pair, Verdict
from candlewick.delivery.routing import CLASSIC, OPTIMIZED
from candlewick.delivery.shadow import Job, NoShadow, Shadow
from candlewick.errors import DeadlineError, InputError

WAIT = 20.0


def alike(v1: Any, v2: Any) -> Verdict | None:
    return None if v1 == "later" else Verdict.EQUAL if v1 == v2 else Verdict.MISMATCH


@pytest.fixture
def pairs() -> list[Pair]:
    return []


@pytest.fixture
def shadow(pairs: list[Pair], clock: Any) -> Iterator[Shadow]:
    opened = Shadow(alike, pairs.append, refusals=(InputError,), clock=clock, slots=3, rest=0.0)
    yield opened
    opened.close()


def v2_answered(value: Any = 1) -> tuple[Pair, Any]:
    return Pair("A", 1, 5.0, None, Attempt(OPTIMIZED, 0.1)), value


def run(shadow: Shadow, rerun: Callable[[], Any], pair: Pair, value: Any = None, engine: str = CLASSIC) -> None:
    assert shadow.reserve()
    shadow.submit(Job(pair, engine, rerun, value))
    assert shadow.drain(WAIT)


@pytest.mark.parametrize(("v1", "verdict"), [(1, "equal"), (2, "mismatch"), ("later", None)])
def test_a_pair_of_answers_has_a_verdict(shadow: Shadow, pairs: list[Pair], v1: Any, verdict: str | None) -> None:
    pair, value = v2_answered()
    run(shadow, lambda: v1, pair, value)
    assert pairs == [Pair("A", 1, 5.0, Attempt(CLASSIC, 0.0), Attempt(OPTIMIZED, 0.1), verdict)]  # type: ignore[arg-type]
    assert shadow.stats().done == 1


def test_errors_are_outcomes(shadow: Shadow, pairs: list[Pair]) -> None:
    def raises(error: Exception) -> Callable[[], Any]:
        def call() -> None:
            raise error

        return call

    pair, value = v2_answered()
    run(shadow, raises(RuntimeError("no")), pair, value)
    run(shadow, raises(InputError("start", 1, "give 2")), pair, value)
    run(shadow, raises(DeadlineError(1.0)), pair, value)
    attempts = [one.v1 for one in pairs]
    assert attempts == [
        Attempt(CLASSIC, 0.0, "RuntimeError"),
        Attempt(CLASSIC, 0.0, "InputError", refused=True),
        Attempt(CLASSIC, 0.0, "DeadlineError", overrun=True),
    ]
    assert {one.verdict for one in pairs} == {None}
    assert shadow.stats().broken == 0


def test_what_v1_failed_at_is_run_on_v2(shadow: Shadow, pairs: list[Pair]) -> None:
    failed = Pair("A", 1, 5.0, Attempt(CLASSIC, 0.1, "RuntimeError"), None, chosen=False)
    run(shadow, lambda: 1, failed, engine=OPTIMIZED)
    assert pairs == [Pair("A", 1, 5.0, failed.v1, Attempt(OPTIMIZED, 0.0), chosen=False)]


def test_answers_are_handed_over_in_the_order_of_the_engines(pairs: list[Pair], clock: Any) -> None:
    seen = []
    shadow = Shadow(lambda v1, v2: seen.append((v1, v2)), pairs.append, clock=clock, rest=0.0)
    run(shadow, lambda: "v1", v2_answered()[0], "v2")
    run(shadow, lambda: "v2", Pair("A", 1, 5.0, Attempt(CLASSIC, 0.1), None), "v1", engine=OPTIMIZED)
    assert seen == [("v1", "v2")] * 2
    shadow.close()


def test_a_comparison_that_breaks_is_counted_and_no_verdict(
    pairs: list[Pair], clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(v1: Any, v2: Any) -> Verdict:
        raise ZeroDivisionError

    shadow = Shadow(breaks, pairs.append, clock=clock, rest=0.0)
    with caplog.at_level(logging.ERROR):
        run(shadow, lambda: 1, *v2_answered())
    assert [one.verdict for one in pairs] == [None]
    assert shadow.stats().broken == 1
    assert "could not be compared" in caplog.text
    shadow.close()


def test_where_pairs_cannot_be_handed_on_the_next_one_still_is(clock: Any, caplog: pytest.LogCaptureFixture) -> None:
    taken: list[Pair] = []

    def offer(pair: Pair) -> None:
        if not taken:
            taken.append(pair)
            raise RuntimeError("full")
        taken.append(pair)

    shadow = Shadow(alike, offer, clock=clock, rest=0.0)
    with caplog.at_level(logging.ERROR):
        run(shadow, lambda: 1, *v2_answered())
        run(shadow, lambda: 1, *v2_answered())
    assert len(taken) == 2
    assert shadow.stats().broken == 1
    shadow.close()


def test_when_the_slots_are_taken_nothing_is_chosen_and_nobody_waits(shadow: Shadow, pairs: list[Pair]) -> None:
    go = threading.Event()
    pair, value = v2_answered()
    for _ in range(3):
        assert shadow.choose(1.0)
        shadow.submit(Job(pair, CLASSIC, lambda: go.wait(WAIT), value))
    assert not shadow.choose(1.0)
    assert not shadow.reserve()
    assert (shadow.stats().waiting, shadow.stats().declined) == (3, 2)
    assert not shadow.drain(0.01)
    go.set()
    assert shadow.drain(WAIT)
    assert len(pairs) == 3
    assert shadow.reserve()
    shadow.give_back()
    assert shadow.stats().waiting == 0


def test_the_share_that_is_chosen(clock: Any, pairs: list[Pair]) -> None:
    shadow = Shadow(alike, pairs.append, clock=clock)

    def chosen(share: float, count: int) -> list[bool]:
        found = []
        for _ in range(count):
            found.append(shadow.choose(share))
            if found[-1]:
                shadow.give_back()
        return found

    assert chosen(1.0, 50) == [True] * 50
    some = chosen(0.1, 3000)
    assert 230 <= sum(some) <= 370, "within four standard deviations"
    by_place = [sum(some[k::10]) for k in range(10)]
    assert max(by_place) < 3 * min(by_place), "whatever the order of the requests"
    assert not any(chosen(0.0, 100))
    clock.now += 1.0
    assert chosen(0.0, 100) == [True] + [False] * 99, "one a second, whatever the share"
    shadow.close()


def test_it_rests_in_proportion_to_its_work_and_not_to_its_waiting(
    pairs: list[Pair], clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    worked = [0.0]
    shadow = Shadow(alike, pairs.append, clock=clock, threads=1, rest=3.0, worked=lambda: worked[0])
    monkeypatch.setattr(shadow._ended, "wait", lambda seconds: rests.append(seconds))

    def work() -> int:
        clock.now += 7.0
        worked[0] += 0.5
        return 1

    run(shadow, work, *v2_answered())
    run(shadow, work, *v2_answered())
    shadow.close()
    assert rests == [1.5, 1.5]


def test_closing_drops_what_waits_and_takes_no_more(pairs: list[Pair], clock: Any) -> None:
    shadow = Shadow(alike, pairs.append, clock=clock, threads=1, rest=0.0)
    started, go, pair_value = threading.Event(), threading.Event(), v2_answered()

    def hold() -> None:
        started.set()
        go.wait(WAIT)

    for call in (hold, lambda: 1):
        assert shadow.reserve()
        shadow.submit(Job(pair_value[0], CLASSIC, call, pair_value[1]))
    assert started.wait(WAIT)
    shadow.close(timeout=0.0)
    go.set()
    assert shadow.drain(WAIT)
    assert len(pairs) == 1
    assert not shadow.choose(1.0)
    shadow.close()


def test_no_shadow_chooses_nothing() -> None:
    none = NoShadow()
    assert not none.choose(1.0)
    assert not none.reserve()
    none.give_back()
    none.submit(Job(v2_answered()[0], CLASSIC, lambda: pytest.fail("it ran")))


def test_while_the_service_is_busy_only_one_a_second_is_chosen(shadow: Shadow, clock: Any) -> None:
    busy = True
    shadow.ease(lambda: busy)
    assert shadow.choose(1.0), "a slow V2 must not be judged by nothing"
    assert not shadow.choose(1.0)
    assert not shadow.reserve()
    clock.now += 1.5
    assert shadow.choose(0.0)
    busy = False
    assert shadow.choose(1.0)
    assert shadow.stats().declined == 0
