"""Postgres removal: what a deletion and a purge take from the tables, of any number of series at once.

Each is a few statements, however many series it is about: one by one, thousands of small series take a minute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from candlewick.store.catalogue import Entry
from candlewick.store.entry_after import after_removal
from candlewick.store.postgres_series import Fresh, Held, numbers
from candlewick.store.revisions import Note

SERIES = 500
"""Series of one transaction at most: their writers wait for it."""

ROWS = 500_000
"""Candles that these hold, about."""

_ALL = (-(2**63), 2**63 - 1)
_CUT = (
    "cut AS (SELECT * FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::int[]) AS f(id, low, high, revision_gone))"
)
_WITHIN = "series = cut.id AND time >= cut.low AND time < cut.high"
_DUE = "due AS (SELECT * FROM unnest(%s::int[], %s::bigint[]) AS f(id, last))"
_NOTE = ", ".join(f"w.{name}" for name in Note._fields)


class Cut(NamedTuple):
    """The candles of a series in ``low <= time < high``; None: no bound."""

    entry: Entry[Held]
    low: int | None
    high: int | None


def remove(cursor: Any, cuts: Sequence[Cut], now: int, *, for_good: bool) -> list[Fresh]:
    """Delete ranges of series; every candle that is deleted passes here."""
    first, last = _ALL
    sent = [
        numbers([one.entry.place.id for one in cuts]),
        numbers([first if one.low is None else one.low for one in cuts]),
        numbers([last if one.high is None else one.high for one in cuts]),
        numbers([one.entry.series.revision + 1 for one in cuts]),
    ]
    deleted = f"gone AS (DELETE FROM candles USING cut WHERE {_WITHIN} RETURNING candles.*)"
    kept = (
        ", kept AS (INSERT INTO revisions SELECT gone.*, cut.revision_gone FROM gone JOIN cut ON cut.id = gone.series)"
    )
    found = cursor.execute(
        f"WITH {_CUT}, {deleted}{'' if for_good else kept} "
        "SELECT series, count(*), min(time) FROM gone GROUP BY series",
        sent,
    ).fetchall()
    gone = {number: (count, earliest) for number, count, earliest in found}
    left = _left(cursor, list(gone))
    versions = _versions(cursor, sent) if for_good else set()
    done = []
    for entry, _, high in cuts:
        number, after, note = entry.place.id, entry, None
        if number in gone:
            after, note = after_removal(entry, *gone[number], left[number], now, for_good=for_good)
        if for_good and (number in versions or note is not None):
            after = replace(after, trail=after.trail.after_retirement(after.series.revision, high))
        done.append(Fresh(entry, after, note))
    return done


def purge(cursor: Any, entries: Sequence[Entry[Held]], at: int) -> tuple[list[Fresh], int]:
    """Remove the versions that were replaced or deleted at or before a moment, and the notes that say nothing any more.

    Returns the series as they are then, and how many versions went.
    """
    held = {entry.place.id: entry for entry in entries}
    query = f"""
        SELECT w.series, known.first, {_NOTE} FROM writes w JOIN (
            SELECT series, min(revision) AS first, max(revision) AS last FROM writes
            WHERE series = ANY(%s::int[]) AND written_at <= {int(at)} GROUP BY series
        ) known ON w.series = known.series AND w.revision = known.last
    """
    due = {}
    for number, first, *note in cursor.execute(query, [numbers(list(held))]).fetchall():
        last = Note(*note)
        if last.revision > max(held[number].trail.purged.revision, first):
            due[number] = last
    if not due:
        return [], 0
    sent = [numbers(list(due)), numbers([last.revision for last in due.values()])]
    gone = "DELETE FROM revisions USING due WHERE series = due.id AND until <= due.last RETURNING 1"
    count = cursor.execute(f"WITH {_DUE}, gone AS ({gone}) SELECT count(*) FROM gone", sent).fetchall()[0][0]
    # As `revisions.stairs`: a note is hidden by a later one of the same day or an earlier one.
    cursor.execute(
        f"""
        WITH {_DUE}, seen AS (
            SELECT w.series, w.revision, w.day, min(w.day) OVER (
                PARTITION BY w.series ORDER BY w.revision DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS later
            FROM writes w JOIN due ON w.series = due.id AND w.revision <= due.last
        )
        DELETE FROM writes w USING seen
        WHERE w.series = seen.series AND w.revision = seen.revision AND seen.later <= seen.day
        """,
        sent,
    )
    done = [
        Fresh(held[number], replace(held[number], trail=held[number].trail.after_purge(last)), None)
        for number, last in due.items()
    ]
    return done, int(count)


def groups(entries: Sequence[Entry[Held]]) -> Iterator[list[Entry[Held]]]:
    """The series in groups, one for a transaction each: of so many series and candles at most, or of one series."""
    group: list[Entry[Held]] = []
    rows = 0
    for entry in entries:
        if group and (len(group) == SERIES or rows + entry.series.rows > ROWS):
            yield group
            group, rows = [], 0
        group.append(entry)
        rows += entry.series.rows
    if group:
        yield group


def _left(cursor: Any, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """First and last time of what series hold; zeros of none."""
    ends = ", ".join(f"coalesce((SELECT {end}(time) FROM candles WHERE series = f.id), 0)" for end in ("min", "max"))
    query = f"SELECT f.id, {ends} FROM unnest(%s::int[]) AS f(id)"
    return {number: (first, last) for number, first, last in cursor.execute(query, [numbers(ids)]).fetchall()}


def _versions(cursor: Any, sent: Sequence[str]) -> set[int]:
    """Delete the earlier versions too; which series had any."""
    gone = f"gone AS (DELETE FROM revisions USING cut WHERE {_WITHIN} RETURNING series)"
    rows = cursor.execute(f"WITH {_CUT}, {gone} SELECT DISTINCT series FROM gone", sent).fetchall()
    return {row[0] for row in rows}
