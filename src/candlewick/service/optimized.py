"""Optimized (V2): session-true bars and fused indicators, kept and extended rather than computed again.

1. ``cached``: an answer that was given before and would be the same again is given at once.
2. Otherwise the view of the series follows what was written, and the answer is copied out of it.
3. While the past of a series is being rewritten, a view is begun again; after some tries the whole is read at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from candlewick.aggregation.growing import Growing
from candlewick.cache.buffer_pool import BufferPool, BufferStats
from candlewick.cache.flights import Flights
from candlewick.cache.gate import Gate
from candlewick.cache.indicator_cache import CacheStats, IndicatorCache
from candlewick.cache.kept_bars import bytes_of
from candlewick.cache.look import Cut, Look
from candlewick.cache.reading import Moved, Past, Readable, Still
from candlewick.cache.remembered import Encoded, Remembered
from candlewick.cache.series_view import SeriesView
from candlewick.concurrency.worker_pool import PoolStats, WorkerPool
from candlewick.errors import CandlewickError, DeadlineError, EngineError, InputError, LimitError
from candlewick.service.answer import Answer
from candlewick.service.question import name_of, view_key
from candlewick.service.range import Resolved, resolve_range
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.sessions.overrides import VARIABLE, extension_state
from candlewick.store.repository import CandleRepository, Series
from candlewick.store.then import known_at

MEGABYTE = 1 << 20

TRIES = 4
"""Times that a view is begun again while its series is rewritten, before the series is read in one piece."""

LOOK = 0.02
"""Seconds between two looks at whether the user's file of sessions changed: to ask the system costs as much as to find
a remembered answer."""

BUFFERS = 8 * MEGABYTE
"""Bytes of buffers kept for the next computation."""

CLOSE_SECONDS = 2.0
"""For requests that hang when the service is closed; they are left behind then."""


@dataclass(frozen=True)
class OptimizedStats:
    """The engine's parts, each at one moment."""

    cache: CacheStats
    pool: PoolStats
    buffers: BufferStats


