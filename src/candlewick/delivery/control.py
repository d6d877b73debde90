"""Control: the flags in force in this process, never older than a few hundredths of a second."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from candlewick.delivery.flags import FlagValue
from candlewick.delivery.journal import ControlJournal
from candlewick.delivery.snapshot import Snapshot, snapshot_of, stopped
from candlewick.errors import CandlewickError, StoreError

POLL = 0.02
"""Seconds between two looks at the journal: a kill by another process arrives within a tenth of a second."""

Listener = Callable[[Snapshot, Snapshot], None]
log = logging.getLogger(__name__)


class Control:
    """``current`` is the state to decide by. What is set, killed or cleared through it holds here before the call
    returns; what another process writes holds within ``poll`` seconds. Survives a fork: the child looks for itself.

    ``watch=False`` looks only when asked to (``refresh``), for a command that ends at once.
    """

    def __init__(self, journal: ControlJournal, *, poll: float = POLL, watch: bool = True) -> None:
        self.journal = journal
        self.problem: str | None = None
        self._poll = poll
        self._watch = watch
        self._listeners: list[Listener] = []
        self._suspended = ""
        self.current: Snapshot = snapshot_of(journal.state(), journal.base)
        self._start()
        _living.add(self)

    def flags(self) -> list[FlagValue]:
        """Every flag in force, with where its value comes from."""
        return list(self.current.flags.values())

    def set(self, name: str, value: object, *, who: str, why: str = "") -> FlagValue:
        """Set a flag. Raises UnknownNameError, InputError, StoreError, and KilledError for an exposure while killed."""
        self.journal.set(name, value, who=who, why=why)
        self.refresh()
        return self.current.flags[name]

    def kill(self, *, who: str, why: str, evidence: Mapping[str, Any] | None = None, step: int | None = None) -> bool:
        """Roll back: nobody is on V2 once this returns. False when ``step`` is over, or it was killed already.

        Where the journal cannot be written, this process stops using V2 all the same, and StoreError is raised.
        """
        try:
            done = self.journal.kill(who=who, why=why, evidence=evidence, step=step)
        except StoreError:
            self.suspend(why)
            raise
        self._suspended = ""
        self.refresh()
        return done

    def clear(self, *, who: str, why: str) -> bool:
        """Lift the kill; the percentage stays 0. False when nothing was killed."""
        done = self.journal.clear(who=who, why=why)
        self._suspended = ""
        self.refresh()
        return done

    def suspend(self, why: str) -> None:
        """Act as if killed, in this process only, until a kill or a clear is written."""
        with self._refreshing:
            self._suspended = why
            self._swap(stopped(self.current, why))

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener(before, after)`` on each change, from the thread that saw it; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def refresh(self) -> Snapshot:
        """Look at the journal now."""
        with self._refreshing:
            state = self.journal.state()
            if state.seq != self.current.seq or (self.current.killed and not state.killed and not self._suspended):
                found = snapshot_of(state, self.journal.base)
                if self._suspended and not found.killed:
                    found = stopped(found, self._suspended)
                self._swap(found)
            self.problem = None
            return self.current

    def close(self) -> None:
        """Stop looking. The journal stays open. Closing twice is harmless."""
        self._ended.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        _living.discard(self)

    def revive(self) -> None:
        """After a fork, in the child: a connection and a thread of its own."""
        self.journal.reopen()
        self._start()
        self.refresh()

    def _start(self) -> None:
        self._refreshing = threading.RLock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        if self._watch:
            self._thread = threading.Thread(target=self._look, name="candlewick-control", daemon=True)
            self._thread.start()

    def _look(self) -> None:
        seen = None
        ended = self._ended
        while not ended.wait(self._poll):
            try:
                version = self.journal.version()
                if version != seen or self.problem is not None:
                    self.refresh()
                    seen = version
            except Exception as error:
                # The last state holds on; health shows the problem, and the next look may succeed: a watch that ended
                # would leave this process deaf to a kill.
                if self.problem is None:
                    told = isinstance(error, CandlewickError)
                    log.warning("the control journal cannot be read: %s", error, exc_info=not told)
                self.problem = str(error) or type(error).__name__

    def _swap(self, found: Snapshot) -> None:
        before, self.current = self.current, found
        for listener in tuple(self._listeners):
            try:
                listener(before, found)
            except Exception:
                # One that fails must neither keep the others from knowing nor end the watch.
                log.exception("a listener to the flags failed")


_living: weakref.WeakSet[Control] = weakref.WeakSet()


def _after_fork() -> None:
    for control in list(_living):
        control.revive()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
