"""IndicatorCache: views of series and finished answers, bounded in bytes, with counts of what look-ups found."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import RLock

from candlewick.cache.remembered import Encoded, Remembered
from candlewick.cache.series_view import Look, SeriesView
from candlewick.timeframe import Timeframe

ANSWERS = 64
"""Finished answers kept for one view."""

SHARE = 32
"""An answer whose columns take more than this part of the limit is not kept: it would push out a hundred others."""


@dataclass(frozen=True)
class ViewKey:
    """What a view is of. ``sessions``: the calendar's version."""

    symbol: str
    source: Timeframe
    timeframe: Timeframe
    zero_volume: str
    calendar: str
    sessions: str


@dataclass(frozen=True)
class CacheStats:
    """Look-ups by what they found since the start, and what is held now.

    ``bytes``: of columns with their spare room, states, checkpoints, answers and their encoded forms. ``entries``:
    views held; ``evictions``: views that were let go for room.
    """

    hits: int = 0
    extensions: int = 0
    misses: int = 0
    bytes: int = 0
    entries: int = 0
    evictions: int = 0

    @property
    def lookups(self) -> int:
        """Requests answered."""
        return self.hits + self.extensions + self.misses

    @property
    def hit_rate(self) -> float | None:
        """(hits + extensions) / look-ups; None before the first."""
        return (self.hits + self.extensions) / self.lookups if self.lookups else None


class _Entry:
    """A view with its answers, the least recently used first, and its bytes as they were last counted."""

    def __init__(self, key: ViewKey, view: SeriesView) -> None:
        self.key = key
        self.view = view
        self.bytes = 0
        self.answers: OrderedDict[Hashable, Remembered] = OrderedDict()


class IndicatorCache:
    """At most ``limit`` bytes once a request is done. Least recently used views go first, with their answers.

    A view larger than the limit serves its request and is let go. Every method may be called from several threads.
    """

    def __init__(self, limit: int) -> None:
        self._lock = RLock()
        self._limit = limit
        self._entries: OrderedDict[ViewKey, _Entry] = OrderedDict()
        self._answers: dict[Hashable, tuple[_Entry, Remembered]] = {}
        self._counts = dict.fromkeys(Look, 0)
        self._bytes = 0
        self._evictions = 0

    def view(self, key: ViewKey, make: Callable[[], SeriesView]) -> SeriesView:
        """The view of that key, made now when there is none."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry(key, make())
            self._entries.move_to_end(key)
            return entry.view

    def settle(self, key: ViewKey, view: SeriesView) -> None:
        """Count a view again after it was used, under its lock; then make room."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.view is not view:
                return
            self._bytes += view.nbytes - entry.bytes
            entry.bytes = view.nbytes
            if view.record is None:
                self._drop(entry)
            self._make_room()

    def recall(self, question: Hashable) -> Remembered | None:
        """The answer kept for a question, whether it still holds or not."""
        found = self._answers.get(question)
        return None if found is None else found[1]

    def remember(self, key: ViewKey, view: SeriesView, question: Hashable, answer: Remembered) -> None:
        """Keep an answer beside its view, in the place of an older one to the same question."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.view is not view:
                return
            self._forget(question)
            if answer.nbytes * SHARE > self._limit:
                return
            if len(entry.answers) == ANSWERS:
                self._forget(next(iter(entry.answers)))
            entry.answers[question] = answer
            self._answers[question] = entry, answer
            self._bytes += answer.nbytes + answer.encoded.nbytes
            answer.encoded.grown = self._grown
            self._make_room()

    def renew(self, question: Hashable, old: Remembered, answer: Remembered) -> None:
        """Put the same answer with newer records in the place of ``old``, unless it is gone."""
        with self._lock:
            found = self._answers.get(question)
            if found is not None and found[1] is old:
                self._answers[question] = found[0], answer
                found[0].answers[question] = answer

    def count(self, look: Look, question: Hashable = None) -> None:
        """Count one look-up; the view and the answer of a question were used now."""
        with self._lock:
            self._counts[look] += 1
            found = self._answers.get(question)
            if found is not None:
                found[0].answers.move_to_end(question)
                self._entries.move_to_end(found[0].key)

    def resize(self, limit: int) -> None:
        """Hold at most ``limit`` bytes from now on."""
        with self._lock:
            self._limit = limit
            self._make_room()

    def clear(self) -> None:
        """Let go of everything; the counts stay."""
        with self._lock:
            for entry in list(self._entries.values()):
                self._drop(entry)

    def encoded(self) -> Encoded:
        """A place for the encoded forms of an answer that may be remembered."""
        return Encoded(self._lock)

    def stats(self) -> CacheStats:
        """Counts and sizes of one moment."""
        with self._lock:
            return CacheStats(
                hits=self._counts[Look.HIT],
                extensions=self._counts[Look.EXTENSION],
                misses=self._counts[Look.MISS],
                bytes=self._bytes,
                entries=len(self._entries),
                evictions=self._evictions,
            )

    def recounted(self) -> int:
        """The bytes held, counted anew: equals ``stats().bytes`` while nobody uses the cache."""
        with self._lock:
            views = sum(entry.view.nbytes for entry in self._entries.values())
            kept = (answer for _, answer in self._answers.values())
            return views + sum(answer.nbytes + answer.encoded.nbytes for answer in kept)

    def _make_room(self) -> None:
        while self._bytes > self._limit and self._entries:
            self._drop(next(iter(self._entries.values())))
            self._evictions += 1

    def _drop(self, entry: _Entry) -> None:
        for question in list(entry.answers):
            self._forget(question)
        self._bytes -= entry.bytes
        del self._entries[entry.key]

    def _forget(self, question: Hashable) -> None:
        found = self._answers.pop(question, None)
        if found is not None:
            entry, answer = found
            del entry.answers[question]
            answer.encoded.grown = None
            self._bytes -= answer.nbytes + answer.encoded.nbytes

    def _grown(self, by: int) -> None:
        self._bytes += by
        self._make_room()
