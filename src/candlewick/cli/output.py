"""Output: named columns as CSV, JSON or Parquet, and single JSON values."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Columns = Mapping[str, npt.NDArray[Any]]

CHUNK = 50_000
"""Rows turned into text at a time, so that memory stays small however long a series is."""


def print_json(value: Any) -> None:
    """One JSON value and a newline on standard output. A NaN would not be JSON: it raises ValueError."""
    sys.stdout.write(json.dumps(value, allow_nan=False, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def write_report(value: Any, file: str) -> None:
    """One JSON value and a newline in a file, which appears whole or not at all."""
    from candlewick.cli.destination import destination

    with destination(file) as to:
        to.write((json.dumps(value, allow_nan=False, indent=2) + "\n").encode())


def note(text: str) -> None:
    """A line for the reader on standard error, where it disturbs nothing that reads standard output."""
    sys.stderr.write(f"{text}\n")


def write_csv(columns: Columns, to: BinaryIO) -> None:
    """Header and rows: times ISO UTC with Z, floats in shortest round-trip form, undefined empty, true or false."""
    to.write((",".join(map(_quoted, columns)) + "\n").encode())
    rows = len(next(iter(columns.values())))
    for first in range(0, rows, CHUNK):
        texts = [_texts(values[first : first + CHUNK]) for values in columns.values()]
        to.write(("\n".join(map(",".join, zip(*texts, strict=True))) + "\n").encode())


def write_json(about: Mapping[str, str], columns: Columns, to: BinaryIO) -> None:
    """``{**about, "columns": {name: [...]}}``: times in milliseconds since 1970, undefined null."""
    to.write(json.dumps(about, ensure_ascii=False)[:-1].encode() + b', "columns": {')
    for place, (name, values) in enumerate(columns.items()):
        text = json.dumps(_plain(values), allow_nan=False, separators=(",", ":"))
        to.write(f"{', ' if place else ''}{json.dumps(name)}: {text}".encode())
    to.write(b"}}\n")


def write_parquet(about: Mapping[str, str], columns: Columns, to: BinaryIO) -> None:
    """A Parquet file: times as timestamp[us, UTC], undefined null, ``about`` in the schema's metadata."""
    import pyarrow as pa
    from pyarrow import parquet

    from candlewick.columnar import arrow_column

    arrays = {
        name: pa.array(values.tolist(), pa.string()) if values.dtype.kind == "O" else arrow_column(values)
        for name, values in columns.items()
    }
    table = pa.table(arrays)
    table = table.replace_schema_metadata({f"candlewick.{key}": value for key, value in about.items()})
    # In memory first: the writer would close a stream that is not its own.
    buffer = pa.BufferOutputStream()
    parquet.write_table(table, buffer)
    to.write(buffer.getvalue())


def iso_times(times: npt.NDArray[np.datetime64]) -> list[str]:
    """ISO UTC with Z; fractions of a second only where there are any."""
    import numpy as np

    whole = times.astype("datetime64[us]")
    unit: Any = "s" if not (whole.view(np.int64) % 1_000_000).any() else "us"
    return [f"{text.removesuffix('.000000')}Z" for text in np.datetime_as_string(whole, unit=unit).tolist()]


def _texts(values: npt.NDArray[Any]) -> Iterator[str] | list[str]:
    kind = values.dtype.kind
    if kind == "M":
        return iso_times(values)
    if kind == "f":
        return ["" if value != value else repr(value) for value in values.tolist()]
    if kind == "b":
        return ["true" if value else "false" for value in values.tolist()]
    if kind in "iu":
        return map(str, values.tolist())
    return map(_quoted, values.tolist())


def _plain(values: npt.NDArray[Any]) -> list[Any]:
    if values.dtype.kind == "M":
        return [int(value) for value in values.astype("datetime64[ms]").astype("int64").tolist()]
    if values.dtype.kind == "f":
        return [value if value - value == 0.0 else None for value in values.tolist()]  # infinities are no JSON either
    plain: list[Any] = values.tolist()
    return plain


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\r\n') else text
