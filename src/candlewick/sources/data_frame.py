"""Data frame: a pandas or polars frame, or any table that speaks Arrow, as an Arrow table whose columns have names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from candlewick.errors import InputError
from candlewick.sources.columns import KNOWN, plain

if TYPE_CHECKING:
    import pyarrow as pa


def is_table(given: Any) -> bool:
    """True for what can be read as rows: it speaks the Arrow PyCapsule interface, or is a pandas frame."""
    return hasattr(given, "__arrow_c_stream__") or _is_pandas(given)


def table_of(frame: Any) -> pa.Table:
    """The rows of a frame. Of a pandas frame whose index is times, the index becomes the column of times.

    Raises InputError for what is no table, for column names of several levels or given twice, and for an index of
    spans of time.
    """
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    if _is_pandas(frame):
        return _of_pandas(frame)
    try:
        return pa.table(frame)
    except (TypeError, ValueError) as error:
        expected = "give a frame of pandas or polars, or what speaks the Arrow PyCapsule interface"
        raise InputError("frame", type(frame).__name__, expected, "is no table") from error


def _is_pandas(frame: Any) -> bool:
    """Without importing pandas: who gives a frame of it has done so."""
    return type(frame).__module__.partition(".")[0] == "pandas" and hasattr(frame, "columns")


def _of_pandas(frame: Any) -> pa.Table:
    import pyarrow as pa

    if frame.columns.nlevels > 1:
        expected = "keep one level, as frame.droplevel(1, axis='columns') does"
        raise InputError("frame", list(frame.columns[:3]), expected, "has column names of several levels")
    if not frame.columns.is_unique:
        twice = list(frame.columns[frame.columns.duplicated()])
        raise InputError("frame", twice, "give each column a name of its own", "has columns of the same name")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    index = frame.index
    if index.nlevels > 1 or str(index.dtype).startswith("period"):
        expected = "give one time for each row: frame.reset_index(), or frame.to_timestamp() for periods"
        raise InputError("frame", str(getattr(index, "dtype", "levels")), expected, "is no index of times")
    if getattr(index.dtype, "kind", "") == "M":
        named = str(index.name) if plain(str(index.name)) in KNOWN["time"] else "time"
        table = table.add_column(0, named, pa.array(index))
    return table
