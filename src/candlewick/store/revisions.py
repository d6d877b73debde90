"""Revisions: which write a moment means, and from when on that is known; decided in one place for every store.

1. Each write is noted (`Note`) under the series' lock at `Trail.next`: the clock's time, but above that of the write
   before it, so that a moment is that of one revision, whatever the clock does.
2. A candle carries the revision of the write that stored it; one that is replaced or deleted moves to the revisions,
   with the revision that it had and ``until``, that of the write that took it away.
3. As known at revision R: the candles with ``revision <= R``, and those moved with ``revision <= R < until``.
4. What was removed for good raises a `Floor`: below it nothing is answered (`known`), rather than a part of it.
"""

from __future__ import annotations

from typing import NamedTuple

from candlewick.errors import HistoryError, NaiveTimeError, UnknownSeriesError
from candlewick.moments import LAST, Moment, moment
from candlewick.store.repository import Series, Written, iso

APPEND, CHANGE, DELETE, RETIRE, UPGRADE = "append", "change", "delete", "retire", "upgrade"
"""What `Written.kind` may be."""

REWRITING = (CHANGE, DELETE, RETIRE)
"""The kinds with which a series' generation rises."""


class Note(NamedTuple):
    """A write as it is kept: ``day`` is the earliest UTC day that it touched, ``calendar`` that of the series then."""

    revision: int
    written_at: int
    kind: str
    calendar: str
    day: int
    inserted: int = 0
    updated: int = 0
    removed: int = 0

    @property
    def written(self) -> Written:
        """As `CandleRepository.writes` gives it."""
        return Written(self.revision, self.written_at, self.kind, self.inserted, self.updated, self.removed)


class Floor(NamedTuple):
    """As of revisions below ``revision``, which was written at ``since``, candles before ``before`` are not kept."""

    revision: int = 0
    since: int = 0
    before: int = 0


NONE = Floor()
"""Nothing was removed for good."""


class Trail(NamedTuple):
    """What a store has at hand about the writes of a series. ``written_at``: of the newest write.

    ``purged``: below it no version is kept, of any candle. ``retired``: below it those before a time are not.
    """

    written_at: int = 0
    purged: Floor = NONE
    retired: Floor = NONE

    def next(self, now: int) -> int:
        """When a write is noted that comes at ``now``: one microsecond on where the clock stands still or goes back."""
        return max(now, self.written_at + 1)

    def noted(self, written_at: int) -> Trail:
        """After a write."""
        return Trail(written_at, self.purged, self.retired)

    def after_purge(self, last: Note) -> Trail:
        """After what was moved at or before the write ``last`` went."""
        return self._replace(purged=Floor(last.revision, last.written_at, LAST))

    def after_retirement(self, revision: int, end: int | None) -> Trail:
        """After every version of the candles before ``end`` went, the newest write being ``revision``."""
        before = LAST if end is None else end
        return self._replace(retired=Floor(revision, self.written_at, max(before, self.retired.before)))


NEW = Trail()
"""Of a series that was not written to."""


def moment_known(at: Moment, parameter: str = "as_of") -> int:
    """A moment as of which something is asked, in microseconds UTC; a bare date is none. Raises NaiveTimeError."""
    try:
        return moment(at, parameter)
    except NaiveTimeError:
        raise NaiveTimeError(parameter, at) from None


def known(series: Series, trail: Trail, at: int, last: Note | None, came: int) -> Note:
    """The write that a moment means. ``last``: the last one at or before it; ``came``: when the first one kept was.

    Raises HistoryError before what is kept, UnknownSeriesError before the series came.
    """
    if trail.purged.revision and at < trail.purged.since:
        since = iso(trail.purged.since)
        expected = f"what was stored of {series.symbol} {series.timeframe} is known from {since} on"
        raise HistoryError(iso(at), since, expected)
    if last is None:
        raise absent(series, at, f"came at {iso(came)}")
    return last


def check_retired(series: Series, trail: Trail, at: int, note: Note, low: int | None) -> None:
    """Raise HistoryError where candles from ``low`` on (None: the whole series) are asked as of when some are gone."""
    floor = trail.retired
    if note.revision < floor.revision and (low is None or low < floor.before):
        since = iso(floor.since)
        where = "its candles" if floor.before >= LAST else f"its candles before {iso(floor.before)}"
        expected = f"{where} were removed for good: all of {series.symbol} {series.timeframe} is known from {since} on"
        raise HistoryError(iso(at), since, expected)


def absent(series: Series, at: int, why: str) -> UnknownSeriesError:
    """The error for a series that held no candle at a moment."""
    problem = f"had no {series.timeframe} candles as of {iso(at)}: they {why}"
    return UnknownSeriesError("symbol", series.symbol, problem=problem)


def stairs(notes: list[Note]) -> list[Note]:
    """Of notes in ascending order, those that still say something about the touched days: each one that no later note
    with an earlier or the same day hides. The last one is always among them."""
    kept: list[Note] = []
    for note in notes:
        while kept and kept[-1].day >= note.day:
            kept.pop()
        kept.append(note)
    return kept
