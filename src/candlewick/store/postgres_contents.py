"""Postgres contents: the tables of a PostgreSQL store as contents, and how an empty one is filled, inside a cursor.

1. A table of numbers crosses by binary COPY, many rows as one array: rows one by one take ten times as long.
2. Other tables are read through a cursor of the database and written by text COPY, row by row.
3. What only PostgreSQL keeps (``changed``, the count of commits at which a row came) is left out, and given anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from candlewick.errors import StoreError, StoreVersionError
from candlewick.store.contents import BATCH, FLOAT, INTEGER, RAW, TEXT, Table, batch_of, check_empty, kind_of
from candlewick.store.postgres_rows import HEADER, TRAILER
from candlewick.store.postgres_schema import SCHEMA

if TYPE_CHECKING:
    import pyarrow as pa

    from candlewick.store.repository import CandleRepository

_KINDS = {"integer": INTEGER, "bigint": INTEGER, "double precision": FLOAT, "text": TEXT, "bytea": RAW}
_SENT = {"integer": ">i4", "bigint": ">i8", "double precision": ">f8"}
_CHANGED = "changed"
_COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, is_identity FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name <> 'candlewick' AND left(table_name, 7) <> 'control'
    ORDER BY table_name, ordinal_position
"""


class Column(NamedTuple):
    """A column as PostgreSQL declares it."""

    declared: str
    nullable: bool
    identity: bool


Declared = Mapping[str, Mapping[str, Column]]


