"""IndicatorFrame: what a computation returns, and what the next one may write into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy.typing as npt

from candlewick.columnar import Columnar, Floats, Integers, Times
from candlewick.errors import UnknownNameError


class IndicatorFrame(Columnar, Mapping[str, Floats]):
    """A mapping from column name to float64 array, one value for each bar, NaN where undefined.

    ``len`` counts columns, ``rows`` the bars; ``time`` is the bars' open. Arrow-capable: there the first column is
    ``time`` and undefined is null. Given as ``out=`` its arrays are written again, so keep copies of what must last.
    """

    __slots__ = ("_about", "_rows", "_time", "_values", "columns")

    def __init__(
        self, time: Integers, values: Floats, columns: Sequence[str], rows: Mapping[str, int], about: Mapping[str, str]
    ) -> None:
        self._time = time
        self._values = values
        self._rows = dict(rows)
        self._about = dict(about)
        self.columns = tuple(columns)

    @property
    def time(self) -> Times:
        """Open times of the bars, datetime64[us], UTC."""
        return self._time.view("datetime64[us]")

    @property
    def rows(self) -> int:
        """How many bars there are."""
        return len(self._time)

    @property
    def matrix(self) -> Floats:
        """The memory behind the columns, one row a column, in the engine's order: ``place`` says which is which."""
        return self._values

    def place(self, column: str) -> int:
        """The row of ``matrix`` that holds ``column``."""
        return self._rows[column]

    def between(self, first: int, last: int) -> IndicatorFrame:
        """The bars from row ``first`` to before ``last``, sharing memory."""
        cut = slice(first, last)
        return IndicatorFrame(self._time[cut], self._values[:, cut], self.columns, self._rows, self._about)

    def __getitem__(self, column: str) -> Floats:
        if column not in self._rows:
            raise UnknownNameError("column", column, self.columns)
        values: Floats = self._values[self._rows[column]]
        return values

    def __contains__(self, column: object) -> bool:
        return column in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __eq__(self, other: object) -> bool:
        return Columnar.__eq__(self, other)

    def _row_count(self) -> int:
        return self.rows

    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        return {"time": self.time, **{name: self[name] for name in self.columns}}

    def _noted(self) -> str:
        return f" x {len(self.columns):,} column{'' if len(self.columns) == 1 else 's'}"

    def _metadata(self) -> dict[str, str]:
        return self._about
