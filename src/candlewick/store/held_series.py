"""Held series: one series of a store in memory with all that it was before; a write makes a new one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from candlewick.candles import VALUES, Candles
from candlewick.columnar import Floats, Integers
from candlewick.sessions.calendar import find_calendar
from candlewick.store.catalogue import Entry
from candlewick.store.change import Change, appended, compared
from candlewick.store.entry_after import after_removal, after_write, new_entry
from candlewick.store.notes import Notes
from candlewick.store.revisions import APPEND, Note, stairs
from candlewick.store.room import Room

Mask = npt.NDArray[np.bool_]
Revisions = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Gone:
    """Versions that one write took away: the rows, the revision that stored each, and that of the write."""

    time: Integers
    values: Mapping[str, Floats]
    revision: Revisions
    until: int

    def rows(self, chosen: Mask) -> Gone:
        """The chosen ones."""
        values = {name: column[chosen] for name, column in self.values.items()}
        return Gone(self.time[chosen], values, self.revision[chosen], self.until)


NONE = Notes()
"""Nothing was written yet."""


@dataclass(frozen=True)
class HeldSeries:
    """The candles, the revision of each, the versions that were taken away, and the notes of the writes.

    ``room``: where the candles and revisions are, if more can be written behind them.
    """

    candles: Candles
    revision: Revisions
    gone: tuple[Gone, ...] = ()
    notes: Notes = NONE
    room: Room | None = field(default=None, compare=False)

    def taken(self, chosen: Mask, until: int) -> Gone:
        """The chosen candles as versions that the write ``until`` takes away."""
        values = {name: getattr(self.candles, name)[chosen] for name in VALUES}
        return Gone(self.candles.microseconds[chosen], values, self.revision[chosen], until)

    def last(self, at: int) -> Note | None:
        """The last write at or before a moment."""
        below = bisect_right(self.notes, at, key=lambda note: note.written_at)
        return self.notes[below - 1] if below else None

    def at(self, note: Note) -> Candles:
        """The candles as known at the revision of a note."""
        held, revision = self.candles, note.revision
        if revision >= self.notes[-1].revision:
            return held
        stored = self.taken(self.revision <= revision, 0)
        parts = [stored, *(one.rows(one.revision <= revision) for one in self.gone if one.until > revision)]
        time = np.concatenate([one.time for one in parts])
        order = np.argsort(time)
        values = {name: np.concatenate([one.values[name] for one in parts])[order] for name in VALUES}
        return Candles.trusted(held.symbol, held.timeframe, find_calendar(note.calendar), time[order], values)


HeldEntry = Entry[HeldSeries]


def change_of(entry: HeldEntry | None, candles: Candles) -> Change:
    """What a write of these candles changes."""
    if entry is None or not entry.series.rows or (len(candles) and candles.microseconds[0] > entry.series.last):
        return appended(candles)
    stored = entry.place.candles
    return compared(candles, stored.microseconds, {name: getattr(stored, name) for name in VALUES})


def written(entry: HeldEntry | None, candles: Candles, change: Change, now: int) -> HeldEntry:
    """The entry after a write at ``now`` that changes something."""
    if entry is None:
        entry = new_entry(candles, HeldSeries(candles, _all(0, 0)))
    after, note = after_write(entry, candles, change.counted(candles), now)
    held = entry.place
    notes = held.notes.and_then(note)
    if not entry.series.rows:
        place = HeldSeries(candles, _all(len(candles), note.revision), held.gone, notes)
    elif note.kind == APPEND and note.inserted == len(candles):
        place = _longer(held, candles, note.revision, notes)
    else:
        place = _merged(held, candles, change, note.revision, notes)
    return Entry(after.series, after.history, place, after.trail)


def cut(entry: HeldEntry, low: int | None, high: int | None, now: int, *, for_good: bool) -> HeldEntry:
    """The entry after a deletion of ``low <= time < high``; the same one where there is nothing to delete."""
    held, time = entry.place, entry.place.candles.microseconds
    gone = _between(time, low, high)
    left = entry
    if gone.any():
        stay = time[~gone]
        ends = (int(stay[0]), int(stay[-1])) if len(stay) else (0, 0)
        count, first = int(np.count_nonzero(gone)), int(time[gone.argmax()])
        left, note = after_removal(entry, count, first, ends, now, for_good=for_good)
        versions = held.gone if for_good else (*held.gone, held.taken(gone, note.revision))
        place = HeldSeries(_rows(held.candles, ~gone), held.revision[~gone], versions, held.notes.and_then(note))
        left = replace(left, place=place)
    if not for_good:
        return left
    others = tuple(one.rows(~_between(one.time, low, high)) for one in held.gone)
    if left is entry and _versions(others) == _versions(held.gone):
        return entry
    return replace(
        left, place=replace(left.place, gone=others), trail=left.trail.after_retirement(left.series.revision, high)
    )


def purged(entry: HeldEntry, at: int) -> tuple[HeldEntry, int]:
    """The entry without the versions that were taken away at or before a moment, and how many those are."""
    held = entry.place
    last = held.last(at)
    if last is None or last.revision <= max(entry.trail.purged.revision, held.notes[0].revision):
        return entry, 0
    gone = tuple(one for one in held.gone if one.until > last.revision)
    before = [note for note in held.notes if note.revision <= last.revision]
    notes = Notes([*stairs(before), *held.notes[len(before) :]])
    place = replace(held, gone=gone, notes=notes)
    return replace(entry, place=place, trail=entry.trail.after_purge(last)), _versions(held.gone) - _versions(gone)


def _longer(held: HeldSeries, new: Candles, revision: int, notes: Notes) -> HeldSeries:
    """Both, where all that is new comes after what is held: the usual write, which copies nothing that is there."""
    old, room = held.candles, held.room
    more = {name: getattr(new, name) for name in VALUES}
    more |= {"time": new.microseconds, "revision": revision}
    if room is None or not room.holds(len(old), len(new)):
        columns = {name: getattr(old, name) for name in VALUES}
        room = Room.around(columns | {"time": old.microseconds, "revision": held.revision}, len(new))
    columns = room.extended(more, len(new))
    candles = Candles.trusted(old.symbol, old.timeframe, old.calendar, columns["time"], columns)
    return HeldSeries(candles, columns["revision"], held.gone, notes, room)


def _merged(held: HeldSeries, new: Candles, change: Change, revision: int, notes: Notes) -> HeldSeries:
    """Both, sorted; a new candle takes the place of a different one, an equal one stays the version that it is."""
    old = held.candles
    new = _rows(new, change.new | change.different)
    replaced = np.isin(old.microseconds, new.microseconds, assume_unique=True)
    gone = (*held.gone, held.taken(replaced, revision)) if change.upserted.updated else held.gone
    time = np.concatenate([old.microseconds[~replaced], new.microseconds])
    order = np.argsort(time)
    values = {name: np.concatenate([getattr(old, name)[~replaced], getattr(new, name)])[order] for name in VALUES}
    candles = Candles.trusted(old.symbol, old.timeframe, old.calendar, time[order], values)
    revisions = np.concatenate([held.revision[~replaced], _all(len(new), revision)])[order]
    return HeldSeries(candles, revisions, gone, notes)


def _all(count: int, revision: int) -> Revisions:
    return np.full(count, revision, np.int32)


def _rows(candles: Candles, chosen: Mask) -> Candles:
    values = {name: getattr(candles, name)[chosen] for name in VALUES}
    time = candles.microseconds[chosen]
    return Candles.trusted(candles.symbol, candles.timeframe, candles.calendar, time, values)


def _versions(gone: tuple[Gone, ...]) -> int:
    return sum(len(one.time) for one in gone)


def _between(time: Integers, low: int | None, high: int | None) -> Mask:
    inside = np.ones(len(time), np.bool_)
    if low is not None:
        inside &= time >= low
    if high is not None:
        inside &= time < high
    return inside