class PostgresContents:
    """The tables that a cursor sees; it is inside a transaction that sees one state."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '10min'")  # what is read is written elsewhere
        self._declared = declared(cursor)
        self.tables = tables(self._declared)

    def rows(self, table: Table) -> int:
        """How many rows there are."""
        return int(self._cursor.execute(f'SELECT count(*) FROM "{table.name}"').fetchall()[0][0])

    def batches(self, table: Table) -> Iterator[pa.RecordBatch]:
        """The rows as they lie."""
        row = _row(table, self._declared)
        return self._by_row(table) if row is None else self._by_copy(table, row)

    def _by_copy(self, table: Table, row: np.dtype[Any]) -> Iterator[pa.RecordBatch]:
        names = ", ".join(f'"{name}"' for name in table.columns)
        size, held, begun = row.itemsize * BATCH, bytearray(), False
        with self._cursor.copy(f'COPY (SELECT {names} FROM "{table.name}") TO STDOUT (FORMAT BINARY)') as copy:
            for piece in copy:
                held += piece
                if not begun and len(held) >= len(HEADER):
                    begun = True
                    del held[: len(HEADER)]
                while begun and len(held) >= size:
                    yield _decoded(table, row, bytes(held[:size]))
                    del held[:size]
        if held[len(held) - len(TRAILER) :] != TRAILER or (len(held) - len(TRAILER)) % row.itemsize:
            raise StoreError("store: what PostgreSQL sent is not the binary format that is known")
        if len(held) > len(TRAILER):
            yield _decoded(table, row, bytes(held[: -len(TRAILER)]))

    def _by_row(self, table: Table) -> Iterator[pa.RecordBatch]:
        names = ", ".join(f'"{name}"' for name in table.columns)
        self._cursor.execute(f'DECLARE contents NO SCROLL CURSOR FOR SELECT {names} FROM "{table.name}"')
        while rows := self._cursor.execute(f"FETCH {BATCH} FROM contents").fetchall():
            yield batch_of(table, dict(zip(table.columns, map(list, zip(*rows, strict=True)), strict=True)))
        self._cursor.execute("CLOSE contents")


class PostgresFilling:
    """The tables of an empty store; the cursor is inside a transaction that writes. Raises StoreError for others.

    Nobody else writes until it is over.
    """

    def __init__(self, cursor: Any, url: str) -> None:
        self._cursor = cursor
        cursor.execute("LOCK TABLE series, quarantine, splits IN EXCLUSIVE MODE")
        held = PostgresContents(cursor)
        self._declared, self.tables = declared(cursor), held.tables
        check_empty(url, {table.name: held.rows(table) for table in held.tables.values()})
        counted = (
            "UPDATE candlewick SET changes = changes + 1, splits = changes + 1 WHERE schema = %s RETURNING changes"
        )
        found = cursor.execute(counted, [SCHEMA]).fetchall()
        if not found:
            raise StoreVersionError(f"store: {url}: its tables are not of schema {SCHEMA} any more")
        self._count: int = found[0][0]

    def put(self, table: Table, batch: pa.RecordBatch) -> None:
        """Add rows."""
        names = list(table.columns)
        columns = [batch.column(name) for name in names]
        if _CHANGED in self._declared[table.name]:
            import pyarrow as pa

            names.append(_CHANGED)
            columns.append(pa.array(np.full(len(batch), self._count)))
        listed = ", ".join(f'"{name}"' for name in names)
        row = _row(Table(table.name, dict.fromkeys(names, "")), self._declared)
        if row is None:
            with self._cursor.copy(f'COPY "{table.name}" ({listed}) FROM STDIN') as copy:
                for values in zip(*(column.to_pylist() for column in columns), strict=True):
                    copy.write_row(values)
            return
        rows = np.empty(len(batch), row)
        rows["fields"] = len(names)
        for name, column in zip(names, columns, strict=True):
            rows[f"{name} width"] = row[name].itemsize
            rows[name] = column.to_numpy(zero_copy_only=False)
        with self._cursor.copy(f'COPY "{table.name}" ({listed}) FROM STDIN (FORMAT BINARY)') as copy:
            copy.write(HEADER)
            copy.write(rows.tobytes())
            copy.write(TRAILER)

    def close(self) -> None:
        """The last statements before the commit: numbers of new rows go on above these, and others are told."""
        for name, columns in self._declared.items():
            for column, about in columns.items():
                if about.identity:
                    self._cursor.execute(
                        f"SELECT setval(pg_get_serial_sequence(%s, %s), "
                        f'(SELECT coalesce(max("{column}"), 0) + 1 FROM "{name}"), false)',
                        [f'"{name}"', column],
                    )
        told = "SELECT pg_notify('candlewick_' || 'series'::regclass::oid, %s)"
        self._cursor.execute(told, [str(self._count)])


def look_again(store: CandleRepository) -> None:
    """Let a store know at once what came into its tables."""
    from candlewick.store.postgres import PostgresStore

    if isinstance(store, PostgresStore):
        watch = store._watch
        with watch._looking, store._link.borrow() as cursor:
            watch._look(cursor)


def declared(cursor: Any) -> Declared:
    """Every table of the store, and how its columns are declared."""
    found: dict[str, dict[str, Column]] = {}
    for name, column, kind, nullable, identity in cursor.execute(_COLUMNS).fetchall():
        found.setdefault(name, {})[column] = Column(kind, nullable == "YES", identity == "YES")
    return found


def tables(known: Declared) -> Mapping[str, Table]:
    """What every kind of store has of them."""
    return {
        name: Table(
            name,
            {
                column: kind_of(name, column, about.declared, _KINDS)
                for column, about in columns.items()
                if column != _CHANGED
            },
        )
        for name, columns in known.items()
    }


def _row(table: Table, known: Declared) -> np.dtype[Any] | None:
    """A row of the binary format, high byte first; None for a table that is not of numbers alone."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name in table.columns:
        about = known[table.name][name]
        if about.declared not in _SENT or about.nullable:
            return None
        fields += [(f"{name} width", ">i4"), (name, _SENT[about.declared])]
    return np.dtype(fields)


def _decoded(table: Table, row: np.dtype[Any], data: bytes) -> pa.RecordBatch:
    rows = np.frombuffer(data, row)
    if (rows["fields"] != len(table.columns)).any() or any(
        (rows[f"{name} width"] != row[name].itemsize).any() for name in table.columns
    ):
        raise StoreError("store: what PostgreSQL sent is not the binary format that is known")
    return batch_of(table, {name: rows[name].astype(row[name].str[1:].replace("i4", "i8")) for name in table.columns})
