"""Split table: the statements that keep split factors in a database, inside a given cursor.

The same ones serve DuckDB and PostgreSQL, whose marks for what is given differ (`mark`).
"""

from __future__ import annotations

from typing import Any

from candlewick.store.splits import Split


def kept(cursor: Any) -> dict[str, tuple[Split, ...]]:
    """The factors of every symbol that has any, oldest first."""
    found: dict[str, tuple[Split, ...]] = {}
    for symbol, time, factor in cursor.execute(
        "SELECT symbol, time, factor FROM splits ORDER BY symbol, time"
    ).fetchall():
        found[symbol] = (*found.get(symbol, ()), Split(time, factor))
    return found


def keep(cursor: Any, mark: str, symbol: str, time: int, factor: float | None, now: int) -> None:
    """Put a factor in the place of the one of that moment, or remove it where it is None."""
    cursor.execute(f"DELETE FROM splits WHERE symbol = {mark} AND time = {mark}", [symbol, time])
    if factor is not None:
        given = ", ".join([mark] * 4)
        cursor.execute(
            f"INSERT INTO splits (symbol, time, factor, set_at) VALUES ({given})", [symbol, time, factor, now]
        )
