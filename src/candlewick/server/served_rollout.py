"""Served rollout: those calls of an application that concern the rollout alone: its flags, its state, its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from candlewick.clock import Clock
from candlewick.delivery.control import Control
from candlewick.delivery.controller import Controller
from candlewick.delivery.journal import ControlJournal
from candlewick.delivery.journal_copy import NAME, copy_of
from candlewick.monitoring.memory import resident_bytes


class ServedRollout:
    """`candlewick.server.application` says what is promised. ``control`` and ``controller`` go by the journal."""

    def __init__(self, journal: ControlJournal, clock: Clock) -> None:
        self._journal = journal
        self.control = Control(journal)
        self.controller = Controller(self.control, memory=resident_bytes, clock=clock)

    def flags(self) -> list[dict[str, Any]]:
        return [{"name": one.name, "value": one.value, "origin": one.origin} for one in self.control.flags()]

    def set_flag(self, name: str, value: Any, who: str, why: str = "") -> None:
        self.control.set(name, value, who=who, why=why)

    def clear(self, who: str, why: str) -> None:
        """Lift the kill; the percentage stays 0."""
        self.control.clear(who=who, why=why)

    def rollout_status(self) -> dict[str, Any]:
        return self.controller.status()

    def _beside(self) -> dict[str, bytes]:
        return {NAME: copy_of(self._journal)}

    def _rollout_sources(self) -> dict[str, Callable[[], dict[str, float]]]:
        """Groups of figures by name, as `candlewick.monitoring.monitor.Monitor` takes them."""
        return {"rollout": self._rollout_figures, "journal": self._journal_figures, "guards": self._guard_figures}

    def _rollout_figures(self) -> dict[str, float]:
        now = self.control.current
        return {"percentage": now.share, "killed": float(now.killed), "step": float(now.step)}

    def _journal_figures(self) -> dict[str, float]:
        path = self._journal.path
        size = path.stat().st_size if path is not None else 0
        return {"entries": float(self.control.current.seq), "bytes": float(size)}

    def _guard_figures(self) -> dict[str, float]:
        guards: Mapping[str, Any] = self.controller.report()["guards"]
        return {
            f"{name}_{key}": float(value)
            for name, one in guards.items()
            if isinstance(one, Mapping)
            for key, value in one.items()
            if isinstance(value, int | float)
        }
