"""Dispatcher: from a request to the engine that answers it, with V1 in reserve.

1. Only ``engine="auto"`` is routed, falls back and counts in an arm; an explicit engine does none of that.
2. V2 runs under a deadline; an answer that it has at hand costs no thread. Whether both engines will compute a request
   is decided before either does.
3. An error or an overrun of V2 counts as V2's failure, then V1 answers. V1's own answers never touch V2.
4. What is the caller's own mistake is nobody's failure: it is raised as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from candlewick.clock import Clock, SystemClock
from candlewick.delivery.control import Control
from candlewick.delivery.lanes import Lanes
from candlewick.delivery.outcome import Attempt, Outcome, Pair
from candlewick.delivery.routing import CLASSIC, OPTIMIZED, route
from candlewick.delivery.shadow import Job, NoShadow, OffPath
from candlewick.delivery.snapshot import Snapshot
from candlewick.errors import (
    CandlewickError,
    DeadlineError,
    EngineError,
    InputError,
    KilledError,
    UnknownNameError,
    UnknownSeriesError,
)

T = TypeVar("T")
AUTO, EXPLICIT = "auto", "explicit"
ENGINES = (AUTO, CLASSIC, OPTIMIZED)
REFUSALS: tuple[type[BaseException], ...] = (InputError, UnknownSeriesError)
"""The caller's own mistakes."""
SHAPES = 100_000
"""Shapes of requests known to have been computed by V2; then it starts over, which only costs evidence."""


class Dispatched(NamedTuple, Generic[T]):
    """An answer and how it came about. ``arm``: ``classic``, ``optimized``, or ``explicit``."""

    value: T
    engine: str
    arm: str
    fallback: bool
    attempts: tuple[Attempt, ...]
    step: int
    seconds: float


