"""Held: what is stored of one series, laid beside the slots where its candles should stand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from candlewick.candles import Candles
from candlewick.columnar import Integers
from candlewick.completeness.grid import Grid
from candlewick.store.splits import Split


@dataclass(frozen=True, eq=False)
class Held:
    """``candles`` of a range, and before it of as many sessions as show what is usual.

    Slots of ``grid`` from ``low`` on are judged, up to ``stop``, behind which none is due. ``later``: candles are
    stored behind the last slot that is due. ``live``: more candles are expected. ``begins``: open time of the oldest
    candle that is stored at all, microseconds UTC. ``splits``: the factors that are kept for the symbol.
    """

    candles: Candles
    grid: Grid
    low: int
    stop: int
    later: bool
    live: bool
    begins: int
    splits: tuple[Split, ...] = ()

    @property
    def symbol(self) -> str:
        return self.candles.symbol

    @cached_property
    def place(self) -> Integers:
        """For each candle its slot, -1 outside of sessions."""
        return self.grid.place(self.candles.microseconds)

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """For each slot that is due whether a candle stands in it."""
        found = np.zeros(len(self.grid), dtype=np.bool_)
        found[self.place[self.place >= 0]] = True
        return found[: self.stop]

    @cached_property
    def session(self) -> Integers:
        """For each slot that is due its session."""
        return self.grid.session[: self.stop]

    @cached_property
    def counts(self) -> Integers:
        """How many slots of each session hold a candle."""
        return np.bincount(self.session[self.present], minlength=self.grid.sessions).astype(np.int64)

    @cached_property
    def sizes(self) -> Integers:
        """How many slots of each session are due."""
        return np.minimum(self.grid.first[1:], self.stop) - np.minimum(self.grid.first[:-1], self.stop)

    @cached_property
    def whole(self) -> npt.NDArray[np.bool_]:
        """Which sessions are over: every slot of them is due."""
        return self.grid.first[1:] <= self.stop

    @cached_property
    def ordinary(self) -> npt.NDArray[np.bool_]:
        """The sessions that show what is usual: over, and with at least one candle; else those with a candle."""
        found = self.whole & (self.counts > 0)
        return found if found.any() else self.counts > 0