class OptimizedService(AnalyticsService):
    """Answers from views of series that follow the store; many requests at once on a pool, one task a symbol.

    With the cache off each request is computed anew and forgotten; with concurrency off all of them one by one.
    ``max_cache_mb``: MiB that the cache may hold. ``workers``: threads of the pool (default: the CPUs), and how many
    computations over whole series run at a time.
    """

    engine = "optimized"

    def __init__(
        self,
        store: CandleRepository,
        *,
        max_cache_mb: int = 512,
        workers: int | None = None,
        cache_enabled: bool = True,
        concurrency_enabled: bool = True,
    ) -> None:
        threads = (os.cpu_count() or 1) if workers is None else workers
        self._store = store
        self._cache_enabled = cache_enabled
        self._concurrency_enabled = concurrency_enabled
        self._state: tuple[float, str | None, object] = float("-inf"), None, None
        self.cache = IndicatorCache(_whole("max_cache_mb", max_cache_mb) * MEGABYTE)
        self._pool = WorkerPool(_whole("workers", threads), name=self.engine)
        self._gate = Gate(threads)
        self._flights: Flights[Answer] = Flights()
        self._buffers = BufferPool(BUFFERS)

    def candles(self, request: Request) -> Answer:
        if request.as_of is not None:
            return self._past(request)
        if not self._cache_enabled:
            return self._again(request, self._computed)
        found = self.cached(request)
        if found is not None:
            return found
        began = time.perf_counter()
        stored = self._store.series_of(request.symbol)
        splits = self._store.splits_of(request.symbol) if request.adjusted else ()
        flight = request.question, request.complete_until, tuple(stored), splits
        answer, led = self._flights.run(flight, lambda: self._again(request, self._kept))
        if led:
            return answer
        self.cache.count(Look.HIT)
        return replace(answer, cache="hit", seconds=time.perf_counter() - began)

    def cached(self, request: Request) -> Answer | None:
        kept = self.cache.recall(request.question)
        if kept is None or not self._cache_enabled:
            return None
        found = kept.answer
        if found.sessions != self._sessions():
            return None
        if request.adjusted and found.splits != self._store.splits_of(request.symbol):
            return None
        stored = self._store.series_of(request.symbol)
        if stored != found.stored:
            renewed = found.renewed(stored, request.complete_until, self._store)
            if renewed is None:
                return None
            self.cache.renew(kept, found, renewed)
        elif not found.holds_at(request.complete_until):
            return None
        self.cache.count(Look.HIT, kept)
        answer: Answer = found.value
        return answer

    def candles_many(
        self, requests: Sequence[Request], *, deadline: float | None = None
    ) -> list[Answer | CandlewickError]:
        due = None if deadline is None else time.monotonic() + deadline
        late = DeadlineError(deadline or 0.0)
        results: list[Answer | CandlewickError] = [late] * len(requests)
        places: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            places.setdefault(request.symbol, []).append(place)

        def answered(task: Sequence[int]) -> None:
            for place in task:
                if due is None or time.monotonic() < due:
                    results[place] = self._outcome(requests[place])

        tasks: list[Sequence[int]] = list(places.values()) if self._concurrency_enabled else [range(len(requests))]
        if due is None and len(tasks) == 1:
            answered(tasks[0])
            return results
        for task, done in zip(tasks, self._pool.map(answered, tasks, deadline), strict=True):
            if isinstance(done, CandlewickError):
                for place in task:
                    if results[place] is late:
                        results[place] = done
        return list(results)  # what is late may still write into its own

    def symbols(self) -> list[Series]:
        return self._store.series()

    def reconfigure(
        self,
        *,
        cache_enabled: bool | None = None,
        concurrency_enabled: bool | None = None,
        max_cache_mb: int | None = None,
        workers: int | None = None,
    ) -> None:
        """Change what is given, from the next request on; a cache that is switched off is emptied. InputError."""
        limit = None if max_cache_mb is None else _whole("max_cache_mb", max_cache_mb) * MEGABYTE
        threads = None if workers is None else _whole("workers", workers)
        if limit is not None:
            self.cache.resize(limit)
        if threads is not None:
            self._pool.resize(threads)
            self._gate.resize(threads)
        if concurrency_enabled is not None:
            self._concurrency_enabled = concurrency_enabled
        if cache_enabled is not None:
            self._cache_enabled = cache_enabled
            if not cache_enabled:
                self.cache.clear()

    def stats(self) -> OptimizedStats:
        """Figures of the cache, the pool and the buffers."""
        return OptimizedStats(self.cache.stats(), self._pool.stats(), self._buffers.stats())

    def close(self) -> None:
        self._pool.close(CLOSE_SECONDS)
        self.cache.clear()
        self._buffers.clear()

    def _sessions(self) -> object:
        """The state of the user's own sessions: which file they are in now, and the file `LOOK` seconds ago at most."""
        now, named = time.monotonic(), os.environ.get(VARIABLE)
        looked, which, state = self._state
        if now - looked >= LOOK or which != named:
            state = extension_state()
            self._state = now, named, state
        return state

    def _outcome(self, request: Request) -> Answer | CandlewickError:
        try:
            return self.candles(request)
        except CandlewickError as error:
            return error
        except Exception as error:  # noqa: BLE001 - handed to the caller in the request's place
            failure = EngineError(self.engine, type(error).__name__, str(error))
            failure.__cause__ = error
            return failure

    def _again(self, request: Request, answer: Callable[[Request], Answer]) -> Answer:
        """``answer(request)``, begun again when the series moved meanwhile."""
        for _ in range(TRIES):
            try:
                return answer(request)
            except Moved:
                continue
        resolved = resolve_range(self._store, request)
        still = Still(resolved.seen(self._store).snapshot(request.symbol, resolved.series.timeframe))
        made = self._make(self._new_view(request, resolved), still, request, replace(resolved, series=still.series))
        if not self._cache_enabled:
            return replace(made.answer, cache="none")
        self.cache.count(Look.MISS)
        return made.answer

    def _past(self, request: Request) -> Answer:
        """What would have been answered then, computed anew and forgotten: views follow the store as it is now."""
        store = known_at(self._store, request.as_of)
        resolved = resolve_range(store, request)
        whole = resolved.seen(store).snapshot(request.symbol, resolved.series.timeframe)
        resolved = replace(resolved, series=whole.series)
        made = self._make(self._new_view(request, resolved), Past(whole, store), request, resolved)
        return replace(made.answer, cache="none")

    def _computed(self, request: Request) -> Answer:
        resolved = resolve_range(self._store, request)
        made = self._make(self._new_view(request, resolved), resolved.seen(self._store), request, resolved)
        return replace(made.answer, cache="none")

    def _kept(self, request: Request) -> Answer:
        sessions, stored = extension_state(), self._store.series_of(request.symbol)  # before all that rests on them
        resolved = resolve_range(self._store, request)
        key = view_key(request, resolved)
        view = self.cache.view(key, lambda: self._new_view(request, resolved, lasting=True))
        with view.lock:
            try:
                made = self._make(view, resolved.seen(self._store), request, resolved)
            finally:
                self.cache.settle(key, view)
        self.cache.count(made.look)
        self.cache.remember(
            key,
            view,
            request.question,
            Remembered(
                value=replace(made.answer, cache="hit", seconds=0.0),
                encoded=made.encoded,
                nbytes=bytes_of(made.answer.bars) + sum(values.nbytes for values in made.answer.indicators.values()),
                stored=stored,
                series=made.series,
                sessions=sessions,
                until=made.until,
                forming=made.cut.forming,
                starts=made.cut.starts,
                ends=made.cut.ends,
                revision=made.answer.revision,
                settled=made.settled,
                splits=resolved.splits,
            ),
        )
        if not self._cache_enabled:  # switched off meanwhile
            self.cache.clear()
        return made.answer

    def _make(self, view: SeriesView, store: Readable, request: Request, resolved: Resolved) -> _Made:
        """The answer out of a view, which is brought up to the store first. Under the view's lock, if others have it.

        Raises Moved when the store moved on between two looks at it.
        """
        began = time.perf_counter()
        look = view.bring_up(store, resolved.series, resolved.low, request.indicators, self._gate)
        cut = view.cut(resolved.low, resolved.high, request.complete_until, final_only=request.final_only)
        if cut.last - cut.first > request.limit:
            raise LimitError(request.limit, cut.last - cut.first)
        settled = resolved.settles(request.timeframe)
        revision = store.revision_before(request.symbol, resolved.series.timeframe, settled)
        series = view.known
        if revision > series.revision:
            raise Moved
        encoded = self.cache.encoded()
        answer = Answer(
            bars=view.bars(cut),
            indicators=MappingProxyType(view.columns(cut, request.indicators)),
            source=series.timeframe,
            engine=self.engine,
            revision=revision,
            fingerprint=name_of(self.engine, request, resolved, revision, cut.final),
            seconds=time.perf_counter() - began,
            cache=look.name.lower(),
            splits=resolved.splits,
            _encoded=encoded,
        )
        return _Made(answer, encoded, look, cut, settled, series, view.until)

    def _new_view(self, request: Request, resolved: Resolved, *, lasting: bool = False) -> SeriesView:
        source, zero_volume = resolved.series.timeframe, request.zero_volume
        fresh = Growing(request.symbol, source, request.timeframe, resolved.calendar, zero_volume)
        return SeriesView(fresh, self._buffers, lasting=lasting)


@dataclass(frozen=True)
class _Made:
    """An answer and what it rests on."""

    answer: Answer
    encoded: Encoded
    look: Look
    cut: Cut
    settled: int | None
    series: Series
    until: int


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(name, value, "give a whole number above 0")
    return value
