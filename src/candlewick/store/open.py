"""Open: the one place where a store's address is turned into a store."""

from __future__ import annotations

import re
from pathlib import Path

from candlewick.errors import InputError, UnknownNameError
from candlewick.postgres_address import is_postgres
from candlewick.store.repository import CandleRepository

SCHEMES = ("memory:", "duckdb:///path/to/file.duckdb", "postgresql://user@host/database")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")


def open_store(url: str | Path) -> CandleRepository:
    """The store at ``memory:``, ``duckdb:///path``, ``postgresql://...`` or a plain path; made when it is not there.

    ``duckdb:///data/x.duckdb`` is the absolute path ``/data/x.duckdb``. Raises UnknownNameError for another scheme,
    FileFormatError for a file that is no store, StoreBusyError when another process owns it, StoreVersionError when
    a newer candlewick wrote it, StoreUnavailableError where a database does not answer.
    """
    text = str(url)
    if not text.strip():
        raise InputError("store", text, f"give {' or '.join(SCHEMES)}, or a path", "is empty")
    if text in ("memory:", "memory://"):
        from candlewick.store.memory import MemoryStore

        return MemoryStore()
    if is_postgres(text):
        from candlewick.store.postgres import PostgresStore

        return PostgresStore(text)
    from candlewick.store.duckdb import DuckDBStore

    if text.startswith("duckdb://"):
        path = text.removeprefix("duckdb://")
        if not path.startswith("/") or path == "/":
            raise InputError("store", text, "give duckdb:///path/to/file.duckdb, with three slashes")
        windows = re.match(r"/[A-Za-z]:", path)
        return DuckDBStore(path[1:] if windows else path)
    scheme = _SCHEME.match(text)
    if isinstance(url, str) and scheme is not None:
        raise UnknownNameError("store", text, SCHEMES, expected="give one of these, or a path")
    return DuckDBStore(url)
