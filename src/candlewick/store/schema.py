"""Schema: the tables of a DuckDB store, and how an older store is brought up to them.

1. candles, series, quarantine.
2. history: the days that the writes to a series touched (`store/history.py`).
"""

from __future__ import annotations

from typing import Any

from candlewick.store.history import day_of

SCHEMA = 2
"""Version of the tables below; a store with a higher one was written by a newer candlewick."""

HISTORY = "CREATE TABLE history (series INTEGER, day BIGINT, revision BIGINT);"
TABLES = f"""
CREATE TABLE candles (series INTEGER, time BIGINT, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE);
CREATE TABLE series (id INTEGER, symbol VARCHAR, timeframe VARCHAR, calendar VARCHAR, rows BIGINT, first BIGINT,
    last BIGINT, revision BIGINT, generation BIGINT);
{HISTORY}
CREATE TABLE quarantine (content VARCHAR, line BIGINT, file VARCHAR, symbol VARCHAR, reason VARCHAR, row VARCHAR,
    refused_at BIGINT);
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


STEPS = (_add_history,)
"""What leads from each schema to the next, from schema 1 on."""
