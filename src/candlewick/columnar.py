"""Columnar: named columns of one length that speak the Arrow PyCapsule interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from candlewick.errors import InputError
from candlewick.notebook import html_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import polars as pl
    import pyarrow as pa

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Times = npt.NDArray[np.datetime64]

SHOWN = 5
"""Rows shown at each end."""


class Columnar:
    """A table of equally long numpy columns. Subclasses give ``_columns`` and ``_metadata``.

    ``to_arrow`` shares memory with the columns: times become ``timestamp[us, UTC]``, a NaN becomes null. polars,
    pandas, pyarrow and DuckDB take the object itself (PyCapsule).
    """

    __slots__ = ()

    def _columns(self) -> Mapping[str, npt.NDArray[Any]]:
        raise NotImplementedError

    def _metadata(self) -> Mapping[str, str]:
        raise NotImplementedError

    def to_arrow(self) -> pa.Table:
        """The columns as a ``pyarrow.Table``; who it is about is in the schema's metadata under ``candlewick.*``."""
        import pyarrow as pa

        columns = self._columns()
        fields = {name: arrow_column(values) for name, values in columns.items()}
        metadata = {f"candlewick.{key}": value for key, value in self._metadata().items()}
        return pa.table(fields).replace_schema_metadata(metadata)

    def to_pandas(self) -> pd.DataFrame:
        """The columns as a pandas frame of its own memory, by time: the index is ``time`` in UTC, undefined is NaN."""
        return self.to_arrow().to_pandas().set_index("time")

    def to_polars(self) -> pl.DataFrame:
        """The columns as a polars frame, ``time`` the first; undefined is null. Needs polars to be installed."""
        import polars as pl

        return pl.DataFrame(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self.to_arrow().schema.__arrow_c_schema__()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        # Else numpy, and pandas.DataFrame with it, would make a table of the columns' names.
        expected = "give one of its columns, or to_pandas(), to_polars() or to_arrow() of it"
        raise InputError("array", type(self).__name__, expected, "has columns of several types")

    def _title(self) -> str:
        return " ".join(self._metadata().values())

    def _row_count(self) -> int:
        return len(next(iter(self._columns().values())))

    def __len__(self) -> int:
        return self._row_count()

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Columnar):
            return NotImplemented
        mine, theirs = self._columns(), other._columns()
        return (
            dict(self._metadata()) == dict(other._metadata())
            and list(mine) == list(theirs)
            and all(_same(mine[name], theirs[name]) for name in mine)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        lines = [f"<{type(self).__name__} {self._title()}: {_counted(self._row_count())}>"]
        table = self._shown()
        widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
        lines += ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """What a notebook shows: a title with the range, and the rows that ``repr`` shows."""
        header, *rows = self._shown()
        times = self._columns()["time"]
        span = f", {_cell(times[0])} to {_cell(times[-1])}" if len(times) else ""
        title = f"{type(self).__name__} {self._title()}: {_counted(self._row_count())}{self._noted()}{span}"
        return html_table(title, header, rows)

    def _noted(self) -> str:
        """What else the title counts."""
        return ""

    def _shown(self) -> list[list[str]]:
        """The names of the columns, then the first and the last rows as text."""
        columns = self._columns()
        rows = self._row_count()
        picked = range(rows) if rows <= 2 * SHOWN else [*range(SHOWN), -1, *range(rows - SHOWN, rows)]
        shown = [["..."] * len(columns) if i < 0 else [_cell(c[i]) for c in columns.values()] for i in picked]
        return [list(columns), *shown]


def arrow_column(values: npt.NDArray[Any]) -> pa.Array:
    """One numpy column as an Arrow array over the same memory (booleans are packed); NaN is null."""
    import pyarrow as pa

    if values.dtype == np.bool_:
        return pa.array(values)
    contiguous = np.ascontiguousarray(values)
    kind: pa.DataType
    validity, nulls = None, 0
    if contiguous.dtype.kind == "M":
        kind = pa.timestamp("us", "UTC")
    elif contiguous.dtype == np.float64:
        kind = pa.float64()
        missing = np.isnan(contiguous)
        nulls = int(np.count_nonzero(missing))
        if nulls:
            validity = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    else:
        kind = pa.from_numpy_dtype(contiguous.dtype)
    return pa.Array.from_buffers(kind, len(contiguous), [validity, pa.py_buffer(contiguous)], nulls)


def _same(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> bool:
    return bool(np.array_equal(left, right, equal_nan=left.dtype.kind == "f"))


def _counted(rows: int) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def _cell(value: Any) -> str:
    if isinstance(value, np.datetime64):
        return f"{np.datetime_as_string(value, unit='s')}Z"
    if isinstance(value, np.floating):
        return "" if np.isnan(value) else format(float(value), ".10g")
    return str(value)
