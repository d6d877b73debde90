"""Schema: the tables of a DuckDB store, and how an older store is brought up to them.

1. candles, series, quarantine.
2. history: the days that the writes to a series touched (`store/history.py`).
3. revisions, writes; candles carry their revision, series where their history begins (`store/revisions.py`).
4. splits: the factors of symbols (`store/splits.py`).
"""

from __future__ import annotations

import time
from typing import Any

from candlewick.moments import LAST
from candlewick.store.history import day_of
from candlewick.store.revisions import UPGRADE

SCHEMA = 4
"""Version of the tables below; a store with a higher one was written by a newer candlewick."""

HISTORY = "CREATE TABLE history (series INTEGER, day BIGINT, revision BIGINT);"
REVISIONS = """
CREATE TABLE revisions (series INTEGER, time BIGINT, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE,
    revision INTEGER, until INTEGER);
CREATE TABLE writes (series INTEGER, revision BIGINT, written_at BIGINT, kind VARCHAR, calendar VARCHAR, day BIGINT,
    inserted BIGINT, updated BIGINT, removed BIGINT);
"""
SPLITS = "CREATE TABLE splits (symbol VARCHAR, time BIGINT, factor DOUBLE, set_at BIGINT);"
TABLES = f"""
CREATE TABLE candles (series INTEGER, time BIGINT, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE,
    revision INTEGER);
CREATE TABLE series (id INTEGER, symbol VARCHAR, timeframe VARCHAR, calendar VARCHAR, rows BIGINT, first BIGINT,
    last BIGINT, revision BIGINT, generation BIGINT, written_at BIGINT, purged_revision BIGINT, purged_since BIGINT,
    purged_before BIGINT, retired_revision BIGINT, retired_since BIGINT, retired_before BIGINT);
{HISTORY}
{REVISIONS}
CREATE TABLE quarantine (content VARCHAR, line BIGINT, file VARCHAR, symbol VARCHAR, reason VARCHAR, row VARCHAR,
    refused_at BIGINT);
{SPLITS}
CREATE TABLE candlewick (schema INTEGER);
"""


def upgrade(connection: Any, schema: int) -> None:
    """Bring the tables of an older schema up to this one, in one transaction: all of it or nothing."""
    connection.begin()
    try:
        for step in STEPS[schema - 1 :]:
            step(connection)
        connection.execute("UPDATE candlewick SET schema = ?", [SCHEMA])
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _add_history(connection: Any) -> None:
    """Which days the writes so far touched is not known: they count as one that touched every stored day."""
    connection.execute(HISTORY)
    rows = connection.execute("SELECT id, first, revision FROM series").fetchall()
    if rows:
        stairs = [(number, day_of(first), revision) for number, first, revision in rows]
        connection.executemany("INSERT INTO history VALUES (?, ?, ?)", stairs)


def _add_revisions(connection: Any) -> None:
    """Which write stored a candle is not known: each gets the revision of its series, whose history begins now."""
    now = time.time_ns() // 1000
    connection.execute(REVISIONS)
    known = dict(connection.execute("SELECT id, revision FROM series").fetchall())
    listed = ", ".join(str(known.get(number, 0)) for number in range(max(known, default=-1) + 1))
    # By place in a list: a join would mix up the order of the rows, which decides how fast they are read.
    connection.execute(f"SET VARIABLE revisions = [{listed}]::INTEGER[]")
    connection.execute(
        f"""
        CREATE TABLE upgraded AS SELECT *, getvariable('revisions')[series + 1] AS revision FROM candles;
        DROP TABLE candles;
        ALTER TABLE upgraded RENAME TO candles;
        RESET VARIABLE revisions;
        CREATE TABLE upgraded AS
        SELECT *, {now}::BIGINT AS written_at, revision AS purged_revision, {now}::BIGINT AS purged_since,
            {LAST}::BIGINT AS purged_before, 0::BIGINT AS retired_revision, 0::BIGINT AS retired_since,
            0::BIGINT AS retired_before FROM series;
        DROP TABLE series;
        ALTER TABLE upgraded RENAME TO series;
        INSERT INTO writes
        SELECT history.series, history.revision, {now}, '{UPGRADE}', calendar, day, 0, 0, 0
        FROM history JOIN series ON history.series = series.id;
        """
    )


def _add_splits(connection: Any) -> None:
    connection.execute(SPLITS)


STEPS = (_add_history, _add_revisions, _add_splits)
"""What leads from each schema to the next, from schema 1 on."""
