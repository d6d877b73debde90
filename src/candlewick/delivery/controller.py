"""Controller: watches the guards of a running service and rolls V2 back on a breach. A thin loop: guards.py decides."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from candlewick.clock import Clock, SystemClock
from candlewick.delivery.arms import Arms
from candlewick.delivery.control import Control
from candlewick.delivery.guards import (
    Breach,
    GuardSettings,
    GuardState,
    as_dict,
    breach,
    observe,
    observe_memory,
)
from candlewick.delivery.outcome import Outcome, Pair
from candlewick.delivery.status import rollout_status
from candlewick.errors import StoreError

PULSE = 0.25
"""Seconds after which the loop looks around without a pair."""
REPORT = 1.0
"""Seconds between two reports, and two readings of the memory."""
BLIND = 30.0
"""Seconds for which V2 may stay exposed while the journal cannot be used."""
WHO = "controller"
log = logging.getLogger(__name__)


class Controller:
    """Takes outcomes (``record``) and pairs (``offer``) from any thread; decides on each pair as it comes.

    A breach kills the rollout through the journal, with its evidence. Where the journal cannot be written, this process
    stops using V2 at once and the writing is tried again. An error inside the guards themselves rolls back too: what
    cannot be watched is not exposed. ``memory``: bytes that the process takes, or None where that is not watched.
    """

    def __init__(
        self,
        control: Control,
        *,
        memory: Callable[[], int] | None = None,
        clock: Clock | None = None,
        process: str | None = None,
    ) -> None:
        self._control = control
        self._memory = memory
        self._clock = clock or SystemClock()
        self._process = process or f"{socket.gethostname()}:{os.getpid()}"
        self._pairs: SimpleQueue[Pair | None] = SimpleQueue()
        self._arms = Arms()
        self._state = GuardState(step=-1)
        self._pending: tuple[str, dict[str, Any]] | None = None
        self._reported = float("-inf")
        self._problem: str | None = None
        self._blind_at: float | None = None
        self._ended = False
        self._thread: threading.Thread | None = None
        self.record: Callable[[Outcome], None] = self._arms.add

    def offer(self, pair: Pair) -> None:
        """Take a pair of outcomes."""
        self._pairs.put(pair)

    def start(self) -> Controller:
        """Begin to watch, on a thread of its own."""
        self._thread = threading.Thread(target=self._watch, name="candlewick-controller", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop watching, once what was offered is decided. Closing twice is harmless."""
        self._ended = True
        self._pairs.put(None)
        if self._thread is not None:
            self._thread.join()

    def status(self) -> dict[str, Any]:
        """The rollout as it is now: ``percentage killed since arms guards`` and more."""
        return rollout_status(self._control.current, self.report(), self._process, 0.0)

    def report(self) -> dict[str, Any]:
        """Arms and guards of this process, as plain data."""
        snapshot, now = self._control.current, self._clock.monotonic()
        return {
            "serving": snapshot.share,
            "arms": self._arms.as_dict(snapshot.step, now),
            "guards": as_dict(self._state, GuardSettings.of(snapshot.values)),
            "problem": self._problem or self._control.problem,
        }

    def decide(self, pair: Pair | None = None) -> Breach | None:
        """Take a pair (or none) into account and act on what follows; the loop calls this, and a test may."""
        snapshot = self._control.current
        settings = GuardSettings.of(snapshot.values)
        state = self._in_step(snapshot.rollout, snapshot.step, snapshot.exposed)
        self._state = state if pair is None else observe(state, pair, settings)
        found = breach(self._state, settings, self._clock.monotonic()) if snapshot.exposed else None
        if found is not None:
            began = self._clock.wall() - snapshot.since
            self._roll_back(
                f"{found.guard} guard: {found.text}",
                {"guard": found.guard, **found.evidence, "seconds_since_step": round(began / 1e6, 3)},
                self._state.step,
            )
        return found

    def look_around(self) -> None:
        """What is due with the time: a reading of the memory, the report, a kill that could not be written."""
        if self._pending is not None:
            self._roll_back(*self._pending, None)
        now = self._clock.monotonic()
        if now - self._reported < REPORT:
            return
        self._reported = now
        if self._memory is not None:
            snapshot = self._control.current
            settings = GuardSettings.of(snapshot.values)
            self._state = observe_memory(self._state, self._memory(), snapshot.exposed, settings)
            self.decide()
        self._control.journal.leave_report(self._process, self.report())

    def _in_step(self, rollout: int, step: int, exposed: bool) -> GuardState:
        """The evidence of the step in force; a new step begins without any, and with its own share of alpha."""
        if self._state.step == step or not exposed:
            return self._state
        trial = self._control.journal.begin_trial(rollout)
        return GuardState(step, trial, memory=self._state.memory, high_readings=self._state.high_readings)

    def _roll_back(self, why: str, evidence: dict[str, Any], step: int | None) -> None:
        try:
            if self._control.kill(who=WHO, why=why, evidence=evidence, step=step):
                log.error("rolled back: %s", why)
            self._pending = None
            self._problem = None
        except StoreError as error:
            if self._pending is None:
                log.exception("rolled back in this process only, the journal cannot be written: %s", why)
            self._pending = (why, evidence)
            self._problem = f"killed in this process only: {error}"

    def blind(self, error: Exception) -> None:
        """What cannot be watched is not exposed; a journal that is only held by another is given BLIND seconds."""
        now = self._clock.monotonic()
        self._blind_at = self._blind_at or now
        self._problem = f"the guards failed: {type(error).__name__}: {error}"
        patient = isinstance(error, StoreError) and now - self._blind_at < BLIND
        if self._control.current.exposed and not patient:
            self._roll_back(self._problem, {"guard": "controller"}, None)

    def _watch(self) -> None:
        while True:
            try:
                pair = self._pairs.get(timeout=PULSE)
            except Empty:
                pair = None
            try:
                if pair is not None:
                    self.decide(pair)
                self.look_around()
                if self._blind_at is not None and self._pending is None:
                    self._blind_at = self._problem = None
            except Exception as error:
                log.exception("the guards failed")
                self.blind(error)
            if self._ended and self._pairs.empty():
                return
