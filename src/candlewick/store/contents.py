"""Contents: all that a store holds, as tables of one moment, in a form that every kind of store gives and takes.

A store finds out by itself which tables it has, so a table that comes later is in a backup without being named here.
Names of tables and columns are the same in every kind of store; what only one kind needs for itself is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from candlewick.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

    from candlewick.store.repository import CandleRepository

BATCH = 100_000
"""Rows at a time, about."""

INTEGER, FLOAT, TEXT, RAW = "int64", "float64", "text", "raw"
"""What a column may be. Raw is text that came from anywhere, as bytes: UTF-8, also of what is no character."""

ANYTHING = frozenset({("quarantine", "symbol"), ("quarantine", "row")})
"""Columns of text that may hold anything."""


@dataclass(frozen=True)
class Table:
    """A table and its columns, by name: what each is."""

    name: str
    columns: Mapping[str, str]

    @property
    def schema(self) -> pa.Schema:
        """As Arrow has it."""
        import pyarrow as pa

        kinds = {INTEGER: pa.int64(), FLOAT: pa.float64(), TEXT: pa.string(), RAW: pa.binary()}
        return pa.schema([(name, kinds[kind]) for name, kind in self.columns.items()])


class Contents(Protocol):
    """What a store holds at one moment; writers are not kept waiting."""

    @property
    def tables(self) -> Mapping[str, Table]:
        """Its tables by name, also those that are empty."""

    def rows(self, table: Table) -> int:
        """How many rows there are."""

    def batches(self, table: Table) -> Iterator[pa.RecordBatch]:
        """The rows, some at a time, in any order; the columns are those of the table."""


class Filling(Protocol):
    """An empty store that is being filled: all of it is there at the end, or nothing."""

    @property
    def tables(self) -> Mapping[str, Table]:
        """Its tables by name."""

    def put(self, table: Table, batch: pa.RecordBatch) -> None:
        """Add rows. The columns are those of the table."""


@contextmanager
def contents_of(store: CandleRepository) -> Iterator[Contents]:
    """All that a store holds at this moment. Raises StoreError for one that gives nobody its tables."""
    from candlewick.store.memory import MemoryStore
    from candlewick.store.telling import TellingRepository

    if isinstance(store, TellingRepository):
        store = store._store
    if isinstance(store, MemoryStore):
        from candlewick.store.memory_contents import MemoryContents

        yield MemoryContents(store)
        return
    with store.tables() as cursor:
        if _is_duckdb(cursor):
            from candlewick.store.duckdb_contents import DuckDBContents

            yield DuckDBContents(cursor)
        else:
            from candlewick.store.postgres_contents import PostgresContents

            yield PostgresContents(cursor)


@contextmanager
def filling(store: CandleRepository) -> Iterator[Filling]:
    """An empty store, to be filled: all that is put is there when this ends, nothing when anything is raised.

    Raises StoreError for a store that is not empty.
    """
    from candlewick.store.memory import MemoryStore

    if isinstance(store, MemoryStore):
        from candlewick.store.memory_contents import MemoryFilling

        held = MemoryFilling(store)
        yield held
        held.close()
        return
    with store.tables(writing=True) as cursor:
        if _is_duckdb(cursor):
            from candlewick.store.duckdb_contents import DuckDBFilling

            yield DuckDBFilling(cursor, store.url)
            return
        from candlewick.store.postgres_contents import PostgresFilling, look_again

        tables = PostgresFilling(cursor, store.url)
        yield tables
        tables.close()
    look_again(store)


def check_empty(url: str, held: Mapping[str, int]) -> None:
    """Raise StoreError for a store that holds rows; ``held``: how many, by table."""
    full = {name: rows for name, rows in held.items() if rows}
    if full:
        shown = ", ".join(f"{rows:,} of {name}" for name, rows in full.items())
        raise StoreError(f"store: {url} is not empty (it has {shown}): give a store that is not there yet")


def raw(text: str) -> bytes:
    """Text that may hold anything, as bytes."""
    return text.encode("utf-8", "surrogatepass")


def text_of(data: bytes) -> str:
    """What `raw` made bytes of."""
    return bytes(data).decode("utf-8", "surrogatepass")


def kind_of(table: str, column: str, declared: str, kinds: Mapping[str, str]) -> str:
    """What a column is, from what its database calls it. Raises StoreError for what no backup can hold."""
    if (table, column) in ANYTHING:
        return RAW
    if declared not in kinds:
        raise StoreError(f"store: {table}.{column} is of a kind that no backup holds ({declared})")
    return kinds[declared]


def batch_of(table: Table, columns: Mapping[str, Any]) -> pa.RecordBatch:
    """Columns as one batch of a table."""
    import pyarrow as pa

    schema = table.schema
    return pa.RecordBatch.from_arrays(
        [pa.array(columns[name], schema.field(name).type) for name in schema.names], schema=schema
    )


def _is_duckdb(cursor: Any) -> bool:
    import duckdb

    return isinstance(cursor, duckdb.DuckDBPyConnection)
