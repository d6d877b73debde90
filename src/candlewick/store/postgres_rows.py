"""Postgres rows: candles into a PostgreSQL store by binary COPY and out of it, and what a write does to them there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from candlewick.candles import COLUMNS, VALUES, Candles
from candlewick.columnar import Floats, Integers
from candlewick.errors import StoreError
from candlewick.store.change import Counted as Counted

Columns = tuple[Integers, dict[str, Floats]]

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_NAMES = ", ".join(COLUMNS)
_FIELDS = [(name, ">i8" if name == "time" else ">f8") for name in COLUMNS]
_WIDTH = {">i8": 8, ">f8": 8, ">i4": 4}
_ARRAY_HEADER = 20
_PIECE = 100_000  # rows encoded at once: some 9 MB

_DIFFERENT = " OR ".join(f"c.{name} <> s.{name}" for name in VALUES)
_MET = "c.series = s.series AND c.time = s.time"


class Put(NamedTuple):
    """Candles for one series, and the revision that those get which are new or different."""

    series: int
    revision: int
    candles: Candles


def copy_in(cursor: Any, table: str, parts: Sequence[Put]) -> None:
    """Put rows into ``candles``, or into ``staging``: in large pieces, since each one waits to be sent."""
    statement = f"COPY {table} ({_NAMES}, series, revision) FROM STDIN (FORMAT BINARY)"
    with cursor.copy(statement) as copy:
        copy.write(HEADER)
        for piece in _pieces(parts):
            copy.write(_encoded(piece))
        copy.write(TRAILER)


def fetch(cursor: Any, query: str) -> Columns:
    """The columns of a query that gives those of candles, sorted.

    Each comes as one array in the binary format: rows one by one take ten times as long.
    """
    sent = ", ".join(f"array_send(array_agg({name}))" for name in COLUMNS)
    with cursor.connection.cursor(binary=True) as binary:
        found = binary.execute(f"SELECT {sent} FROM ({query} ORDER BY time) AS found").fetchall()[0]
    time, *values = (_decoded(column, of) for column, (_, of) in zip(found, _FIELDS, strict=True))
    return time, dict(zip(VALUES, values, strict=True))


def select(cursor: Any, number: int, low: int | None, high: int | None) -> Columns:
    """The candles of one series in ``low <= time < high``, sorted."""
    return fetch(cursor, f"SELECT {_NAMES} FROM candles WHERE {within(number, low, high)}")


def select_known(cursor: Any, number: int, revision: int, low: int | None, high: int | None) -> Columns:
    """The candles of one series in ``low <= time < high`` as known at a revision, sorted."""
    where = within(number, low, high)
    return fetch(
        cursor,
        f"SELECT {_NAMES} FROM candles WHERE {where} AND revision <= {int(revision)} UNION ALL "
        f"SELECT {_NAMES} FROM revisions WHERE {where} AND revision <= {int(revision)} AND until > {int(revision)}",
    )


def within(number: int, low: int | None, high: int | None) -> str:
    """The condition for a range of one series, with the numbers in it."""
    clauses = [f"series = {int(number)}"]
    if low is not None:
        clauses.append(f"time >= {int(low)}")
    if high is not None:
        clauses.append(f"time < {int(high)}")
    return " AND ".join(clauses)


def stage(cursor: Any, parts: Sequence[Put]) -> dict[int, Counted]:
    """Put candles into the staging table of this transaction, and say what of them is new or different."""
    cursor.execute("CREATE TEMP TABLE IF NOT EXISTS staging (LIKE candles) ON COMMIT DELETE ROWS")
    copy_in(cursor, "staging", parts)
    if sum(len(part.candles) for part in parts) > 1000:
        cursor.execute("ANALYZE staging")
    query = f"""
        SELECT s.series, count(*) FILTER (WHERE c.time IS NULL), count(*) FILTER (WHERE {_DIFFERENT}),
            min(s.time) FILTER (WHERE c.time IS NULL OR {_DIFFERENT}), min(s.time) FILTER (WHERE c.time IS NULL)
        FROM staging s LEFT JOIN candles c ON {_met(parts)} GROUP BY s.series
    """
    return {row[0]: Counted(*row[1:]) for row in cursor.execute(query).fetchall()}


def take_over(cursor: Any, parts: Sequence[Put], *, replaced: bool, added: bool) -> None:
    """Move what is replaced into the revisions, and put what is staged into its place, or where nothing was."""
    if replaced:
        met = f"{_met(parts)} AND ({_DIFFERENT})"
        names = ", ".join(f"c.{name}" for name in COLUMNS)
        cursor.execute(
            f"INSERT INTO revisions ({_NAMES}, series, revision, until) "
            f"SELECT {names}, c.series, c.revision, s.revision FROM candles c JOIN staging s ON {met}"
        )
        values = ", ".join(f"{name} = s.{name}" for name in (*VALUES, "revision"))
        cursor.execute(f"UPDATE candles c SET {values} FROM staging s WHERE {met}")
    if added:
        # Under the lock of the series nobody else writes it: what is there already is what was equal or replaced.
        cursor.execute("INSERT INTO candles SELECT * FROM staging ON CONFLICT DO NOTHING")


def _met(parts: Sequence[Put]) -> str:
    """How stored candles meet staged ones. The bounds are implied; said, they keep the planner off the whole table."""
    low = min(int(part.candles.microseconds[0]) for part in parts)
    high = max(int(part.candles.microseconds[-1]) for part in parts)
    among = ", ".join(str(part.series) for part in parts)
    return f"{_MET} AND c.series IN ({among}) AND c.time BETWEEN {low} AND {high}"


def _pieces(parts: Sequence[Put]) -> Iterator[list[Put]]:
    """The same candles in pieces of at most `_PIECE` rows: of several series, or a part of one."""
    held: list[Put] = []
    rows = 0
    for part in parts:
        for first in range(0, len(part.candles), _PIECE):
            whole = len(part.candles) <= _PIECE
            cut = part if whole else part._replace(candles=part.candles.rows(first, first + _PIECE))
            if rows + len(cut.candles) > _PIECE:
                yield held
                held, rows = [], 0
            held.append(cut)
            rows += len(cut.candles)
    if held:
        yield held


def _encoded(parts: Sequence[Put]) -> bytes:
    kind = _row([*_FIELDS, ("series", ">i4"), ("revision", ">i4")])
    counts = [len(part.candles) for part in parts]
    rows = np.empty(sum(counts), kind)
    rows["fields"] = len(COLUMNS) + 2
    for name, of in (*_FIELDS, ("series", ">i4"), ("revision", ">i4")):
        rows[f"{name} width"] = _WIDTH[of]
    rows["time"] = np.concatenate([part.candles.microseconds for part in parts])
    rows["series"] = np.repeat([part.series for part in parts], counts)
    rows["revision"] = np.repeat([part.revision for part in parts], counts)
    for name in VALUES:
        rows[name] = np.concatenate([getattr(part.candles, name) for part in parts])
    return rows.tobytes()


def _decoded(array: bytes | None, of: str) -> npt.NDArray[Any]:
    """An array in the binary format: five numbers about it, then the width of each element and its value."""
    if array is None:
        return np.empty(0, of[1:])
    elements = np.frombuffer(array, np.dtype([("width", ">i4"), ("value", of)]), offset=_ARRAY_HEADER)
    if (elements["width"] != _WIDTH[of]).any():
        raise StoreError("store: what PostgreSQL sent is not the binary format that is known")
    return elements["value"].astype(of[1:])


def _row(fields: Sequence[tuple[str, str]]) -> npt.DTypeLike:
    """A row of the binary format: how many fields, then the width of each and its value, high byte first."""
    kind = [("fields", ">i2")]
    for name, of in fields:
        kind += [(f"{name} width", ">i4"), (name, of)]
    return np.dtype(kind)
