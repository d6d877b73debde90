"""Candle table: the statements that read and write rows of candles in a DuckDB store, inside a given cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from candlewick.candles import COLUMNS, VALUES, Candles
from candlewick.columnar import Floats, Integers
from candlewick.store.fresh import Write

Columns = tuple[Integers, dict[str, Floats]]
_COLUMNS = ", ".join(COLUMNS)


def overlapping(cursor: Any, known: Sequence[tuple[int, Candles]]) -> dict[int, Columns]:
    """The stored candles in the span of each incoming series, by its id: one query for all of them."""
    if not known:
        return {}
    if len(known) == 1:
        number, candles = known[0]
        return {number: select(cursor, number, int(candles.microseconds[0]), int(candles.microseconds[-1]) + 1)}
    numbers = np.array([number for number, _ in known], dtype=np.int32)
    low = np.array([candles.microseconds[0] for _, candles in known], dtype=np.int64)
    high = np.array([candles.microseconds[-1] for _, candles in known], dtype=np.int64)
    cursor.register("spans", table_of({"series": numbers, "low": low, "high": high}))
    names = ", ".join(f"candles.{name}" for name in COLUMNS)
    # The outer bounds are implied by the join; said again, they let DuckDB skip row groups.
    query = f"""
        SELECT candles.series, {names} FROM candles JOIN spans USING (series)
        WHERE candles.time BETWEEN spans.low AND spans.high AND candles.time BETWEEN {low.min()} AND {high.max()}
    """
    table = cursor.sql(query).to_arrow_table()
    series = table.column("series").to_numpy()
    order = np.lexsort((table.column("time").to_numpy(), series))
    series = series[order]
    columns = {name: table.column(name).to_numpy()[order] for name in COLUMNS}
    cuts = np.searchsorted(series, numbers), np.searchsorted(series, numbers, side="right")
    return {
        int(number): (columns["time"][first:stop], {name: columns[name][first:stop] for name in VALUES})
        for number, first, stop in zip(numbers, *cuts, strict=True)
    }


def select(cursor: Any, number: int, low: int | None, high: int | None) -> Columns:
    """The candles of one series in ``low <= time < high``, sorted."""
    where, given = where_clause(number, low, high)
    return _sorted(cursor.sql(f"SELECT {_COLUMNS} FROM candles WHERE {where}", params=given))


def select_known(cursor: Any, number: int, revision: int, low: int | None, high: int | None) -> Columns:
    """The candles of one series in ``low <= time < high`` as known at a revision, sorted."""
    where, given = where_clause(number, low, high)
    query = f"""
        SELECT {_COLUMNS} FROM candles WHERE {where} AND revision <= {revision}
        UNION ALL
        SELECT {_COLUMNS} FROM revisions WHERE {where} AND revision <= {revision} AND until > {revision}
    """
    return _sorted(cursor.sql(query, params=[*given, *given]))


def _sorted(found: Any) -> Columns:
    table = found.to_arrow_table()
    columns = {name: table.column(name).to_numpy() for name in COLUMNS}
    time = columns["time"]
    if len(time) > 1 and np.diff(time).min() < 0:
        order = np.argsort(time, kind="stable")
        columns = {name: column[order] for name, column in columns.items()}
    return columns["time"], {name: columns[name] for name in VALUES}


def where_clause(number: int, low: int | None, high: int | None) -> tuple[str, list[int]]:
    """The condition for a range of one series, and its parameters."""
    clauses, given = ["series = ?"], [number]
    for clause, at in (("time >= ?", low), ("time < ?", high)):
        if at is not None:
            clauses.append(clause)
            given.append(at)
    return " AND ".join(clauses), given


def put(cursor: Any, queries: Sequence[str], parts: Sequence[tuple[Write, Any, int]]) -> None:
    """Run queries over the chosen rows of several series as the table ``incoming``, ordered as they come.

    ``parts``: each series with the mask of its rows and how many those are.
    """
    used = [(one, slice(None) if count == len(rows) else rows) for one, rows, count in parts if count]
    if not used:
        return
    times = [one.candles.microseconds[rows] for one, rows in used]
    counts = [len(time) for time in times]
    numbers = np.repeat(np.array([one.fresh.after.place for one, _ in used], dtype=np.int32), counts)
    revisions = np.array([one.fresh.after.series.revision for one, _ in used], dtype=np.int32)
    columns: dict[str, Any] = {"series": numbers, "time": np.concatenate(times)}
    for name in VALUES:
        columns[name] = np.concatenate([getattr(one.candles, name)[rows] for one, rows in used])
    columns["revision"] = np.repeat(revisions, counts)
    cursor.register("incoming", table_of(columns))
    for query in queries:
        cursor.execute(query)
    cursor.unregister("incoming")


ORDERS = {"candles": "series, time", "revisions": "series, time, until", "writes": "series, revision"}
"""In which order the large tables are read."""


def in_order(cursor: Any, table: str) -> bool:
    """Rewrite a table into the order in which it is read; False when that would have changed rows."""
    cursor.execute(f"CREATE TABLE compacted AS SELECT * FROM {table} ORDER BY {ORDERS[table]}")
    if _digest(cursor, table) != _digest(cursor, "compacted"):
        return False
    cursor.execute(f"DROP TABLE {table}")
    cursor.execute(f"ALTER TABLE compacted RENAME TO {table}")
    return True


def _digest(cursor: Any, table: str) -> Any:
    """For each series how many rows a table holds, and a hash of them that does not depend on their order."""
    names = ", ".join(row[0] for row in cursor.execute(f"DESCRIBE {table}").fetchall())
    query = f"SELECT series, count(*), sum(hash({names})::HUGEINT) FROM {table} GROUP BY series ORDER BY series"
    return cursor.execute(query).fetchall()


def table_of(columns: Mapping[str, Any]) -> Any:
    """Columns as an Arrow table, which DuckDB reads in place."""
    import pyarrow as pa

    return pa.table(dict(columns))
