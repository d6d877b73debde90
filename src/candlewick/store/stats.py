"""Stats: how much a store holds, and how much of it compacting would mend."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Stats:
    """What a store holds. ``bytes``: on disk, its log among them; None for a store in memory.

    ``out_of_order``: candles behind one that is read after them; None where the order of rows does not matter.
    ``dead``: the share (0 to 1) of the store that holds nothing any more; None where that is not known.
    """

    store: str
    series: int
    rows: int
    revisions: int = 0
    writes: int = 0
    quarantined: int = 0
    bytes: int | None = None
    out_of_order: int | None = None
    dead: float | None = None

    @property
    def disorder(self) -> float:
        """The share of the candles that lie out of order, 0 to 1."""
        return self.out_of_order / self.rows if self.out_of_order and self.rows else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        share = None if self.out_of_order is None else self.disorder
        return {**asdict(self), "out_of_order_share": share}


COUNTS = """
    SELECT (SELECT count(*) FROM series WHERE rows > 0), (SELECT count(*) FROM candles),
        (SELECT count(*) FROM revisions), (SELECT count(*) FROM writes), (SELECT count(*) FROM quarantine)
"""

# Without ORDER BY the window streams over the rows as they lie, so that memory stays small.
_DISORDER = """
    SELECT count(*) FROM (
        SELECT place, max(place) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS highest
        FROM (SELECT series::HUGEINT * 18446744073709551616 + time AS place FROM candles)
    ) WHERE place < highest
"""

_DEAD = """
    SELECT coalesce(sum(n_dead_tup)::float8 / nullif(sum(n_dead_tup + n_live_tup), 0), 0)
    FROM pg_stat_user_tables WHERE schemaname = current_schema()
"""
_SIZE = """
    SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
"""


def duckdb_stats(cursor: Any, url: str, path: Path) -> Stats:
    """Of a DuckDB store, whose cursor is inside a transaction that reads."""
    counts = cursor.execute(COUNTS).fetchall()[0]
    disorder = cursor.execute(_DISORDER).fetchall()[0][0]
    total, free = cursor.execute("SELECT total_blocks, free_blocks FROM pragma_database_size()").fetchall()[0]
    log = path.with_name(f"{path.name}.wal")
    size = sum(one.stat().st_size for one in (path, log) if one.exists())
    dead = free / total if total else 0.0
    return replace(Stats(url, *counts), bytes=size, out_of_order=int(disorder), dead=dead)


def postgres_stats(cursor: Any, url: str) -> Stats:
    """Of a PostgreSQL store. What is dead is what the database has counted so far, which may be some seconds old."""
    counts = cursor.execute(COUNTS).fetchall()[0]
    size, dead = (cursor.execute(query).fetchall()[0][0] for query in (_SIZE, _DEAD))
    return replace(Stats(url, *counts), bytes=size, dead=float(dead))
