"""PostgresAddress: where a PostgreSQL store and its control journal are, and how this process connects to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from candlewick.errors import InputError, StoreError, StoreUnavailableError
from candlewick.postgres_patience import connection_class

SCHEMES = ("postgresql://", "postgres://")
SCHEMA = "candlewick"
"""The schema of a database that holds the tables, unless the address says ``schema=``."""

CONNECT_SECONDS = 2
"""The least that libpq waits for a connection; whoever calls the store waits a second at most."""

STATEMENT_SECONDS = 60
"""After which PostgreSQL ends a statement: a database that hangs must not hold everybody."""

IDLE_SECONDS = 10
"""After which PostgreSQL ends a transaction that waits for its process: a process that hangs must not hold a lock."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def is_postgres(url: str) -> bool:
    """Whether an address is one of a PostgreSQL database."""
    return url.startswith(SCHEMES)


def shown(url: str) -> str:
    """An address for people: that of a database without its password, any other as it is."""
    return PostgresAddress.parse(url).shown if is_postgres(url) else url


@dataclass(frozen=True)
class PostgresAddress:
    """``conninfo``: what libpq takes, with its password; ``schema``: of the tables; ``shown``: for people, without."""

    conninfo: str
    schema: str
    shown: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """From ``postgresql://user:password@host:port/database?schema=desk``; the rest is as libpq takes it.

        Raises InputError for another address, or a schema that is no plain name.
        """
        if not is_postgres(url):
            raise InputError("store", url, "give postgresql://user@host:5432/database")
        try:
            parts = urlsplit(url)
            given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
            parts.port  # noqa: B018 - raises ValueError for a port that is none
        except ValueError as error:
            raise InputError("store", _hidden(url), f"give postgresql://user@host:5432/database: {error}") from error
        schema = dict(given).get("schema", SCHEMA)
        if not _NAME.fullmatch(schema):
            raise InputError("schema", schema, "give small letters, digits and _, such as schema=candlewick")
        rest = urlencode([(name, text) for name, text in given if name != "schema"], quote_via=quote)
        public = urlencode(
            [(name, text) for name, text in given if name not in ("password", "sslpassword")], quote_via=quote, safe="/"
        )
        host = parts.netloc.rpartition("@")[2]
        user = f"{quote(parts.username, safe='%')}@" if parts.username else ""
        return cls(
            urlunsplit(("postgresql", parts.netloc, parts.path, rest, "")),
            schema,
            urlunsplit(("postgresql", user + host, parts.path, public, "")),
        )

    def options(self) -> dict[str, Any]:
        """What each connection is made with, beside ``conninfo``: short waits, this schema, no open transaction."""
        settings = {
            "search_path": self.schema,
            "statement_timeout": STATEMENT_SECONDS * 1000,
            "idle_in_transaction_session_timeout": IDLE_SECONDS * 1000,
            "client_min_messages": "warning",
        }
        given = dict(parse_qsl(urlsplit(self.conninfo).query)).get("options", "")
        ours = " ".join(f"-c {name}={value}" for name, value in settings.items())
        return {
            "autocommit": True,
            "options": f"{ours} {given}".strip(),
            "application_name": "candlewick",
            "connect_timeout": CONNECT_SECONDS,
            "keepalives_idle": 2,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "tcp_user_timeout": 3000,
        }

    def connect(self, patience: float | None = None) -> Any:
        """A connection of its own, with a patience (`postgres_patience.py`). StoreUnavailableError: there is none."""
        driver()
        with self.told():
            connection: Any = connection_class().connect(self.conninfo, **self.options())
        connection.patience = patience
        return connection

    @contextmanager
    def told(self) -> Iterator[None]:
        """What PostgreSQL cannot do, as an error of ours: StoreUnavailableError where coming again may help."""
        psycopg = driver()
        try:
            yield
        except psycopg.Error as error:
            text = " ".join(str(error).split()) or type(error).__name__
            kind = (error.sqlstate or "")[:2]
            if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and kind not in ("53", "28", "3D"):
                raise StoreUnavailableError(self.shown, text) from error
            raise StoreError(f"store: {self.shown}: {text}") from error


def driver() -> Any:
    """The module psycopg. Raises StoreError that says how to get it."""
    try:
        import psycopg
        import psycopg_pool  # noqa: F401 - it comes with the same extra
    except ImportError as error:
        raise StoreError("store: PostgreSQL needs an extra: pip install candlewick[postgres]") from error
    return psycopg


def _hidden(url: str) -> str:
    """An address that cannot be taken apart, without anything that might be a password."""
    return re.sub(r"//.*@", "//...@", url)
