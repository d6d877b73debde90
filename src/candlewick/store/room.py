"""Room: columns with spare room behind them, so that an append copies what comes and not what is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

SPARE = 64
"""Rows that can be appended at the least before the columns are copied."""


class Room:
    """The columns of a series, of which the first `used` rows are taken. Only one writer at a time may extend it.

    What was given out before is a view of the rows that were taken then, and never changes: an append writes behind it.
    """

    def __init__(self, columns: dict[str, Any], used: int) -> None:
        self._columns = columns
        self.used = used

    @classmethod
    def around(cls, columns: Mapping[str, Any], more: int) -> Self:
        """A copy of columns with room for ``more`` rows, and for a sixty-fourth of what is there: more room would be
        copied less often, but is memory in use."""
        rows = len(next(iter(columns.values())))
        whole = rows + more + max(SPARE, rows >> 6)
        copied = {}
        for name, column in columns.items():
            copied[name] = np.empty(whole, column.dtype)
            copied[name][:rows] = column
        return cls(copied, rows)

    def holds(self, rows: int, more: int) -> bool:
        """Whether ``more`` rows can be written behind the first ``rows``, without touching any that are taken."""
        return self.used == rows and rows + more <= len(next(iter(self._columns.values())))

    def extended(self, more: Mapping[str, Any], rows: int) -> dict[str, Any]:
        """Write rows behind those that are taken, one number standing for all of them; the columns with them, as views
        to be read only."""
        first = self.used
        self.used += rows
        found = {}
        for name, column in self._columns.items():
            column[first : self.used] = more[name]
            found[name] = column[: self.used]
        return found
