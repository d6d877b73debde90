"""Postgres then: a PostgreSQL store as known at a moment that may be just now, while others write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from candlewick.store.as_known import AsKnown, SeriesAsKnown
from candlewick.store.postgres_link import PostgresLink
from candlewick.store.postgres_rows import select_known
from candlewick.store.postgres_series import records, settle
from candlewick.store.repository import Series


@contextmanager
def series_then(link: PostgresLink, number: int, at: int) -> Iterator[SeriesAsKnown]:
    """One series as known at a moment."""
    with _settled(link, [number]) as cursor:
        yield SeriesAsKnown(cursor, at, records, select_known, number)


def records_then(link: PostgresLink, numbers: Sequence[int] | None, at: int) -> list[Series]:
    """The records of those of these series, None: of all, that held a candle at a moment; raises HistoryError."""
    with _settled(link, numbers) as cursor:
        return AsKnown(cursor, at, records).listed(numbers)


@contextmanager
def _settled(link: PostgresLink, numbers: Sequence[int] | None) -> Iterator[Any]:
    """Without the writes that are under way just now, a moment that is over could still come to mean one more."""
    if numbers is None or numbers:
        with link.borrow() as cursor:
            settle(cursor, numbers)
    with link.reading() as cursor:
        yield cursor
