"""PostgresThen: a PostgreSQL store as known at a moment that may be just now, while others write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from candlewick.moments import Moment
from candlewick.store.as_known import AsKnown
from candlewick.store.catalogue import Catalogue, Entry
from candlewick.store.postgres_link import PostgresLink
from candlewick.store.postgres_rows import select_known
from candlewick.store.postgres_series import Held, records, settle
from candlewick.store.revisions import moment_known
from candlewick.timeframe import Timeframe


class PostgresThen:
    """``current`` gives what is known of the series now, and raises what the store raises."""

    def __init__(self, link: PostgresLink, current: Callable[[], Catalogue[Held]]) -> None:
        self._link = link
        self._current = current

    @contextmanager
    def one(
        self, symbol: str, timeframe: str | Timeframe, at: Moment, parameter: str = "as_of"
    ) -> Iterator[tuple[AsKnown, int]]:
        """What was known of a series, and its number there; raises UnknownSeriesError where it never was."""
        number = self._current().ever(symbol, Timeframe.parse(timeframe)).place.id
        with self._known(at, [number], parameter) as then:
            yield then, number

    @contextmanager
    def some(self, entries: Sequence[Entry[Held]], at: Moment) -> Iterator[tuple[AsKnown, list[int]]]:
        """What was known of these series, and their numbers there."""
        numbers = [entry.place.id for entry in entries]
        with self._known(at, numbers) as then:
            yield then, numbers

    @contextmanager
    def all(self, at: Moment) -> Iterator[AsKnown]:
        """What was known of every series."""
        self._current()
        with self._known(at, None) as then:
            yield then

    @contextmanager
    def _known(self, at: Moment, numbers: list[int] | None, parameter: str = "as_of") -> Iterator[AsKnown]:
        """Without the writes that are under way just now, a moment that is over could still come to mean one more."""
        when = moment_known(at, parameter)
        if numbers != []:
            with self._link.borrow() as cursor:
                settle(cursor, numbers)
        with self._link.reading() as cursor:
            yield AsKnown(cursor, when, records, select_known)
