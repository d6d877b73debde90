"""Block: the columns of one group of indicators over the bars that are kept, and the states to go on from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from candlewick.aggregation.growing import Growing
from candlewick.bars import Bars
from candlewick.cache.buffer_pool import BufferPool
from candlewick.cache.checkpoints import Checkpoint, newest, places, thinned
from candlewick.cache.kept_bars import KeptBars, roomy
from candlewick.columnar import Floats
from candlewick.engine.run import continue_group, pass_group
from candlewick.engine.shape import Group

RUN = 8192
"""Bars computed at a time: a buffer of them is small, and a kernel's call costs nothing beside them."""


class Block:
    """A group's columns of bars number ``first`` to ``covered``, and its state behind them.

    The bars before ``first`` are passed over first; a checkpoint is kept before bar ``first`` and at geometric
    distances from the end. What is handed out is copied.
    """

    def __init__(self, group: Group) -> None:
        self.group = group
        places = {name: row for row, name in enumerate(group.columns)}
        self.rows = {one: {name: places[name] for name in one.columns} for one in group.indicators}
        """For each indicator its columns' names, and in which row of the group each stands."""
        self.first = 0
        self.covered = 0
        self._state = group.new_state()
        self._checkpoints: list[Checkpoint[Floats]] = []
        self._matrix = np.empty((group.shape.outputs, 0))
        self._tail: tuple[Bars | None, Floats] = (None, np.empty((group.shape.outputs, 0)))

    @property
    def nbytes(self) -> int:
        """Bytes held: columns with their spare room, states, and the newest bar's values."""
        states = self._state.nbytes + sum(one.state.nbytes for one in self._checkpoints)
        return self._matrix.nbytes + states + self._tail[1].nbytes

    @property
    def checkpoints(self) -> list[int]:
        """Before which bars a state is kept."""
        return [one.count for one in self._checkpoints]

    def pass_over(self, bars: Bars) -> None:
        """Take the next bars without keeping their columns; only before anything is kept."""
        if len(bars):
            pass_group(self.group, bars, self._state)
            self.first = self.covered = self.covered + len(bars)

    def advance(self, kept: KeptBars, growing: Growing, buffers: BufferPool) -> None:
        """Compute the columns of the bars kept that are not covered yet."""
        if self.covered == kept.count:
            return
        if not self._checkpoints:
            self._checkpoints = [Checkpoint(self.first, self._state.copy())]
        self._make_room(kept.count - self.first)
        for place in places(self.first, kept.count):
            if place > self.covered:
                self._run_to(place, kept, growing, buffers)
                self._checkpoints.append(Checkpoint(place, self._state.copy()))
        self._run_to(kept.count, kept, growing, buffers)
        self._checkpoints = thinned(self._checkpoints, self.first, kept.count)

    def go_back(self, count: int) -> None:
        """Go back to the newest checkpoint at or before bar ``count``, at or behind ``first``."""
        if self.covered <= count:
            return
        found = newest(self._checkpoints, count)
        if found is None:
            raise ValueError(f"bar {count} is before the first one kept ({self.first})")
        self.covered, self._state = found.count, found.state.copy()
        self._checkpoints = [one for one in self._checkpoints if one.count <= found.count]

    def columns(self, rows: Sequence[int], first: int, last: int, tail: Bars) -> Floats:
        """A copy of some rows of the bars ``first`` to before ``last``; the bar behind those covered is ``tail``."""
        held = max(0, min(last, self.covered) - first)
        values = np.empty((len(rows), last - first))
        values[:, :held] = self._matrix[rows, first - self.first : first - self.first + held]
        if held < last - first:
            values[:, held:] = self._newest(tail)[rows, :]
        return values

    def _newest(self, tail: Bars) -> Floats:
        if self._tail[0] is not tail:
            values = np.empty((self.group.shape.outputs, len(tail)))
            continue_group(self.group, tail, self._state.copy(), values)
            self._tail = (tail, values)
        return self._tail[1]

    def _run_to(self, stop: int, kept: KeptBars, growing: Growing, buffers: BufferPool) -> None:
        while self.covered < stop:
            bars = kept.rows(self.covered, min(stop, self.covered + RUN), growing)
            lease = buffers.take((self.group.shape.outputs, len(bars)))
            continue_group(self.group, bars, self._state, lease.array)
            at = self.covered - self.first
            self._matrix[:, at : at + len(bars)] = lease.array
            self.covered += len(bars)
            lease.give_back()

    def _make_room(self, rows: int) -> None:
        if rows > self._matrix.shape[1]:
            wider = np.empty((self.group.shape.outputs, roomy(rows)))
            held = self.covered - self.first
            wider[:, :held] = self._matrix[:, :held]
            self._matrix = wider
