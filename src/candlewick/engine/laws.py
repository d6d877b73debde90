"""The laws that every indicator owes, as checks that raise LawBroken with the evidence.

Used on our own indicators by the test suite (``candlewick.testing``) and on a user's own before it is registered.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from candlewick.bars import Bars
from candlewick.columnar import Floats
from candlewick.engine.generate import CHUNK, batch_text, live_text
from candlewick.engine.plan import plan
from candlewick.engine.run import inputs_of, run_plan
from candlewick.engine.shape import Group, Shape
from candlewick.engine.trial_bars import TRIALS, bars_from_closes
from candlewick.errors import CandlewickError
from candlewick.indicators.exact import ExactBars
from candlewick.indicators.indicator import SOURCES, Indicator
from candlewick.kernels import Kernel, build

TRIAL_LENGTH = 700
"""Bars of a trial: past a re-anchoring of every window (512), short enough for exact arithmetic."""


class LawBroken(CandlewickError):
    """An indicator broke a law. The message names the indicator, the law, and where."""

    def __init__(self, indicator: Indicator, law: str, evidence: str) -> None:
        self.law = law
        super().__init__(f"{indicator.text} breaks the {law} law: {evidence}")


def check_all(indicator: Indicator) -> None:
    """Every law on every trial series. Raises LawBroken."""
    check_definition(indicator)
    for name, make in TRIALS.items():
        bars = make(TRIAL_LENGTH)
        check_split(indicator, bars, [1, 2, 37, 256, 511, 512, 513, 650])
        check_prefix(indicator, bars, [1, 40, 300])
        check_bounds(indicator, bars, trial=name)


def check_definition(indicator: Indicator) -> None:
    """As many outputs as columns, unique names, and every column defined from the warm-up's end on, not before.

    Tried on bars that all move and trade, so that nothing but warm-up leaves a value undefined.
    """
    if len(set(indicator.columns)) != max(1, len(indicator.parts)):
        raise LawBroken(indicator, "definition", f"columns {indicator.columns} do not fit parts {indicator.parts}")
    length = indicator.warm_up + 30
    values = whole(indicator, bars_from_closes(100.0 + np.sin(np.arange(length))))
    defined: npt.NDArray[np.bool_] = np.all(np.isfinite(values), axis=0)
    if not defined[indicator.warm_up :].all():
        raise LawBroken(indicator, "definition", f"undefined after its warm-up of {indicator.warm_up} bars")
    if defined[: indicator.warm_up].any():
        raise LawBroken(indicator, "definition", f"has values before its warm-up of {indicator.warm_up} bars is over")


def check_split(indicator: Indicator, bars: Bars, cuts: Sequence[int], *, plain: bool | None = None) -> None:
    """A series in pieces, the state through bytes between them, and bar by bar: the same bits as in one."""
    group = Group.of([indicator])
    expected = whole(indicator, bars, plain=plain)
    state = group.new_state()
    pieces = []
    edges = [0, *sorted(cut for cut in set(cuts) if 0 < cut < len(bars)), len(bars)]
    for first, last in itertools.pairwise(edges):
        state = np.frombuffer(state.tobytes(), dtype=np.float64).copy()
        pieces.append(_run(group, bars.rows(first, last), state, plain))
    _same_bits(indicator, "split", expected, np.concatenate(pieces, axis=1), f"cut at {edges[1:-1]}")
    _same_bits(indicator, "split", expected, _bar_by_bar(group, bars, plain), "bar by bar")
    last_values = _scanned(group, bars, plain)
    _same_bits(indicator, "split", expected[:, -1:], last_values[:, None], "last values only")


def check_cut(indicator: Indicator, bars: Bars, cut: int, *, plain: bool | None = None) -> None:
    """``run(s, a + b) == run(run(s, a), b)`` for one cut, values and state, the state through bytes."""
    group = Group.of([indicator])
    once, state = group.new_state(), group.new_state()
    expected = _run(group, bars, once, plain)
    first = _run(group, bars.rows(0, cut), state, plain)
    state = np.frombuffer(state.tobytes(), dtype=np.float64).copy()
    second = _run(group, bars.rows(cut, len(bars)), state, plain)
    _same_bits(indicator, "split", expected, np.concatenate([first, second], axis=1), f"cut at {cut}")
    if not np.array_equal(group.canonical(once), group.canonical(state), equal_nan=True):
        raise LawBroken(indicator, "split", f"the state differs after a cut at {cut}")


def check_prefix(indicator: Indicator, bars: Bars, lengths: Sequence[int], *, plain: bool | None = None) -> None:
    """What comes later changes no value: every prefix alone gives the same bits."""
    expected = whole(indicator, bars, plain=plain)
    for length in lengths:
        alone = whole(indicator, bars.rows(0, length), plain=plain)
        _same_bits(indicator, "prefix", expected[:, :length], alone, f"the first {length} bars alone")


def check_bounds(indicator: Indicator, bars: Bars, *, trial: str = "", plain: bool | None = None) -> None:
    """Every value within its bound of the exact one; undefined exactly where the exact form is."""
    values = whole(indicator, bars, plain=plain)
    columns = {name: getattr(bars, name) for name in SOURCES}
    exact = indicator.exact(ExactBars.of(columns, list(bars.anchor)))
    for name, row, truths in zip(indicator.columns, values, exact, strict=True):
        for t, truth in enumerate(truths):
            computed = float(row[t])
            if truth is None:
                if not np.isnan(computed):
                    raise LawBroken(indicator, "bounds", f"{name}[{t}] is {computed!r}, should be undefined; {trial}")
            elif not np.isfinite(computed) or abs(Fraction(computed) - truth.value) > truth.bound:
                distance = f"{float(abs(computed - truth.value)):.3g}"
                raise LawBroken(
                    indicator,
                    "bounds",
                    f"{name}[{t}] is {computed!r}, exactly {float(truth.value)!r}: off by {distance}, "
                    f"bound {truth.bound:.3g}; {trial}",
                )


def whole(indicator: Indicator, bars: Bars, *, plain: bool | None = None) -> Floats:
    """All values of one indicator, one row a column."""
    if plain is None:
        values = np.empty((len(indicator.columns), len(bars)))
        run_plan(plan((indicator,)), bars, values)
        return values
    group = Group.of([indicator])
    return _run(group, bars, group.new_state(), plain)


@functools.lru_cache(maxsize=128)
def _kernels(shape: Shape, plain: bool | None) -> tuple[Kernel, Kernel]:
    return build("batch", batch_text(shape), plain=plain), build("live", live_text(shape), plain=plain)


def _run(group: Group, bars: Bars, state: Floats, plain: bool | None) -> Floats:
    values = np.empty((group.shape.outputs, len(bars)))
    _kernels(group.shape, plain)[0].run(state, group.parameters, *inputs_of(group, bars), values)
    return values


def _scanned(group: Group, bars: Bars, plain: bool | None) -> Floats:
    block, last = np.empty((group.shape.outputs, CHUNK)), np.empty(group.shape.outputs)
    kernel = _kernels(group.shape, plain)[0]
    kernel.scan(group.new_state(), group.parameters, *inputs_of(group, bars), block, last)
    return last


def _bar_by_bar(group: Group, bars: Bars, plain: bool | None) -> Floats:
    states = group.new_state(1)
    values = np.empty((group.shape.outputs, len(bars)))
    columns = inputs_of(group, bars)
    many = _kernels(group.shape, plain)[1].many
    out = np.empty((1, group.shape.outputs))
    for t in range(len(bars)):
        many(states, group.parameters, *[column[t : t + 1] for column in columns], out)
        values[:, t] = out[0]
    return values


def _same_bits(indicator: Indicator, law: str, expected: Floats, found: Floats, how: str) -> None:
    different = expected.view(np.int64) != found.view(np.int64)
    different &= ~(np.isnan(expected) & np.isnan(found))
    if different.any():
        row, t = (int(k) for k in np.argwhere(different)[0])
        raise LawBroken(
            indicator,
            law,
            f"{indicator.columns[row]}[{t}] is {float(found[row, t])!r} instead of {float(expected[row, t])!r}, {how}",
        )
