"""The dispatcher: who answers, what is counted, what is handed on; V1's answer is V1's own, whatever V2 does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.delivery import dispatch as module
from candlewick.delivery.control import Control
from candlewick.delivery.dispatch import Dispatched, Dispatcher
from candlewick.delivery.journal import ControlJournal
from candlewick.delivery.lanes import Lanes
from candlewick.delivery.outcome import Attempt, Outcome, Pair
from candlewick.delivery.routing import CLASSIC, OPTIMIZED, route
from candlewick.delivery.shadow import Job
from candlewick.errors import (
    DeadlineError,
    EngineError,
    InputError,
    KilledError,
    OverloadedError,
    StoreError,
    UnknownNameError,
    UnknownSeriesError,
)

WAIT = 20.0


class Notebook:
    """An off path that runs nothing: it chooses as told and keeps what is submitted."""

    def __init__(self) -> None:
        self.room = 100
        self.chooses = True
        self.shares: list[float] = []
        self.jobs: list[Job] = []

    def choose(self, share: float) -> bool:
        self.shares.append(share)
        return self.chooses and self.reserve()

    def reserve(self) -> bool:
        if self.room == 0:
            return False
        self.room -= 1
        return True

    def give_back(self) -> None:
        self.room += 1

    def submit(self, job: Job) -> None:
        self.jobs.append(job)


class Bench:
    """A dispatcher with everything that it hands on."""

    def __init__(self, control: Control, clock: Any) -> None:
        self.control = control
        self.clock = clock
        self.outcomes: list[Outcome] = []
        self.pairs: list[Pair] = []
        self.notebook = Notebook()
        self.lanes = Lanes(2)
        self.dispatcher = Dispatcher(
            control,
            record=self.outcomes.append,
            offer=self.pairs.append,
            off_path=self.notebook,
            lanes=self.lanes,
            clock=clock,
        )

    def all_on(self) -> None:
        self.control.set("rollout_percentage", 100, who="me")

    def ask(
        self, v1: Any = "v1", v2: Any = "v2", ready: Any = None, engine: str = "auto", **more: Any
    ) -> Dispatched[Any]:
        return self.dispatcher.dispatch("A", engine, self.call(v1, 0.25), self.call(v2, 0.125), ready, **more)

    def call(self, value: Any, seconds: float) -> Callable[[], Any]:
        def engine() -> Any:
            self.clock.now += seconds
            if isinstance(value, BaseException):
                raise value
            return value

        return engine


@pytest.fixture
def bench(control: Control, clock: Any) -> Iterator[Bench]:
    opened = Bench(control, clock)
    yield opened
    opened.dispatcher.close()


def test_off_the_rollout_v1_answers_and_v2_knows_nothing(bench: Bench) -> None:
    found = bench.ask(v2=AssertionError("V2 was asked"))
    assert found == ("v1", "classic", "classic", False, (Attempt("classic", 0.25),), 0, 0.25)
    assert bench.outcomes == [Outcome("A", 0, "classic", 1000.0, 0.25, (Attempt("classic", 0.25),))]
    assert (bench.pairs, bench.notebook.jobs, bench.notebook.shares) == ([], [], [])


def test_on_the_rollout_v2_answers_and_v1_is_asked_apart(bench: Bench) -> None:
    bench.all_on()
    found = bench.ask()
    assert found == ("v2", "optimized", "optimized", False, (Attempt("optimized", 0.125),), 1, 0.125)
    assert bench.outcomes == [Outcome("A", 1, "optimized", 1000.0, 0.125, (Attempt("optimized", 0.125),))]
    (job,) = bench.notebook.jobs
    assert (job.engine, job.value, job.rerun()) == ("classic", "v2", "v1")
    assert job.pair == Pair("A", 1, 1000.0, None, Attempt("optimized", 0.125), chosen=True, first=True, deadline=1.0)


def test_what_is_not_chosen_is_asked_once(bench: Bench) -> None:
    bench.all_on()
    bench.notebook.chooses = False
    assert bench.ask().engine == OPTIMIZED
    assert bench.notebook.jobs == []


@pytest.mark.parametrize(("percentage", "share"), [(100, 0.1), (50, 0.2), (10, 1.0), (1, 1.0)])
def test_so_much_is_chosen_that_a_tenth_of_all_requests_is(bench: Bench, percentage: float, share: float) -> None:
    bench.control.set("rollout_percentage", percentage, who="me")
    key = next(key for key in map(str, range(10_000)) if route(bench.control.current, key) == OPTIMIZED)
    bench.dispatcher.dispatch(key, "auto", lambda: "v1", lambda: "v2")
    assert bench.notebook.shares == [pytest.approx(share)]


def test_an_answer_at_hand_takes_no_thread_and_is_never_a_first(bench: Bench) -> None:
    bench.all_on()
    caller: list[threading.Thread] = []
    found = bench.ask(
        v2=AssertionError("it was computed"), ready=lambda: caller.append(threading.current_thread()) or "r"
    )
    assert found.value == "r"
    assert caller == [threading.current_thread()]
    assert bench.notebook.jobs[0].pair.first is False


def test_only_the_first_of_a_shape_is_a_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.all_on()
    for shape in ("5m", "5m", "1h", None, None):
        bench.ask(shape=shape)
    assert [job.pair.first for job in bench.notebook.jobs] == [True, False, True, True, False]
    monkeypatch.setattr(module, "SHAPES", 3)
    bench.ask(shape="1d")
    bench.ask(shape="5m")
    assert [job.pair.first for job in bench.notebook.jobs[5:]] == [True, True], "too many: it starts over"


@pytest.mark.parametrize("chosen", [True, False])
def test_where_v2_fails_v1_answers_and_the_failure_counts(bench: Bench, chosen: bool) -> None:
    bench.all_on()
    bench.notebook.chooses = chosen
    found = bench.ask(v2=RuntimeError("no"))
    attempts = (Attempt("optimized", 0.125, "RuntimeError"), Attempt("classic", 0.25))
    assert found == ("v1", "classic", "optimized", True, attempts, 1, 0.375)
    assert bench.outcomes == [Outcome("A", 1, "optimized", 1000.0, 0.375, attempts, fallback=True)]
    assert bench.pairs == [Pair("A", 1, 1000.0, attempts[1], attempts[0], chosen=chosen, deadline=1.0)]
    assert (bench.notebook.room, bench.notebook.jobs) == (100, []), "V1's outcome is known already"


def test_where_both_fail_the_caller_gets_v1s_error(bench: Bench) -> None:
    bench.all_on()
    lost = StoreError("the store is gone")
    with pytest.raises(StoreError) as caught:
        bench.ask(v1=lost, v2=RuntimeError("no"))
    assert caught.value is lost
    attempts = (Attempt("optimized", 0.125, "RuntimeError"), Attempt("classic", 0.25, "StoreError"))
    assert bench.outcomes == [Outcome("A", 1, "optimized", 1000.0, 0.375, attempts, True, "StoreError")]
    assert [(one.v1, one.v2) for one in bench.pairs] == [(attempts[1], attempts[0])]


def test_without_fallback_v2s_error_is_the_answer_and_v1_is_asked_apart(bench: Bench) -> None:
    bench.all_on()
    bench.control.set("fallback_to_v1_on_error", False, who="me")
    with pytest.raises(EngineError, match="engine optimized failed: RuntimeError: no") as caught:
        bench.ask(v2=RuntimeError("no"))
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert [one.error for one in bench.outcomes] == ["RuntimeError"]
    (job,) = bench.notebook.jobs
    assert (job.engine, job.pair.v2) == ("classic", Attempt("optimized", 0.125, "RuntimeError"))
    bench.notebook.chooses = False
    with pytest.raises(EngineError):
        bench.ask(v2=RuntimeError("no"))
    assert len(bench.notebook.jobs) == 1


@pytest.mark.parametrize("error", [InputError("start", 1, "give 2"), UnknownSeriesError("symbol", "A", [])])
@pytest.mark.parametrize("percentage", [0, 100])
def test_the_callers_own_mistake_is_nobodys_failure(bench: Bench, error: Exception, percentage: float) -> None:
    bench.control.set("rollout_percentage", percentage, who="me")
    with pytest.raises(type(error)) as caught:
        bench.ask(v1=error, v2=error)
    assert caught.value is error
    ((attempt,),) = [one.attempts for one in bench.outcomes]
    assert attempt.refused
    assert bench.pairs == []
    # A V2 that refuses what V1 answers would else go unseen.
    assert [job.engine for job in bench.notebook.jobs] == ([CLASSIC] if percentage else [])


def test_a_failure_of_v1_is_run_again_on_v2_apart(bench: Bench) -> None:
    with pytest.raises(EngineError, match="engine classic failed: ValueError: no"):
        bench.ask(v1=ValueError("no"))
    (job,) = bench.notebook.jobs
    assert (job.engine, job.rerun()) == (OPTIMIZED, "v2")
    assert job.pair == Pair("A", 0, 1000.0, Attempt("classic", 0.25, "ValueError"), None, None, False, True, 1.0)
    bench.notebook.room = 0
    with pytest.raises(EngineError):
        bench.ask(v1=ValueError("no"))
    assert len(bench.notebook.jobs) == 1


def test_v2_that_overruns_is_left_behind_and_when_all_hang_it_is_not_even_asked(bench: Bench) -> None:
    bench.all_on()
    bench.control.set("v2_deadline_ms", 20, who="me")
    go, asked = threading.Event(), []

    def hangs() -> str:
        asked.append(1)
        go.wait(WAIT)
        return "late"

    kinds = []
    for _ in range(4):
        found = bench.dispatcher.dispatch("A", "auto", lambda: "v1", hangs)
        assert (found.value, found.fallback) == ("v1", True)
        kinds.append((found.attempts[0].error, found.attempts[0].overrun))
    assert kinds == [("DeadlineError", True)] * 2 + [("OverloadedError", False)] * 2
    assert (len(asked), bench.lanes.stuck) == (2, 2)
    bench.control.set("fallback_to_v1_on_error", False, who="me")
    with pytest.raises(OverloadedError):
        bench.dispatcher.dispatch("A", "auto", lambda: "v1", hangs)
    go.set()


def test_without_fallback_an_overrun_is_a_deadline_error(bench: Bench) -> None:
    bench.all_on()
    bench.control.set("v2_deadline_ms", 20, who="me")
    bench.control.set("fallback_to_v1_on_error", False, who="me")
    go = threading.Event()
    with pytest.raises(DeadlineError):
        bench.dispatcher.dispatch("A", "auto", lambda: "v1", lambda: go.wait(WAIT))
    go.set()


def test_an_explicit_engine_is_neither_routed_nor_counted_in_an_arm(bench: Bench) -> None:
    bench.all_on()
    assert bench.ask(engine="classic").value == "v1"
    bench.control.set("rollout_percentage", 0, who="me")
    assert bench.ask(engine="optimized").value == "v2"
    assert bench.ask(engine="optimized", ready=lambda: "r").value == "r"
    with pytest.raises(EngineError, match="engine optimized failed"):
        bench.ask(engine="optimized", v2=RuntimeError("no"))
    with pytest.raises(InputError):
        bench.ask(engine="classic", v1=InputError("start", 1, "give 2"))
    assert {one.arm for one in bench.outcomes} == {"explicit"}
    assert [one.error for one in bench.outcomes] == [None, None, None, "RuntimeError", "InputError"]
    assert (bench.pairs, bench.notebook.jobs, bench.notebook.shares) == ([], [], [])


def test_while_killed_v2_is_refused_by_name_and_not_asked_by_auto(bench: Bench) -> None:
    bench.all_on()
    bench.control.kill(who="me", why="wrong numbers")
    with pytest.raises(KilledError, match=r"refused while the rollout is killed \(wrong numbers\); use auto"):
        bench.ask(engine="optimized")
    assert bench.ask(v2=AssertionError("V2 was asked")).value == "v1"
    assert bench.ask(engine="classic").value == "v1"


def test_an_unknown_engine_names_the_known(bench: Bench) -> None:
    with pytest.raises(UnknownNameError, match="engine: 'optimised' is unknown; nearest: optimized"):
        bench.ask(engine="optimised")


ends = st.sampled_from(["answers", "fails", "refuses"])


@given(
    v1=ends, v2=ends, percentage=st.sampled_from([0, 100]), engine=st.sampled_from(["auto", "classic", "optimized"]),
    killed=st.booleans(), fallback=st.booleans(), chosen=st.booleans(),
)  # fmt: skip
def test_every_request_is_told_once_and_every_slot_is_used_or_given_back(
    v1: str, v2: str, percentage: int, engine: str, killed: bool, fallback: bool, chosen: bool
) -> None:
    outcomes: list[Outcome] = []
    pairs: list[Pair] = []
    notebook = Notebook()
    notebook.chooses = chosen

    def call(name: str, end: str) -> Callable[[], str]:
        def run() -> str:
            if end == "fails":
                raise RuntimeError(name)
            if end == "refuses":
                raise InputError("name", name, "give another")
            return name

        return run

    lanes = Lanes(1)
    with ControlJournal(None) as journal:
        control = Control(journal, watch=False)
        control.set("rollout_percentage", percentage, who="me")
        control.set("fallback_to_v1_on_error", fallback, who="me")
        if killed:
            control.kill(who="me", why="bad")
        dispatcher = Dispatcher(control, record=outcomes.append, offer=pairs.append, off_path=notebook, lanes=lanes)
        on_v2 = percentage == 100 and not killed
        value: Any = None
        try:
            value = dispatcher.dispatch("A", engine, call("v1", v1), call("v2", v2)).value
        except KilledError:
            assert (engine, killed) == ("optimized", True)
            assert outcomes == []
            return
        except (EngineError, InputError) as error:
            value = error
        finally:
            lanes.close()
    (outcome,) = outcomes
    assert outcome.arm == ("explicit" if engine != "auto" else OPTIMIZED if on_v2 else CLASSIC)
    assert [one.engine for one in outcome.attempts] == list(dict.fromkeys(one.engine for one in outcome.attempts))
    assert (outcome.error is None) == isinstance(value, str)
    assert notebook.room + len(notebook.jobs) == 100
    if engine == "auto" and not on_v2:
        assert [one.engine for one in outcome.attempts] == [CLASSIC]
        assert value == "v1" or v1 != "answers"
    if outcome.arm == OPTIMIZED and chosen:
        assert len(pairs) + len(notebook.jobs) == 1, "what was chosen makes a pair"
    if outcome.fallback:
        assert (v2, fallback, len(pairs)) == ("fails", True, 1)
