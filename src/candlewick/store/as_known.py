"""As known: what a store in a database held at a moment, in statements that DuckDB and PostgreSQL both understand.

All of it is read inside one transaction, so that no half of a write or of a purge is seen. Numbers stand in the
statements themselves, because the two databases mark parameters differently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from candlewick.candles import Candles
from candlewick.columnar import Floats, Integers
from candlewick.errors import UnknownSeriesError
from candlewick.moments import Moment
from candlewick.sessions.calendar import find_calendar
from candlewick.store.history import DAY, day_of
from candlewick.store.repository import Series, Written, bounds
from candlewick.store.revisions import REWRITING, Note, Trail, absent, check_retired, known, stairs

_NOTE = "revision, written_at, kind, calendar, day, inserted, updated, removed"
_REWRITING = ", ".join(f"'{kind}'" for kind in REWRITING)


class Records(Protocol):
    """How a database gives the records of series as a transaction sees them, by number; None: of all."""

    def __call__(self, cursor: Any, numbers: Sequence[int] | None = None, /) -> Mapping[int, tuple[Series, Trail]]:
        """Of those that there are."""


class Select(Protocol):
    """How a database gives the candles of a series in ``low <= time < high`` as known at a revision."""

    def __call__(
        self, cursor: Any, number: int, revision: int, low: int | None, high: int | None, /
    ) -> tuple[Integers, dict[str, Floats]]:
        """Times and values, sorted."""


class AsKnown:
    """The series of a store as known at ``at`` (microseconds UTC). ``cursor``: inside a transaction that reads."""

    def __init__(self, cursor: Any, at: int, records: Records) -> None:
        self._cursor = cursor
        self._at = int(at)
        self._read = records

    def listed(self, numbers: Sequence[int] | None = None) -> list[Series]:
        """The records of those that held a candle, of all series or these; raises HistoryError."""
        return self._records(numbers, leave_out=True)

    def _records(self, numbers: Sequence[int] | None = None, *, leave_out: bool = False) -> list[Series]:
        """A few queries, however many series there are. ``leave_out``: those that held no candle, which else raise."""
        if numbers is not None and not numbers:
            return []
        held = self._read(self._cursor, numbers)
        notes, came, later = self._notes(numbers)
        rows = self._rows(numbers)
        found = []
        for number in sorted(held, key=lambda number: (held[number][0].symbol, held[number][0].timeframe)):
            series, trail = held[number]
            try:
                note = known(series, trail, self._at, notes.get(number), came[number])
                check_retired(series, trail, self._at, note, None)
                if number not in rows:
                    raise absent(series, self._at, "had been deleted")
            except UnknownSeriesError:
                if leave_out:
                    continue
                raise
            count, first, last = rows[number]
            generation = series.generation - later.get(number, 0)
            found.append(
                replace(
                    series,
                    calendar=note.calendar,
                    rows=count,
                    first=first,
                    last=last,
                    revision=note.revision,
                    generation=generation,
                )
            )
        return found

    def _notes(self, numbers: Sequence[int] | None) -> tuple[dict[int, Note], dict[int, int], dict[int, int]]:
        """By series: the last write at or before the moment, when the first one came, how many later ones rewrote."""
        query = f"""
            SELECT DISTINCT ON (series) series, {_NOTE} FROM writes
            WHERE written_at <= {self._at} {_among(numbers)} ORDER BY series, revision DESC
        """
        notes = {row[0]: Note(*row[1:]) for row in self._cursor.execute(query).fetchall()}
        query = f"""
            SELECT series, min(written_at), count(*) FILTER (WHERE written_at > {self._at} AND kind IN ({_REWRITING}))
            FROM writes WHERE true {_among(numbers)} GROUP BY series
        """
        rows = self._cursor.execute(query).fetchall()
        return notes, {row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows}

    def _rows(self, numbers: Sequence[int] | None) -> dict[int, tuple[int, int, int]]:
        """How many candles each series held, the first and the last time; none of those that held none."""
        query = f"""
            WITH known AS (
                SELECT series, max(revision) AS newest FROM writes WHERE written_at <= {self._at} {_among(numbers)}
                GROUP BY series
            ), held AS (
                SELECT series, time FROM candles JOIN known USING (series) WHERE revision <= newest {_among(numbers)}
                UNION ALL
                SELECT series, time FROM revisions JOIN known USING (series)
                WHERE revision <= newest AND until > newest {_among(numbers)}
            )
            SELECT series, count(*), min(time), max(time) FROM held GROUP BY series
        """
        return {row[0]: tuple(row[1:]) for row in self._cursor.execute(query).fetchall()}


class SeriesAsKnown(AsKnown):
    """One series as known at a moment: a `candlewick.store.catalogued.SeriesThen`."""

    def __init__(self, cursor: Any, at: int, records: Records, select: Select, number: int) -> None:
        super().__init__(cursor, at, records)
        self._select = select
        self._number = int(number)

    def note(self) -> Note:
        return self._note(*self._held())

    def record(self) -> Series:
        return self._records([self._number])[0]

    def candles(self, start: Moment | None, end: Moment | None) -> Candles:
        series, trail = self._held()
        note = self._note(series, trail)
        low, high = bounds(note.calendar, start, end)
        check_retired(series, trail, self._at, note, low)
        time, values = self._select(self._cursor, self._number, note.revision, low, high)
        return Candles.trusted(series.symbol, series.timeframe, find_calendar(note.calendar), time, values)

    def revision_before(self, end: int | None) -> int:
        last = self.note().revision
        if end is None:
            return last
        where = f"series = {self._number} AND revision <= {last} AND day <= {day_of(end - 1)}"
        return int(self._one(f"SELECT max(revision) FROM writes WHERE {where}") or 0)

    def first_changed(self, since: int) -> int | None:
        where = f"series = {self._number} AND revision > {int(since)} AND revision <= {self.note().revision}"
        found = self._one(f"SELECT min(day) FROM writes WHERE {where}")
        return None if found is None else int(found) * DAY

    def _held(self) -> tuple[Series, Trail]:
        return self._read(self._cursor, [self._number])[self._number]

    def _note(self, series: Series, trail: Trail) -> Note:
        where = f"series = {self._number} AND written_at <= {self._at}"
        query = f"SELECT {_NOTE} FROM writes WHERE {where} ORDER BY revision DESC LIMIT 1"
        rows = self._cursor.execute(query).fetchall()
        came = self._one(f"SELECT min(written_at) FROM writes WHERE series = {self._number}")
        return known(series, trail, self._at, Note(*rows[0]) if rows else None, came)

    def _one(self, query: str) -> Any:
        return self._cursor.execute(query).fetchall()[0][0]


def written(cursor: Any, number: int, trail: Trail) -> list[Written]:
    """The writes of a series whose outcome is kept, oldest first."""
    where = f"series = {int(number)} AND revision >= {trail.purged.revision}"
    rows = cursor.execute(f"SELECT {_NOTE} FROM writes WHERE {where} ORDER BY revision").fetchall()
    return [Note(*row).written for row in rows]


def purge(cursor: Any, number: int, at: int, trail: Trail) -> tuple[Trail, int]:
    """Remove what was taken away at or before a moment, and the notes that say nothing any more.

    The series is locked, so what is counted is what is removed.
    """
    where = f"series = {int(number)}"
    query = f"SELECT {_NOTE} FROM writes WHERE {where} AND written_at <= {int(at)} ORDER BY revision"
    notes = [Note(*row) for row in cursor.execute(query).fetchall()]
    if not notes or notes[-1].revision <= max(trail.purged.revision, notes[0].revision):
        return trail, 0
    last = notes[-1]
    gone = f"FROM revisions WHERE {where} AND until <= {last.revision}"
    count = cursor.execute(f"SELECT count(*) {gone}").fetchall()[0][0]
    cursor.execute(f"DELETE {gone}")
    kept = ", ".join(str(note.revision) for note in stairs(notes))
    cursor.execute(f"DELETE FROM writes WHERE {where} AND revision <= {last.revision} AND revision NOT IN ({kept})")
    return trail.after_purge(last), int(count)


def _among(numbers: Sequence[int] | None) -> str:
    return "" if numbers is None else f"AND series IN ({', '.join(str(int(number)) for number in numbers)})"
