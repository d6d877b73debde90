"""Postgres quarantine: the statements that keep refused rows in a PostgreSQL store, inside a given cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from candlewick.store.repository import QuarantinedRow

_NAMES = "content, line, file, symbol, reason, row, refused_at"
_TAKEN = "%s::text[], %s::bigint[], %s::text[], %s::bytea[], %s::text[], %s::bytea[], %s::bigint[]"


def refuse(cursor: Any, rows: Sequence[QuarantinedRow]) -> int:
    """Keep rows except those whose (content, line) is kept already; how many are new.

    In the order of their identity, so that two who keep the same rows never wait for each other in a circle.
    """
    unique = {(one.content, one.line): one for one in reversed(rows)}
    columns = zip(*(_sent(unique[key]) for key in sorted(unique)), strict=True)
    query = f"INSERT INTO quarantine ({_NAMES}) SELECT * FROM unnest({_TAKEN}) ON CONFLICT DO NOTHING"
    cursor.execute(query, [list(column) for column in columns])
    return int(cursor.rowcount)


def quarantined(cursor: Any, symbol: str | None) -> list[QuarantinedRow]:
    """The refused rows, by file, then content, then line; of one symbol when given."""
    where, given = ("", []) if symbol is None else ("WHERE symbol = %s", [_bytes(symbol)])
    rows = cursor.execute(f"SELECT {_NAMES} FROM quarantine {where} ORDER BY file, content, line", given).fetchall()
    return [
        QuarantinedRow(content, line, file, _text(name), reason, _text(row), at)
        for content, line, file, name, reason, row, at in rows
    ]


def _sent(one: QuarantinedRow) -> tuple[Any, ...]:
    return one.content, one.line, one.file, _bytes(one.symbol), one.reason, _bytes(one.row), one.at


def _bytes(text: str) -> bytes:
    """PostgreSQL's text holds no NUL, and a refused row may hold anything."""
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return bytes(data).decode("utf-8", "surrogatepass")
