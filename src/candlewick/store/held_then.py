"""Held then: one series of a store in memory as it was known at a moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from candlewick.candles import Candles
from candlewick.errors import UnknownSeriesError
from candlewick.moments import Moment
from candlewick.store.held_series import HeldEntry
from candlewick.store.history import DAY, day_of
from candlewick.store.repository import Series, bounds
from candlewick.store.revisions import REWRITING, Note, absent, check_retired, known


class HeldThen:
    """A `candlewick.store.catalogued.SeriesThen` of an entry, which never changes, at ``at`` (microseconds UTC)."""

    def __init__(self, entry: HeldEntry, at: int) -> None:
        self._entry = entry
        self._at = at

    def note(self) -> Note:
        held = self._entry.place
        return known(self._entry.series, self._entry.trail, self._at, held.last(self._at), held.notes[0].written_at)

    def candles(self, start: Moment | None, end: Moment | None) -> Candles:
        note = self.note()
        low, high = bounds(note.calendar, start, end)
        check_retired(self._entry.series, self._entry.trail, self._at, note, low)
        return self._entry.place.at(note).between(low, high)

    def record(self) -> Series:
        entry, note = self._entry, self.note()
        check_retired(entry.series, entry.trail, self._at, note, None)
        time = entry.place.at(note).microseconds
        if not len(time):
            raise absent(entry.series, self._at, "had been deleted")
        later = [one for one in entry.place.notes if one.revision > note.revision]
        return replace(
            entry.series,
            calendar=note.calendar,
            rows=len(time),
            first=int(time[0]),
            last=int(time[-1]),
            revision=note.revision,
            generation=entry.series.generation - sum(one.kind in REWRITING for one in later),
        )

    def revision_before(self, end: int | None) -> int:
        last = self.note().revision
        if end is None:
            return last
        notes = (one for one in self._entry.place.notes if one.revision <= last and one.day <= day_of(end - 1))
        return max((one.revision for one in notes), default=0)

    def first_changed(self, since: int) -> int | None:
        last = self.note().revision
        days = [one.day for one in self._entry.place.notes if since < one.revision <= last]
        return min(days) * DAY if days else None


def records_then(entries: Iterable[HeldEntry], at: int) -> list[Series]:
    """The records of those that held a candle at a moment; raises HistoryError."""
    found = []
    for entry in entries:
        try:
            found.append(HeldThen(entry, at).record())
        except UnknownSeriesError:
            continue
    return found
