"""Remembered: one finished answer, for as long as it would be the same again, and what it takes in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any

from candlewick.cache.reading import Readable
from candlewick.store.repository import Series
from candlewick.store.splits import Split

UNKNOWN = -(2**62)
"""Earlier than any bar: no answer holds at it."""


class Encoded(dict[str, bytes]):
    """The encoded forms of an answer. Whoever keeps the answer is told by how many bytes they grow."""

    def __init__(self, lock: RLock) -> None:
        super().__init__()
        self._lock = lock
        self.grown: Callable[[int], None] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of all forms."""
        return sum(map(len, self.values()))

    def __setitem__(self, name: str, data: bytes) -> None:
        with self._lock:
            before = len(self.get(name, b""))
            super().__setitem__(name, data)
            if self.grown is not None:
                self.grown(len(data) - before)

    def __reduce__(self) -> tuple[type[dict[str, bytes]], tuple[dict[str, bytes]]]:
        return dict, (dict(self),)


@dataclass(frozen=True)
class Remembered:
    """An answer (``value``), its encoded forms, and what decides whether it still holds.

    ``stored``: the symbol's records when it was made; ``series``: the one of them that served; ``sessions``: the state
    of the user's own sessions. ``until``: the newest candle's close then. ``forming``: bars of the range that were not
    final; ``starts`` and ``ends``: of its newest bar. ``revision``: of the last write at or before ``settled``
    (microseconds UTC; None: of all). ``splits``: what its candles are adjusted by. ``nbytes``: of its arrays.
    """

    value: Any
    encoded: Encoded
    nbytes: int
    stored: list[Series]
    series: Series
    sessions: object
    until: int
    forming: int
    starts: int
    ends: int
    revision: int
    settled: int | None
    splits: tuple[Split, ...] = ()

    def holds_at(self, until: int | None) -> bool:
        """True when as many bars are final up to ``until`` (None: the newest candle's close) as were then."""
        known = self.until if until is None else until
        if known >= self.ends:
            return self.forming == 0
        return known >= self.starts and self.forming == 1

    def renewed(self, stored: list[Series], until: int | None, store: Readable) -> Remembered | None:
        """The answer as one of the records ``stored``, when all that was written since lies behind it; else None.

        ``until`` as in ``holds_at``.
        """
        if self.settled is None or [one.timeframe for one in stored] != [one.timeframe for one in self.stored]:
            return None
        series = next(one for one in stored if one.timeframe == self.series.timeframe)
        over = series.last >= self.ends
        final_alike = over if until is None else self.holds_at(until)
        if series.calendar != self.series.calendar or not final_alike or (over and self.forming):
            return None
        if store.revision_before(series.symbol, series.timeframe, self.settled) != self.revision:
            return None
        return replace(self, stored=stored, series=series, until=series.last if over else UNKNOWN)
