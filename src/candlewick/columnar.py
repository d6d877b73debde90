"""Columnar: named columns of one length that speak the Arrow PyCapsule interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Times = npt.NDArray[np.datetime64]

SHOWN = 5
"""Rows shown at each end by ``repr``."""


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

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self.to_arrow().schema.__arrow_c_schema__()

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
        columns = self._columns()
        rows = self._row_count()
        lines = [f"<{type(self).__name__} {self._title()}: {rows:,} row{'' if rows == 1 else 's'}>"]
        picked = range(rows) if rows <= 2 * SHOWN else [*range(SHOWN), -1, *range(rows - SHOWN, rows)]
        table = [list(columns)]
        table += [["..."] * len(columns) if i < 0 else [_cell(c[i]) for c in columns.values()] for i in picked]
        widths = [max(len(row[k]) for row in table) for k in range(len(columns))]
        lines += ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
        return "\n".join(lines)


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


def _cell(value: Any) -> str:
    if isinstance(value, np.datetime64):
        return f"{np.datetime_as_string(value, unit='s')}Z"
    if isinstance(value, np.floating):
        return "" if np.isnan(value) else format(float(value), ".10g")
    return str(value)