class Dispatcher:
    """``record`` is told of every request, ``offer`` of every pair that comes about on the caller's path; both must be
    quick. ``off_path`` takes what both engines are to compute. Create it after a fork, not before."""

    def __init__(
        self,
        control: Control,
        *,
        record: Callable[[Outcome], None] = lambda _: None,
        offer: Callable[[Pair], None] = lambda _: None,
        off_path: OffPath | None = None,
        lanes: Lanes | None = None,
        refusals: tuple[type[BaseException], ...] = REFUSALS,
        clock: Clock | None = None,
    ) -> None:
        self._control = control
        self._record = record
        self._offer = offer
        self._off_path: OffPath = off_path or NoShadow()
        self._lanes = lanes or Lanes()
        self._refusals = refusals
        self._now = (clock or SystemClock()).monotonic
        self._shapes: set[int] = set()

    def dispatch(
        self,
        key: str,
        engine: str,
        v1: Callable[[], T],
        v2: Callable[[], T],
        v2_ready: Callable[[], T | None] | None = None,
        shape: Hashable = None,
    ) -> Dispatched[T]:
        """The answer to one request.

        ``key``: what the rollout goes by, a symbol or a client. ``v2_ready``: V2's answer if it has one at hand, else
        None. ``shape``: what V2 prepares anew for, so that its first time is not held against its speed.

        Raises what the engines raise, EngineError for an error that is none of candlewick's; DeadlineError or
        OverloadedError when V2 overruns and may not fall back; KilledError for ``optimized`` while killed;
        UnknownNameError for another ``engine``.
        """
        snapshot = self._control.current
        request = _Request(key, snapshot, v1, v2, v2_ready, shape, self._now())
        if engine == AUTO:
            return self._classic(request) if route(snapshot, key) == CLASSIC else self._optimized(request)
        if engine == CLASSIC:
            return self._explicit(request, CLASSIC, v1)
        if engine == OPTIMIZED:
            if snapshot.killed:
                raise KilledError(
                    f"engine: 'optimized' is refused while the rollout is killed ({snapshot.why}); use auto"
                )
            return self._explicit(request, OPTIMIZED, lambda: _at_hand(v2_ready, v2))
        raise UnknownNameError("engine", engine, ENGINES)

    def close(self) -> None:
        """Let V2's threads end."""
        self._lanes.close()

    def _explicit(self, request: _Request[T], engine: str, call: Callable[[], T]) -> Dispatched[T]:
        try:
            value = call()
        except Exception as error:
            raise self._lost(request, EXPLICIT, (self._failed(engine, request.at, error),), error) from error
        return self._done(request, EXPLICIT, value, (Attempt(engine, self._now() - request.at),))

    def _classic(self, request: _Request[T]) -> Dispatched[T]:
        try:
            value = request.v1()
        except Exception as error:
            attempt = self._failed(CLASSIC, request.at, error)
            if not attempt.refused and self._off_path.reserve():
                deadline = request.deadline
                pair = Pair(request.key, request.snapshot.step, request.at, attempt, None, None, False, True, deadline)
                self._off_path.submit(Job(pair, OPTIMIZED, lambda: self._lanes.run(request.v2, deadline)))
            raise self._lost(request, CLASSIC, (attempt,), error) from error
        return self._done(request, CLASSIC, value, (Attempt(CLASSIC, self._now() - request.at),))

    def _optimized(self, request: _Request[T]) -> Dispatched[T]:
        chosen = self._off_path.choose(request.snapshot.sample)
        first = False
        try:
            value = None if request.v2_ready is None else request.v2_ready()
            if value is None:
                first = self._is_first(request)
                value = self._lanes.run(request.v2, request.deadline)
        except Exception as error:  # noqa: BLE001 - V1 answers, or it is raised below
            attempt = self._failed(OPTIMIZED, request.at, error)
            return self._after_failure(request, attempt, error, chosen)
        attempt = Attempt(OPTIMIZED, self._now() - request.at)
        if chosen:
            self._off_path.submit(Job(self._pair(request, attempt, first), CLASSIC, request.v1, value))
        return self._done(request, OPTIMIZED, value, (attempt,))

    def _after_failure(self, request: _Request[T], attempt: Attempt, error: Exception, chosen: bool) -> Dispatched[T]:
        if attempt.refused or not request.snapshot.values["fallback_to_v1_on_error"]:
            if chosen:
                self._off_path.submit(Job(self._pair(request, attempt), CLASSIC, request.v1))
            raise self._lost(request, OPTIMIZED, (attempt,), error) from error
        if chosen:
            self._off_path.give_back()
        began = self._now()
        try:
            value = request.v1()
        except Exception as second:
            fallback = self._failed(CLASSIC, began, second)
            self._offer(self._pair(request, attempt, v1=fallback, chosen=chosen))
            raise self._lost(request, OPTIMIZED, (attempt, fallback), second, fell_back=True) from second
        fallback = Attempt(CLASSIC, self._now() - began)
        self._offer(self._pair(request, attempt, v1=fallback, chosen=chosen))
        return self._done(request, OPTIMIZED, value, (attempt, fallback), fell_back=True)

    def _pair(
        self, request: _Request[T], v2: Attempt, first: bool = False, *, v1: Attempt | None = None, chosen: bool = True
    ) -> Pair:
        return Pair(request.key, request.snapshot.step, request.at, v1, v2, None, chosen, first, request.deadline)

    def _is_first(self, request: _Request[T]) -> bool:
        shape = hash(request.key if request.shape is None else request.shape)
        if shape in self._shapes:
            return False
        if len(self._shapes) >= SHAPES:
            self._shapes = set()
        self._shapes.add(shape)
        return True

    def _failed(self, engine: str, began: float, error: Exception) -> Attempt:
        refused = isinstance(error, self._refusals)
        return Attempt(engine, self._now() - began, type(error).__name__, refused, isinstance(error, DeadlineError))

    def _done(
        self, request: _Request[T], arm: str, value: T, attempts: tuple[Attempt, ...], fell_back: bool = False
    ) -> Dispatched[T]:
        seconds = self._now() - request.at
        step = request.snapshot.step
        self._record(Outcome(request.key, step, arm, request.at, seconds, attempts, fell_back))
        return Dispatched(value, attempts[-1].engine, arm, fell_back, attempts, step, seconds)

    def _lost(
        self,
        request: _Request[T],
        arm: str,
        attempts: tuple[Attempt, ...],
        error: Exception,
        fell_back: bool = False,
    ) -> CandlewickError:
        """What to raise, once it is recorded."""
        seconds, kind = self._now() - request.at, type(error).__name__
        self._record(Outcome(request.key, request.snapshot.step, arm, request.at, seconds, attempts, fell_back, kind))
        return error if isinstance(error, CandlewickError) else EngineError(attempts[-1].engine, kind, str(error))


@dataclass(slots=True)  # not frozen, which would take four times as long to make; nobody else sees it
class _Request(Generic[T]):
    key: str
    snapshot: Snapshot
    v1: Callable[[], T]
    v2: Callable[[], T]
    v2_ready: Callable[[], T | None] | None
    shape: Hashable
    at: float

    @property
    def deadline(self) -> float:
        return float(self.snapshot.values["v2_deadline_ms"]) / 1000.0


def _at_hand(ready: Callable[[], T | None] | None, compute: Callable[[], T]) -> T:
    found: Any = None if ready is None else ready()
    return compute() if found is None else found
