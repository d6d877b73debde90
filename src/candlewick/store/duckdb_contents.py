"""DuckDB contents: the tables of a DuckDB store as contents, and how an empty one is filled, inside a given cursor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from candlewick.errors import StoreError
from candlewick.store.contents import BATCH, FLOAT, INTEGER, RAW, TEXT, Table, check_empty, kind_of

if TYPE_CHECKING:
    import pyarrow as pa

_KINDS = {"BIGINT": INTEGER, "INTEGER": INTEGER, "DOUBLE": FLOAT, "VARCHAR": TEXT}
_OURS = "candlewick"
"""Says the schema, and nothing else."""


class DuckDBContents:
    """The tables that a cursor sees; it is inside a transaction that reads."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self.tables: Mapping[str, Table] = _tables(cursor)

    def rows(self, table: Table) -> int:
        """How many rows there are."""
        return int(self._cursor.execute(f'SELECT count(*) FROM "{table.name}"').fetchall()[0][0])

    def batches(self, table: Table) -> Iterator[pa.RecordBatch]:
        """The rows as they lie."""
        import pyarrow as pa

        names = ", ".join(
            f'"{name}"::BIGINT AS "{name}"' if kind == INTEGER else f'"{name}"' for name, kind in table.columns.items()
        )
        schema = table.schema
        for batch in self._cursor.sql(f'SELECT {names} FROM "{table.name}"').to_arrow_reader(BATCH):
            columns = [batch.column(name).cast(schema.field(name).type) for name in schema.names]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)


class DuckDBFilling:
    """The tables of an empty store; the cursor is inside a transaction that writes. Raises StoreError for others."""

    def __init__(self, cursor: Any, url: str) -> None:
        self._cursor = cursor
        held = DuckDBContents(cursor)
        self.tables = held.tables
        check_empty(url, {table.name: held.rows(table) for table in held.tables.values()})

    def put(self, table: Table, batch: pa.RecordBatch) -> None:
        """Add rows. Raises StoreError for text that DuckDB cannot hold."""
        import pyarrow as pa

        columns = {}
        for name, kind in table.columns.items():
            column = batch.column(name)
            try:
                columns[name] = column.cast(pa.string()) if kind == RAW else column
            except pa.ArrowInvalid as error:
                raise StoreError(
                    f"store: {table.name}.{name} has text that is no UTF-8: DuckDB cannot hold it"
                ) from error
        self._cursor.register("put", pa.table(columns))
        names = ", ".join(f'"{name}"' for name in columns)
        self._cursor.execute(f'INSERT INTO "{table.name}" ({names}) SELECT {names} FROM put')
        self._cursor.unregister("put")


def _tables(cursor: Any) -> dict[str, Table]:
    query = """
        SELECT table_name, column_name, data_type FROM duckdb_columns()
        WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal
        ORDER BY table_name, column_index
    """
    found: dict[str, dict[str, str]] = {}
    for name, column, declared in cursor.execute(query).fetchall():
        if name != _OURS:
            found.setdefault(name, {})[column] = kind_of(name, column, declared, _KINDS)
    return {name: Table(name, columns) for name, columns in found.items()}
