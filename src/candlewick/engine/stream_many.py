"""StreamMany: one closed bar of many symbols at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from candlewick.columnar import Floats
from candlewick.engine.catalogue import resolve
from candlewick.engine.kernel_choice import live_kernel
from candlewick.engine.plan import plan
from candlewick.errors import InputError, MissingColumnError
from candlewick.indicators import Specs


class StreamMany:
    """Indicators of one closed bar of every symbol in a call, by the same steps as ``compute``: the same bits.

    For a universe whose symbols all have a bar at each call; symbols with gaps of their own belong into ``Stream``.
    """

    def __init__(self, specs: Specs, symbols: Sequence[str]) -> None:
        if not symbols:
            raise InputError("symbols", symbols, "give at least one", "is empty")
        self.symbols = tuple(symbols)
        self._plan = plan(resolve(specs))
        self._states = [group.new_state(len(symbols)) for group in self._plan.groups]
        self._values = [np.empty((len(symbols), group.shape.outputs)) for group in self._plan.groups]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of what ``update`` returns."""
        return self._plan.columns

    def update(self, bar: Mapping[str, npt.NDArray[Any]]) -> dict[str, Floats]:
        """Take one bar of every symbol; a mapping from column name to one value a symbol.

        ``bar`` maps ``open high low close volume`` (those that the indicators read) to arrays in the order of
        ``symbols``, and ``anchor`` to uint8 marks (see ``Bars.anchor``) when a VWAP is asked for. The returned arrays
        are written again by the next call. Raises MissingColumnError, or InputError for a wrong length.
        """
        checked: dict[str, npt.NDArray[Any]] = {}
        for group, states, values in zip(self._plan.groups, self._states, self._values, strict=True):
            for name in group.shape.columns:
                if name not in checked:
                    checked[name] = self._column(bar, name)
            columns = [checked[name] for name in group.shape.columns]
            live_kernel(group.shape).many(states, group.parameters, *columns, values)
        return {name: self._found(name) for name in self.columns}

    def _found(self, name: str) -> Floats:
        row = self._plan.rows[name]
        for values in self._values:
            if row < values.shape[1]:
                return values[:, row]
            row -= values.shape[1]
        raise KeyError(name)

    def _column(self, bar: Mapping[str, npt.NDArray[Any]], name: str) -> npt.NDArray[Any]:
        if name not in bar:
            raise MissingColumnError("bar", name, bar)
        values = np.ascontiguousarray(bar[name], dtype=np.uint8 if name == "anchor" else np.float64)
        if values.shape != (len(self.symbols),):
            raise InputError(name, values.shape, f"give one value for each of the {len(self.symbols)} symbols")
        if name != "anchor" and not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise InputError(f"{name}[{row}]", float(values[row]), "give finite numbers", "is not finite")
        return values
