"""DuckDB quarantine: the statements that keep refused rows in a DuckDB store, inside a given cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from candlewick.store.candle_table import table_of
from candlewick.store.repository import QuarantinedRow

_COLUMNS = ("content", "line", "file", "symbol", "reason", "row", "refused_at")
_NAMES = ", ".join(_COLUMNS)


def refuse(cursor: Any, rows: Sequence[QuarantinedRow]) -> int:
    """Keep rows except those whose (content, line) is kept already; how many are new."""
    unique = {(row.content, row.line): row for row in reversed(rows)}
    columns = zip(*(astuple(row) for row in unique.values()), strict=True)
    cursor.register("refused", table_of({name: list(column) for name, column in zip(_COLUMNS, columns, strict=True)}))
    query = f"INSERT INTO quarantine SELECT {_NAMES} FROM refused ANTI JOIN quarantine USING (content, line)"
    return int(cursor.execute(query).fetchall()[0][0])


def quarantined(cursor: Any, symbol: str | None) -> list[QuarantinedRow]:
    """The refused rows, by file, then content, then line; of one symbol when given."""
    where, given = ("", []) if symbol is None else ("WHERE symbol = ?", [symbol])
    rows = cursor.execute(f"SELECT {_NAMES} FROM quarantine {where} ORDER BY file, content, line", given).fetchall()
    return [QuarantinedRow(*row) for row in rows]
