"""IndicatorCache: views of series and finished answers, bounded in bytes, with counts of what look-ups found."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import RLock

from candlewick.cache.look import Look
from candlewick.cache.remembered import Encoded, Remembered
from candlewick.cache.series_view import SeriesView
from candlewick.store.splits import Split
from candlewick.timeframe import Timeframe

ANSWERS = 4
"""Finished answers with their encoded forms may take this part of the limit: views, which save more, have the rest."""

SHARE = 128
"""An answer whose columns take more than this part of the limit is not kept: it would push out a hundred others."""

LARGE = 1 << 18
"""An answer whose columns take more bytes than this is kept from the second time on that it is asked for: it is a
second copy of what its view holds, and most long charts are asked for once."""

ASKED = 4096
"""Questions of large answers that are known to have been asked once."""


@dataclass(frozen=True)
class ViewKey:
    """What a view is of. ``sessions``: the calendar's version. ``splits``: what its candles are adjusted by."""

    symbol: str
    source: Timeframe
    timeframe: Timeframe
    zero_volume: str
    calendar: str
    sessions: str
    splits: tuple[Split, ...] = ()


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
    """A view with its answers, and its bytes as they were last counted."""

    __slots__ = ("answers", "bytes", "key", "view")

    def __init__(self, key: ViewKey, view: SeriesView) -> None:
        self.key = key
        self.view = view
        self.bytes = 0
        self.answers: dict[int, Kept] = {}


class Kept:
    """A remembered answer and where it is kept. Only the cache changes it."""

    __slots__ = ("_entry", "_question", "answer")

    def __init__(self, entry: _Entry, question: Hashable, answer: Remembered) -> None:
        self._entry = entry
        self._question = question
        self.answer = answer


class IndicatorCache:
    """At most ``limit`` bytes once a request is done, at most a part of them for answers. What was used least recently
    goes first, a view with its answers.

    A view larger than the limit serves its request and is let go. Every method may be called from several threads.
    """

    def __init__(self, limit: int) -> None:
        self._lock = RLock()
        self._limit = limit
        self._entries: dict[ViewKey, _Entry] = {}
        self._order: OrderedDict[int, _Entry] = OrderedDict()  # by id, since to hash what was asked takes longer
        self._answers: dict[Hashable, Kept] = {}
        self._answer_order: OrderedDict[int, Kept] = OrderedDict()
        self._asked: OrderedDict[int, None] = OrderedDict()  # hashes alone: a mistaken one only keeps an answer early
        self._counts = dict.fromkeys(Look, 0)
        self._bytes = 0
        self._answer_bytes = 0
        self._evictions = 0

    def view(self, key: ViewKey, make: Callable[[], SeriesView]) -> SeriesView:
        """The view of that key, made now when there is none."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry(key, make())
                self._order[id(entry)] = entry
            self._order.move_to_end(id(entry))
            return entry.view

    def settle(self, key: ViewKey, view: SeriesView) -> None:
        """Count a view again after it was used, under its lock; then make room."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.view is not view:
                return
            size = view.nbytes
            self._bytes += size - entry.bytes
            entry.bytes = size
            if view.record is None:
                self._drop(entry)
            self._make_room()

    def recall(self, question: Hashable) -> Kept | None:
        """The answer kept for a question, whether it still holds or not."""
        return self._answers.get(question)

    def remember(self, key: ViewKey, view: SeriesView, question: Hashable, answer: Remembered) -> None:
        """Keep an answer beside its view, in the place of an older one to the same question; a large one only when it
        was asked for before."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.view is not view:
                return
            older = self._answers.get(question)
            if older is not None:
                self._forget(older)
            if answer.nbytes * SHARE > self._limit or (answer.nbytes > LARGE and not self._asked_before(question)):
                return
            kept = self._answers[question] = Kept(entry, question, answer)
            entry.answers[id(kept)] = self._answer_order[id(kept)] = kept
            answer.encoded.grown = self._grown
            self._grown(answer.nbytes + answer.encoded.nbytes)

    def renew(self, kept: Kept, old: Remembered, answer: Remembered) -> None:
        """Put the same answer with newer records in the place of ``old``, unless another one is there by now."""
        with self._lock:
            if kept.answer is old:
                kept.answer = answer

    def count(self, look: Look, used: Kept | None = None) -> None:
        """Count one look-up; ``used`` answered it."""
        with self._lock:
            self._counts[look] += 1
            if used is not None and id(used) in self._answer_order:
                self._answer_order.move_to_end(id(used))
                self._order.move_to_end(id(used._entry))

    def resize(self, limit: int) -> None:
        """Hold at most ``limit`` bytes from now on."""
        with self._lock:
            self._limit = limit
            self._make_room()

    def clear(self) -> None:
        """Let go of everything; the counts stay."""
        with self._lock:
            for entry in list(self._order.values()):
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
            return views + sum(kept.answer.nbytes + kept.answer.encoded.nbytes for kept in self._answers.values())

    def _asked_before(self, question: Hashable) -> bool:
        known = hash(question)
        if known in self._asked:
            return True
        self._asked[known] = None
        if len(self._asked) > ASKED:
            self._asked.popitem(last=False)
        return False

    def _make_room(self) -> None:
        while self._answer_bytes * ANSWERS > self._limit:
            self._forget(next(iter(self._answer_order.values())))
        while self._bytes > self._limit:
            self._drop(next(iter(self._order.values())))
            self._evictions += 1

    def _drop(self, entry: _Entry) -> None:
        for kept in list(entry.answers.values()):
            self._forget(kept)
        self._bytes -= entry.bytes
        del self._entries[entry.key]
        del self._order[id(entry)]

    def _forget(self, kept: Kept) -> None:
        del self._answers[kept._question]
        del kept._entry.answers[id(kept)]
        del self._answer_order[id(kept)]
        kept.answer.encoded.grown = None
        size = kept.answer.nbytes + kept.answer.encoded.nbytes
        self._bytes -= size
        self._answer_bytes -= size

    def _grown(self, by: int) -> None:
        self._bytes += by
        self._answer_bytes += by
        self._make_room()
