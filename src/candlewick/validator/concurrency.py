"""concurrency: many threads ask V2 while candles arrive and are corrected; each kept answer must equal a rebuild.

One writer changes the store and keeps every version of each series by its revision. Askers take single requests and
batches, and every so often keep an answer. Afterwards each kept answer is computed anew, by the plain engine without a
cache, from the version whose revision it names: any other bit is wrong. Whoever has not come back in time is stuck.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from candlewick.benchmarks.mix import Append, Ask, Mix
from candlewick.candles import Candles
from candlewick.engine.query import query
from candlewick.service.answer import Answer
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.store.memory import MemoryStore
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository
from candlewick.validator.check import Check
from candlewick.validator.context import Context
from candlewick.validator.result import Result, judged
from candlewick.validator.run import evidence_of

NAME = "concurrency"
KEPT_EVERY = 20
KEPT = 400
"""Answers that are rebuilt: every so many of each thread, and at most so many in all."""
BATCH = 6
GRACE = 15.0
"""Seconds that threads have to come back after the load has ended."""
LEAST_WRITES, LEAST_KEPT = 10, 40
PATIENCE = 30.0
"""The load goes on until there are so many writes and kept answers, but no longer than so many seconds more."""
MIX = Mix(symbols=30, sessions=5, requests=200)


@dataclass
class Storm:
    """What the threads share. Lists and dicts are only appended to, each entry by one thread.

    ``twin``: a second store in memory that takes the same writes: its frozen candles are the versions.
    """

    store: CandleRepository
    twin: MemoryStore
    service: AnalyticsService
    requests: Sequence[Request]
    ended: threading.Event = field(default_factory=threading.Event)
    versions: dict[tuple[str, int], Candles] = field(default_factory=dict)
    kept: list[tuple[Request, Answer]] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    writes: int = 0

    @property
    def enough(self) -> bool:
        """True when so much happened that right answers mean something."""
        return self.writes >= LEAST_WRITES and len(self.kept) >= LEAST_KEPT

    def keep_version(self, symbol: str) -> None:
        """Remember a series as it is now. Only the writer changes series, so record and candles belong together."""
        self.versions[symbol, self.store.find(symbol, "1m").revision] = self.twin.read(symbol, "1m")

    def write(self, mix: Mix) -> None:
        """The day's candles and corrections, as fast as the store takes them."""
        for step in mix.steps():
            if self.ended.is_set():
                return
            if isinstance(step, Ask):
                continue
            rows = step.candles if isinstance(step, Append) else (step.candles,)
            self.twin.upsert_many(rows)
            self.store.upsert_many(rows)
            for one in rows:
                self.keep_version(one.symbol)
            self.writes += 1

    def ask(self, number: int) -> None:
        """Requests one by one and in batches until the load ends."""
        random = np.random.default_rng(number)
        done = 0
        while not self.ended.is_set():
            picked = [self.requests[place] for place in random.integers(len(self.requests), size=BATCH)]
            if done // BATCH % 2:
                answers = self.service.candles_many(picked)
            else:
                answers = [self.service.candles(request) for request in picked]
            for request, answer in zip(picked, answers, strict=True):
                if isinstance(answer, BaseException):
                    raise answer
                if done % KEPT_EVERY == 0 and len(self.kept) < KEPT:
                    self.kept.append((request, answer))
                done += 1
        self.asked.append(done)

    def guarded(self, call: Any, *arguments: Any) -> None:
        """Run a thread's work; what it raises is kept as evidence."""
        try:
            call(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever a thread meets becomes the check's evidence
            self.errors.append(error)


def run(context: Context) -> Result:
    """``measured``: wrong answers, errors and stuck threads; none is allowed."""
    profile = context.profile
    context.progress(f"{NAME}: {profile.threads} threads for {profile.seconds:g} s")
    with (
        MemoryStore() as twin,
        open_store(context.file("concurrency.duckdb")) as store,
        context.application(store.url) as built,
    ):
        for one in (twin, store):
            one.upsert_many(MIX.history())
        storm = Storm(store, twin, built.optimized, [one.request for one in MIX.asks(MIX.requests)])
        for name in MIX.names:
            storm.keep_version(name)
        stuck = _unleash(storm, profile.threads, profile.seconds)
        wrong = [] if stuck else _wrong(storm)
        bad = len(wrong) + len(storm.errors) + len(stuck)
        evidence: dict[str, Any] = {
            "unit": "wrong answers, errors and stuck threads",
            "threads": profile.threads,
            "seconds": profile.seconds,
            "requests": sum(storm.asked),
            "writes": storm.writes,
            "rebuilt": len(storm.kept),
            "wrong": wrong[:5],
            "errors": [evidence_of(error) for error in storm.errors[:5]],
            "stuck": stuck,
        }
    first = (*wrong, *map(str, storm.errors), *stuck, "")[0]
    reason = f"{bad} of wrong answers, errors and stuck threads, the first: {first}" if bad else "too little was done"
    return judged(NAME, bad == 0 and storm.enough, bad, 0, evidence, reason)


def _unleash(storm: Storm, threads: int, seconds: float) -> list[str]:
    """Run the load; the names of threads that did not come back."""
    work = [
        threading.Thread(target=storm.guarded, args=(storm.write, MIX), name="writer", daemon=True),
        *(
            threading.Thread(target=storm.guarded, args=(storm.ask, number), name=f"asker {number}", daemon=True)
            for number in range(threads)
        ),
    ]
    for thread in work:
        thread.start()
    storm.ended.wait(seconds)
    until = time.monotonic() + PATIENCE
    while not storm.enough and not storm.errors and time.monotonic() < until:
        storm.ended.wait(0.05)
    storm.ended.set()
    until = time.monotonic() + GRACE
    for thread in work:
        thread.join(max(0.0, until - time.monotonic()))
    return [thread.name for thread in work if thread.is_alive()]


def _wrong(storm: Storm) -> list[str]:
    found = []
    for request, answer in storm.kept:
        difference = _difference(storm.versions, request, answer)
        if difference is not None:
            found.append(f"{request.symbol} {request.timeframe} revision {answer.revision}: {difference}")
    return found


def _difference(versions: Mapping[tuple[str, int], Candles], request: Request, answer: Answer) -> str | None:
    candles = versions.get((request.symbol, answer.revision))
    if candles is None:
        return "there was no such revision"
    with MemoryStore() as alone:
        alone.upsert(candles)
        right = query(
            alone, request.symbol, request.timeframe, request.indicators, start=request.start, end=request.end
        )
    expected = {name: getattr(right.bars, name) for name in ("time", "open", "high", "low", "close", "volume", "n")}
    expected |= {} if right.indicators is None else dict(right.indicators)
    for name, column in expected.items():
        given = answer.columns[name]
        if len(given) != len(column):
            return f"{len(given)} rows, not {len(column)}"
        if not np.array_equal(given, column, equal_nan=column.dtype.kind == "f"):
            return f"{name} is not what a rebuild gives"
    return None


CONCURRENCY = Check(NAME, 0, run)
