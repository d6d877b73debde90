"""app: the one place where store, engines, delivery and monitoring meet.

1. A request is frozen at the moment it comes in: what is final then is decided once, for both engines (`_at`).
2. The dispatcher routes it, under a deadline and with V1 in reserve; what both engines compute becomes a pair.
3. The controller takes pairs and memory readings and rolls back; flags that change reach the engines (`_changed`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from candlewick.clock import Clock, SystemClock
from candlewick.concurrency.worker_pool import WorkerPool
from candlewick.delivery.dispatch import REFUSALS, Dispatched, Dispatcher
from candlewick.delivery.journal import ControlJournal
from candlewick.delivery.lanes import Lanes
from candlewick.delivery.open import open_journal
from candlewick.delivery.outcome import Outcome, Verdict
from candlewick.delivery.routing import OPTIMIZED, route
from candlewick.delivery.shadow import Shadow
from candlewick.delivery.snapshot import Snapshot
from candlewick.errors import CandlewickError
from candlewick.explain.explain import explain_served
from candlewick.explain.explanation import Explanation
from candlewick.moments import Moment
from candlewick.monitoring.health import Check, Health, examine
from candlewick.monitoring.monitor import Monitor
from candlewick.server.key_ring import KeyRing
from candlewick.server.open_keys import open_keys
from candlewick.server.served_rollout import ServedRollout
from candlewick.server.served_store import ServedStore
from candlewick.service.adjustable import Adjustable, engine_settings
from candlewick.service.answer import Answer
from candlewick.service.classic import ClassicService
from candlewick.service.optimized import OptimizedService
from candlewick.service.parity import VOID, compare
from candlewick.service.request import Request
from candlewick.service.served import Served
from candlewick.service.service import AnalyticsService
from candlewick.settings import control_place, load_settings
from candlewick.store.compactor import Compactor
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository
from candlewick.store.telling import TellingRepository

WARM = (
    "desk",
    *("sma(9)", "ema(9)", "wma(9)", "rsi(14)", "atr(14)", "true_range", "stddev(20)", "vwap"),
    *("bollinger(20,2)", "percent_b(20,2)", "macd(12,26,9)", "stochastic(14,3,3)"),
)
"""Compiled ahead, since that takes longer than V2's deadline: the desk's set in one loop, with which the service is
ready, then each kind alone, which serves any other set until a loop of its own is compiled."""
LARGEST_BATCH = 256
"""Requests of one ``candles_many`` that wait in the pool at a time."""
CLOSE_SECONDS = 2.0
"""For requests of ``candles_many`` that hang."""


class _Told(NamedTuple):
    """What an engine said, and to which request: comparing needs both."""

    request: Request
    answer: Answer


class Application(ServedRollout, ServedStore):
    """One store, two engines and the rollout between them; `candlewick.server.application` says what is promised.

    ``journal`` and ``store`` are closed with it, ``store`` only when ``owns_store``. ``grace``: seconds after its end
    for which a bar is still called forming.
    """

    def __init__(
        self,
        store: CandleRepository,
        journal: ControlJournal,
        classic: AnalyticsService,
        optimized: AnalyticsService,
        *,
        grace: float = 2.0,
        owns_store: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        ServedStore.__init__(self, store)
        ServedRollout.__init__(self, journal, self._clock)
        self.classic = classic
        self.optimized = optimized
        self._grace = round(grace * 1_000_000)
        self._owns_store = owns_store
        self._warm = threading.Event()
        self._ending = threading.Event()
        self._closed = threading.Lock()
        self.keys = KeyRing(open_keys(journal.place, note=journal.note, clock=self._clock))
        self.shadow = Shadow(self._verdict, self.controller.offer, refusals=REFUSALS, clock=self._clock)
        self._lanes = Lanes()
        self._dispatcher = Dispatcher(
            self.control,
            record=self._record,
            offer=self.controller.offer,
            off_path=self.shadow,
            lanes=self._lanes,
            clock=self._clock,
        )
        values = self.control.current.values
        self._pool = WorkerPool(int(values["worker_pool_size"]), queue=LARGEST_BATCH, name="candlewick-many")
        self.monitor = Monitor(self._sources(), detailed=bool(values["detailed_metrics"]), clock=self._clock)
        self.monitor.begin(str(self.control.current.step))
        self._stop_listening = self.control.listen(self._changed)
        self.controller.start()
        self._compactor = Compactor(self.store, clock=self._clock)
        if self.url.startswith("duckdb:"):  # in no other store does it matter how rows lie
            self._compactor.start()

    def quick(self, request: Request, engine: str = "auto", client: str | None = None) -> Served | None:
        snapshot = self.control.current
        key = client or request.symbol
        if snapshot.killed or (engine if engine != "auto" else route(snapshot, key)) != OPTIMIZED:
            return None
        asked = self._at(request)
        try:
            found = self.optimized.cached(asked)
        except Exception:  # noqa: BLE001 - the full path meets it again, and counts it
            return None
        return None if found is None else self._served(asked, engine, key, found)

    def candles(self, request: Request, engine: str = "auto", client: str | None = None) -> Served:
        return self._served(self._at(request), engine, client or request.symbol)

    def candles_many(self, requests: Sequence[Request], engine: str = "auto") -> list[Served | CandlewickError]:
        if self.control.current.values["concurrency_enabled"]:
            return list(self._pool.map(lambda request: self.candles(request, engine), requests))
        found: list[Served | CandlewickError] = []
        for request in requests:
            try:
                found.append(self.candles(request, engine))
            except CandlewickError as error:
                found.append(error)
        return found

    def explain(
        self, request: Request, at: Moment, column: str, engine: str = "auto", client: str | None = None
    ) -> Explanation:
        return explain_served(lambda one: self.candles(one, engine, client), self.store, self._at(request), at, column)

    def complete_until(self) -> int:
        return self._clock.wall() - self._grace

    def ease(self, busy: Callable[[], bool]) -> None:
        self.shadow.ease(busy)

    def health(self) -> Health:
        found = examine(
            {
                "store": self._store_answers,
                "warm_up": lambda: None if self._warm.is_set() else "kernels are being compiled",
                "control": lambda: self.control.problem,
            }
        )
        slow = self.store.degraded
        return found if slow is None else found.also(Check("notifications", slow, bearable=True))

    def warm_up(self) -> None:
        from candlewick.aggregation.fold import kernel
        from candlewick.engine.catalogue import resolve
        from candlewick.engine.kernel_choice import warm_up_plan
        from candlewick.engine.plan import plan

        kernel()
        for specs in WARM:
            if self._ending.is_set():
                return
            warm_up_plan(plan(resolve(specs)), live=False)
            self._warm.set()

    def close(self) -> None:
        if not self._closed.acquire(blocking=False):
            return
        self._ending.set()
        self._compactor.close()
        self._stop_listening()
        self.shadow.close()
        self.controller.close()
        self.control.close()
        self.keys.close()
        self._dispatcher.close()
        self._pool.close(CLOSE_SECONDS)
        self.optimized.close()
        self.classic.close()
        self._journal.close()
        if self._owns_store:
            self.store.close()

    def __enter__(self) -> Application:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _at(self, request: Request) -> Request:
        """The request with what is final now: both engines answer the same question, however long they take."""
        if request.complete_until is not None:
            return request
        if request.as_of is not None:  # with what was final then
            return request.at(min(self._clock.wall(), request.as_of) - self._grace)
        return request.at(self.complete_until())

    def _served(self, request: Request, engine: str, key: str, at_hand: Answer | None = None) -> Served:
        def ready() -> _Told | None:
            found = at_hand or self.optimized.cached(request)
            return None if found is None else _Told(request, found)

        done: Dispatched[_Told] = self._dispatcher.dispatch(
            key,
            engine,
            lambda: _Told(request, self.classic.candles(request)),
            lambda: _Told(request, self.optimized.candles(request)),
            ready,
            (request.symbol, request.timeframe, request.indicators),
        )
        answer = done.value.answer
        first = done.attempts[0]
        self.monitor.record(first.engine, done.arm, done.seconds, first.error, done.fallback, answer.cache)
        return Served(answer, done.arm, done.fallback, done.seconds)

    def _record(self, outcome: Outcome) -> None:
        """Every request reaches the arms; one without an answer is told to the monitor here, the others with theirs."""
        self.controller.record(outcome)
        if outcome.error is not None:
            first = outcome.attempts[0]
            self.monitor.record(first.engine, outcome.arm, outcome.seconds, first.error, outcome.fallback)

    def _verdict(self, v1: _Told, v2: _Told) -> Verdict | None:
        found = compare(v1.answer, v2.answer, self.store, v1.request).verdict
        return None if found == VOID else Verdict(found)

    def _changed(self, before: Snapshot, after: Snapshot) -> None:
        if after.step != before.step:
            self.monitor.begin(str(after.step))
        self.monitor.detailed = bool(after.values["detailed_metrics"])
        if engine_settings(after.values) != engine_settings(before.values):
            self._pool.resize(int(after.values["worker_pool_size"]))
            if isinstance(self.optimized, Adjustable):
                self.optimized.reconfigure(**engine_settings(after.values))

    def _sources(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            **self._rollout_sources(),
            "shadow": self.shadow.stats,
            "pool": self._pool.stats,
            "deadline": lambda: {"stuck_threads": self._lanes.stuck},
        }
        if isinstance(self.optimized, Adjustable):
            stats = self.optimized.stats
            found["cache"] = lambda: stats().cache
            found["buffers"] = lambda: stats().buffers
        return found


def build(
    store: str | CandleRepository,
    control: str | Path | None = None,
    *,
    classic: AnalyticsService | None = None,
    optimized: AnalyticsService | None = None,
    clock: Clock | None = None,
) -> Application:
    """The application over a store, with the flags of the environment, ``candlewick.toml`` and the control journal.

    ``control``: path of the journal; default: CANDLEWICK_CONTROL, else beside the store's file or in its
    database, else in memory.
    Raises what opening the store, the journal and the settings raise.
    """
    settings = load_settings()
    opened = TellingRepository(open_store(store) if isinstance(store, str) else store)
    try:
        given = settings["control"].value if control is None else str(control)
        place = control_place(store if isinstance(store, str) else opened.url, given)
        journal = open_journal(place, base=settings.flags(), clock=clock)
        values = {name: value for name, (value, _) in journal.base.items()} | dict(journal.state().flags)
        return Application(
            opened,
            journal,
            classic or ClassicService(opened),
            optimized or OptimizedService(opened, **engine_settings(values)),
            grace=settings.number("grace_seconds"),
            owns_store=isinstance(store, str),
            clock=clock,
        )
    except BaseException:
        if isinstance(store, str):
            opened.close()
        raise
