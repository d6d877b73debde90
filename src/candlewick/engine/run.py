"""Running a plan over bars: the loop around the kernels."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from candlewick.bars import Bars
from candlewick.columnar import Floats
from candlewick.engine.frame import IndicatorFrame
from candlewick.engine.generate import CHUNK
from candlewick.engine.kernel_choice import batch_kernel, choose
from candlewick.engine.plan import Plan
from candlewick.engine.shape import Group, Shape

_scratch = threading.local()


def run_plan(made: Plan, bars: Bars, values: Floats) -> None:
    """Write every column of a series into ``values``, from its first bar on."""
    row = 0
    for group in made.groups:
        for part in choose(group, len(bars)):
            rows = values[row : row + part.shape.outputs]
            batch_kernel(part.shape).run(part.new_state(), part.parameters, *inputs_of(part, bars), rows)
            row += part.shape.outputs


def continue_plan(made: Plan, bars: Bars, states: Sequence[Floats], values: Floats) -> None:
    """Write every column of the next bars into ``values`` and move ``states`` past them. Always the fused kernels."""
    row = 0
    for group, state in zip(made.groups, states, strict=True):
        continue_group(group, bars, state, values[row : row + group.shape.outputs])
        row += group.shape.outputs


def continue_group(group: Group, bars: Bars, state: Floats, values: Floats) -> None:
    """Write a group's columns of the next bars into ``values`` and move ``state`` past them."""
    batch_kernel(group.shape).run(state, group.parameters, *inputs_of(group, bars), values)


def pass_group(group: Group, bars: Bars, state: Floats) -> Floats:
    """Move ``state`` past the next bars without keeping their values; returns those of the newest of them."""
    last = np.empty(group.shape.outputs)
    batch_kernel(group.shape).scan(state, group.parameters, *inputs_of(group, bars), _block(group.shape), last)
    return last


def frame_of(made: Plan, bars: Bars, values: Floats) -> IndicatorFrame:
    """A frame over ``values`` for these bars."""
    about = {"symbol": bars.symbol, "timeframe": str(bars.timeframe), "calendar": bars.calendar.name}
    return IndicatorFrame(bars.microseconds, values, made.columns, made.rows, about)


def inputs_of(group: Group, bars: Bars) -> list[npt.NDArray[Any]]:
    """The bars' columns that a group reads."""
    return [np.ascontiguousarray(getattr(bars, name)) for name in group.shape.columns]


def _block(shape: Shape) -> Floats:
    """This thread's scratch for a scan: fresh memory for each series would cost as much as half the computation."""
    blocks = _scratch.__dict__.setdefault("blocks", {})
    if shape not in blocks:
        blocks[shape] = np.empty((shape.outputs, CHUNK))
    found: Floats = blocks[shape]
    return found
