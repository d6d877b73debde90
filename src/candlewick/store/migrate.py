"""Migrate: create a store, or bring its tables up to those that this candlewick knows."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from candlewick.postgres_address import PostgresAddress, is_postgres
from candlewick.store import postgres_schema, schema
from candlewick.store.open import open_store


@dataclass(frozen=True)
class Migration:
    """The schema of a store before, 0 when there was none, and after."""

    store: str
    before: int
    after: int

    @property
    def done(self) -> str:
        """``created``, ``upgraded`` or ``nothing``."""
        if self.before == self.after:
            return "nothing"
        return "upgraded" if self.before else "created"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "done": self.done}


def migrate(url: str | Path) -> Migration:
    """Create or upgrade the store at an address; all of it or nothing, and nothing where there is nothing to do.

    A store in memory has no tables: nothing. Raises StoreVersionError for a store of a newer candlewick, and what
    ``open_store`` raises.
    """
    text = str(url)
    if is_postgres(text):
        address = PostgresAddress.parse(text)
        with address.connect() as connection, address.told():
            return Migration(address.shown, *postgres_schema.migrate(connection, address))
    before = _held(text)
    with open_store(url) as store:
        if store.url == "memory:":
            return Migration(store.url, 0, 0)
        return Migration(store.url, before, schema.SCHEMA)


def _held(text: str) -> int:
    """The schema of a DuckDB file; 0 where there is none. What is wrong with the file, its opening tells."""
    import duckdb

    path = Path(re.sub(r"^duckdb://", "", text)).expanduser()
    if not path.is_file():
        return 0
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            return int(connection.execute("SELECT schema FROM candlewick").fetchall()[0][0])
    except duckdb.Error:
        return 0
