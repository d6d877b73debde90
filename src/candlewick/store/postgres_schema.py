"""Postgres schema: the versioned migrations of a PostgreSQL store, and who may run them when.

1. candles with their key (series, time), revisions, series, history, writes, quarantine, as every store has them. The
   one row of ``candlewick`` says the version, and counts the commits: ``changed`` is the count at which a row came.

2. splits, as every store has them; ``candlewick.splits`` is the count of commits at which they last changed.

A migration is never changed once it was released; what comes later is one more.
"""

from __future__ import annotations

from typing import Any

from candlewick.errors import FileFormatError, StoreVersionError
from candlewick.postgres_address import PostgresAddress

MIGRATIONS = (
    """
    CREATE TABLE candlewick (schema integer NOT NULL, changes bigint NOT NULL);
    INSERT INTO candlewick VALUES (0, 0);
    CREATE TABLE series (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, symbol text COLLATE "C" NOT NULL,
        timeframe text COLLATE "C" NOT NULL, calendar text NOT NULL, rows bigint NOT NULL DEFAULT 0,
        first bigint NOT NULL DEFAULT 0, last bigint NOT NULL DEFAULT 0, revision bigint NOT NULL DEFAULT 0,
        generation bigint NOT NULL DEFAULT 0, written_at bigint NOT NULL DEFAULT 0,
        purged_revision bigint NOT NULL DEFAULT 0, purged_since bigint NOT NULL DEFAULT 0,
        purged_before bigint NOT NULL DEFAULT 0, retired_revision bigint NOT NULL DEFAULT 0,
        retired_since bigint NOT NULL DEFAULT 0, retired_before bigint NOT NULL DEFAULT 0,
        changed bigint NOT NULL DEFAULT 0, UNIQUE (symbol, timeframe)
    );
    CREATE INDEX series_changed ON series (changed);
    CREATE TABLE history (
        series integer NOT NULL, day bigint NOT NULL, revision bigint NOT NULL, changed bigint NOT NULL,
        PRIMARY KEY (series, day)
    );
    CREATE TABLE candles (
        time bigint NOT NULL, open float8 NOT NULL, high float8 NOT NULL, low float8 NOT NULL, close float8 NOT NULL,
        volume float8 NOT NULL, series integer NOT NULL, revision integer NOT NULL, PRIMARY KEY (series, time)
    );
    CREATE TABLE revisions (
        time bigint NOT NULL, open float8 NOT NULL, high float8 NOT NULL, low float8 NOT NULL, close float8 NOT NULL,
        volume float8 NOT NULL, series integer NOT NULL, revision integer NOT NULL, until integer NOT NULL,
        PRIMARY KEY (series, time, until)
    );
    CREATE TABLE writes (
        series integer NOT NULL, revision bigint NOT NULL, written_at bigint NOT NULL, kind text NOT NULL,
        calendar text NOT NULL, day bigint NOT NULL, inserted bigint NOT NULL, updated bigint NOT NULL,
        removed bigint NOT NULL, PRIMARY KEY (series, revision), UNIQUE (series, written_at)
    );
    CREATE TABLE quarantine (
        content text COLLATE "C" NOT NULL, line bigint NOT NULL, file text COLLATE "C" NOT NULL, symbol bytea NOT NULL,
        reason text NOT NULL, row bytea NOT NULL, refused_at bigint NOT NULL, PRIMARY KEY (content, line)
    );
    """,
    """
    ALTER TABLE candlewick ADD COLUMN splits bigint NOT NULL DEFAULT 0;
    CREATE TABLE splits (
        symbol text COLLATE "C" NOT NULL, time bigint NOT NULL, factor float8 NOT NULL, set_at bigint NOT NULL,
        PRIMARY KEY (symbol, time)
    );
    """,
)
SCHEMA = len(MIGRATIONS)
"""Version of the tables that this candlewick knows."""

_LOCK = 0x63646C77  # of an advisory lock: one migration at a time in a database


def version(connection: Any, address: PostgresAddress) -> int:
    """The version of the tables that are there, 0 for none. Raises FileFormatError for tables of something else."""
    found = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [address.schema]
    ).fetchall()
    names = {row[0] for row in found}
    if not names & {"candlewick", "series", "candles"}:
        return 0
    if "candlewick" not in names:
        expected = "give another one with schema="
        raise FileFormatError("schema", address.schema, expected, "holds tables of something else")
    return int(connection.execute("SELECT schema FROM candlewick").fetchall()[0][0])


def migrate(connection: Any, address: PostgresAddress, *, upgrade: bool = True) -> tuple[int, int]:
    """Create the tables, or bring them up to `SCHEMA`, all or nothing; the versions before and after.

    ``upgrade=False`` creates only: processes of an older candlewick may still run on tables that are there, so when
    these are upgraded is for somebody to say. Raises StoreVersionError for newer ones, and for older ones then.
    """
    held = version(connection, address)
    if held == SCHEMA:
        return held, held
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        held = version(connection, address)
        check(held, address, upgrade=upgrade)
        if held == 0:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {address.schema}")
        for step in MIGRATIONS[held:]:
            connection.execute(step)
        connection.execute("UPDATE candlewick SET schema = %s", [SCHEMA])
    return held, SCHEMA


def check(held: int, address: PostgresAddress, *, upgrade: bool) -> None:
    """Raise StoreVersionError for tables that are newer, or that wait for an upgrade that is not asked for."""
    if held > SCHEMA:
        raise StoreVersionError(
            f"store: {address.shown} has schema {held}, this candlewick knows {SCHEMA}: use a newer candlewick"
        )
    if 0 < held < SCHEMA and not upgrade:
        raise StoreVersionError(
            f"store: {address.shown} has schema {held}, this candlewick needs {SCHEMA}: candlewick store migrate"
        )
