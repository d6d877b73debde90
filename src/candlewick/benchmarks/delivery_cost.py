"""What delivery adds to a request: reading the flags and routing, and the dispatcher in all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from candlewick.benchmarks.agreement import Answers
from candlewick.benchmarks.benchmark import QUICK_ROUNDS, ROUNDS, Benchmark
from candlewick.benchmarks.candle_data import symbol_name
from candlewick.benchmarks.contest import Contender, Contest
from candlewick.benchmarks.goal import Within
from candlewick.delivery.arms import Arms
from candlewick.delivery.control import Control
from candlewick.delivery.dispatch import Dispatcher
from candlewick.delivery.journal import ControlJournal
from candlewick.delivery.routing import OPTIMIZED, bucket, route
from candlewick.delivery.snapshot import threshold_of

REQUESTS, QUICK_REQUESTS = 20_000, 2_000
KEYS = 1_000
PERCENTAGE = 10.0
FLAG = "use_optimized_analytics"
OPENFEATURE = ("openfeature",)


def routing(requests: int, rounds: int) -> Contest:
    """Each request reads the flags in force and asks which engine has its key."""
    keys = _keys(requests)

    def ours() -> Callable[[], Any]:
        control = _rollout()
        return lambda: [route(control.current, key) == OPTIMIZED for key in keys]

    def through_openfeature() -> Callable[[], Any]:
        from candlewick.delivery.openfeature_provider import CandlewickProvider

        return _asked(CandlewickProvider(_rollout()), keys)

    def in_memory() -> Callable[[], Any]:
        from openfeature.evaluation_context import EvaluationContext
        from openfeature.flag_evaluation import FlagResolutionDetails
        from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

        salt, threshold = _rollout().current.salt, threshold_of(PERCENTAGE)

        def split(_: InMemoryFlag[bool], context: EvaluationContext) -> FlagResolutionDetails[bool]:
            return FlagResolutionDetails(bucket(salt, context.targeting_key or "") < threshold)

        flag = InMemoryFlag("off", {"on": True, "off": False}, context_evaluator=split)
        return _asked(InMemoryProvider({FLAG: flag}), keys)

    contenders = [
        Contender("candlewick", requests, ours, _answers, ours=True),
        Contender(
            "candlewick, as an OpenFeature provider", requests, through_openfeature, _answers, OPENFEATURE, ours=True
        ),
        Contender(
            "OpenFeature in memory", requests, in_memory, _answers, OPENFEATURE, note="its own provider, the same hash"
        ),
    ]
    return Contest(contenders, 16.0, rounds)


def dispatching(requests: int, rounds: int) -> Contest:
    """Each request is dispatched to an engine that has its answer at hand, and counted in its arm; nothing else is left
    of it but what delivery adds, without shadow."""
    keys = _keys(requests)

    def ours() -> Callable[[], Any]:
        dispatcher = Dispatcher(_rollout(), record=Arms().add)
        dispatch = dispatcher.dispatch
        return lambda: [dispatch(key, "auto", _nothing, _nothing, _nothing).arm == OPTIMIZED for key in keys]

    return Contest([Contender("candlewick", requests, ours, _answers, ours=True)], 16.0, rounds)


def _keys(requests: int) -> list[str]:
    return [symbol_name(k % KEYS) for k in range(requests)]


def _rollout() -> Control:
    """A rollout in memory, with a salt of its own that is the same for every contender."""
    control = Control(ControlJournal(None, salt="candlewick bench"), watch=False)
    control.set("rollout_percentage", PERCENTAGE, who="bench")
    return control


def _asked(provider: Any, keys: Sequence[str]) -> Callable[[], Any]:
    from openfeature import api
    from openfeature.evaluation_context import EvaluationContext

    domain = type(provider).__name__
    api.set_provider(provider, domain=domain)
    client = api.get_client(domain)
    return lambda: [client.get_boolean_value(FLAG, False, EvaluationContext(key)) for key in keys]


def _nothing() -> int:
    return 1


def _answers(found: Sequence[bool]) -> Answers:
    return {"optimized": np.asarray(found, dtype=np.float64)}


ROUTING = Benchmark(
    name="routing",
    title="flag and routing, 10% of 1,000 keys",
    unit="request",
    target=(Within(1_000.0, "1 us"),),
    stretch=(Within(500.0, "0.5 us"),),
    full=lambda _: routing(REQUESTS, ROUNDS),
    quick=lambda _: routing(QUICK_REQUESTS, QUICK_ROUNDS),
)
DELIVERY = Benchmark(
    name="delivery",
    title="all that delivery adds, without shadow",
    unit="request",
    target=(Within(10_000.0, "10 us"),),
    stretch=(Within(5_000.0, "5 us"),),
    full=lambda _: dispatching(REQUESTS, ROUNDS),
    quick=lambda _: dispatching(QUICK_REQUESTS, QUICK_ROUNDS),
)
