"""Open: the one place where the address of a control journal is turned into a journal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from candlewick.clock import Clock
from candlewick.delivery.flags import Value
from candlewick.delivery.journal import ControlJournal
from candlewick.postgres_address import is_postgres


def open_journal(
    place: Path | str | None, *, base: Mapping[str, tuple[Value, str]] | None = None, clock: Clock | None = None
) -> ControlJournal:
    """The journal in a file, in a database (``postgresql://...``), or for None in the memory of this process."""
    if isinstance(place, str) and is_postgres(place):
        from candlewick.delivery.postgres_journal import PostgresJournal

        return PostgresJournal(place, base=base, clock=clock)
    return ControlJournal(place, base=base, clock=clock)
