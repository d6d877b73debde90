"""Postgres known: what a PostgreSQL store held at a moment, read inside one transaction that sees one state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from candlewick.candles import Candles
from candlewick.errors import UnknownSeriesError
from candlewick.moments import Moment
from candlewick.sessions.calendar import find_calendar
from candlewick.store.history import DAY, day_of
from candlewick.store.postgres_rows import select_known
from candlewick.store.postgres_series import records
from candlewick.store.repository import Series, Snapshot, Written, bounds
from candlewick.store.revisions import REWRITING, Note, Trail, absent, check_retired, known, stairs

_NOTE = "revision, written_at, kind, calendar, day, inserted, updated, removed"
_REWRITING = ", ".join(f"'{kind}'" for kind in REWRITING)


class PostgresKnown:
    """The series of a store as known at ``at`` (microseconds UTC)."""

    def __init__(self, cursor: Any, at: int) -> None:
        self._cursor = cursor
        self._at = int(at)

    def note(self, number: int) -> Note:
        """The last write at or before the moment; raises HistoryError, UnknownSeriesError."""
        return self._note(number, *records(self._cursor, [number])[number])

    def candles(self, number: int, start: Moment | None, end: Moment | None) -> Candles:
        """A range of one series; raises HistoryError, UnknownSeriesError."""
        series, trail = records(self._cursor, [number])[number]
        note = self._note(number, series, trail)
        low, high = bounds(note.calendar, start, end)
        check_retired(series, trail, self._at, note, low)
        time, values = select_known(self._cursor, number, note.revision, low, high)
        return Candles.trusted(series.symbol, series.timeframe, find_calendar(note.calendar), time, values)

    def snapshot(self, number: int, start: Moment | None, end: Moment | None) -> Snapshot:
        """The record of one series and a range of it."""
        return Snapshot(self.record(number), self.candles(number, start, end))

    def record(self, number: int) -> Series:
        """The record of one series; raises HistoryError, and UnknownSeriesError where it held no candle."""
        return self._records([number])[0]

    def listed(self, numbers: Sequence[int] | None = None) -> list[Series]:
        """The records of those that held a candle, of all series or these; raises HistoryError."""
        return self._records(numbers, leave_out=True)

    def revision_before(self, number: int, end: int | None) -> int:
        """As `CandleRepository.revision_before` was then."""
        last = self.note(number).revision
        if end is None:
            return last
        query = "SELECT max(revision) FROM writes WHERE series = %s AND revision <= %s AND day <= %s"
        found = self._cursor.execute(query, [number, last, day_of(end - 1)]).fetchall()[0][0]
        return int(found or 0)

    def first_changed(self, number: int, since: int) -> int | None:
        """As `CandleRepository.first_changed` was then."""
        query = "SELECT min(day) FROM writes WHERE series = %s AND revision > %s AND revision <= %s"
        found = self._cursor.execute(query, [number, since, self.note(number).revision]).fetchall()[0][0]
        return None if found is None else int(found) * DAY

    def _note(self, number: int, series: Series, trail: Trail) -> Note:
        query = f"SELECT {_NOTE} FROM writes WHERE series = %s AND written_at <= %s ORDER BY revision DESC LIMIT 1"
        rows = self._cursor.execute(query, [number, self._at]).fetchall()
        came = self._cursor.execute("SELECT min(written_at) FROM writes WHERE series = %s", [number]).fetchall()[0][0]
        return known(series, trail, self._at, Note(*rows[0]) if rows else None, came)

    def _records(self, numbers: Sequence[int] | None = None, *, leave_out: bool = False) -> list[Series]:
        """A few queries, however many series there are. ``leave_out``: those that held no candle, which else raise."""
        if numbers is not None and not numbers:
            return []
        held = records(self._cursor, numbers)
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
            found.append(
                replace(
                    series,
                    calendar=note.calendar,
                    rows=count,
                    first=first,
                    last=last,
                    revision=note.revision,
                    generation=series.generation - later.get(number, 0),
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
                SELECT series, max(revision) AS at FROM writes WHERE written_at <= {self._at} {_among(numbers)}
                GROUP BY series
            ), held AS (
                SELECT series, time FROM candles JOIN known USING (series) WHERE revision <= at {_among(numbers)}
                UNION ALL
                SELECT series, time FROM revisions JOIN known USING (series)
                WHERE revision <= at AND until > at {_among(numbers)}
            )
            SELECT series, count(*), min(time), max(time) FROM held GROUP BY series
        """
        return {row[0]: tuple(row[1:]) for row in self._cursor.execute(query).fetchall()}


def written(cursor: Any, number: int, trail: Trail) -> list[Written]:
    """The writes of a series whose outcome is kept, oldest first."""
    query = f"SELECT {_NOTE} FROM writes WHERE series = %s AND revision >= %s ORDER BY revision"
    return [Note(*row).written for row in cursor.execute(query, [number, trail.purged.revision]).fetchall()]


def purge(cursor: Any, number: int, at: int, trail: Trail) -> tuple[Trail, int]:
    """Remove what was taken away at or before a moment, and the notes that say nothing any more."""
    query = f"SELECT {_NOTE} FROM writes WHERE series = %s AND written_at <= %s ORDER BY revision"
    notes = [Note(*row) for row in cursor.execute(query, [number, at]).fetchall()]
    if not notes or notes[-1].revision <= max(trail.purged.revision, notes[0].revision):
        return trail, 0
    last = notes[-1]
    gone = cursor.execute("DELETE FROM revisions WHERE series = %s AND until <= %s", [number, last.revision]).rowcount
    kept = [note.revision for note in stairs(notes)]
    query = "DELETE FROM writes WHERE series = %s AND revision <= %s AND revision <> ALL(%s::bigint[])"
    cursor.execute(query, [number, last.revision, kept])
    return trail.after_purge(last), int(gone)


def _among(numbers: Sequence[int] | None) -> str:
    return "" if numbers is None else f"AND series IN ({', '.join(str(int(number)) for number in numbers)})"
