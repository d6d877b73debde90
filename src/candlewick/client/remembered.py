"""Remembered: the last answers with the tags that the server gave them, bounded in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Self

from candlewick.client.served_answer import ServedAnswer
from candlewick.errors import InputError


@dataclass(frozen=True)
class Kept:
    """An answer and the tag by which the server knows it."""

    tag: str
    answer: ServedAnswer

    @property
    def size(self) -> int:
        """Bytes of its columns."""
        return sum(values.nbytes for values in self.answer.columns.values())


class Remembered:
    """What was asked to what was answered, the longest unused forgotten first, of at most ``limit`` bytes.

    May be used from several threads.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @classmethod
    def of(cls, mebibytes: float) -> Self:
        """Of so many mebibytes; 0 keeps nothing. Raises InputError."""
        if not isinstance(mebibytes, int | float) or not 0 <= mebibytes < float("inf"):
            raise InputError("remembered_mb", mebibytes, "give mebibytes, 0 to keep nothing")
        return cls(int(mebibytes * 1_048_576))

    @property
    def bytes(self) -> int:
        """What is held."""
        return self._bytes

    def find(self, question: Hashable) -> Kept | None:
        """What was answered last."""
        with self._lock:
            found = self._kept.get(question)
            if found is not None:
                self._kept.move_to_end(question)
            return found

    def keep(self, question: Hashable, kept: Kept) -> None:
        """Remember an answer instead of the one before it; one that is larger than the limit is not."""
        with self._lock:
            before = self._kept.pop(question, None)
            self._bytes -= 0 if before is None else before.size
            if kept.size > self._limit:
                return
            self._kept[question] = kept
            self._bytes += kept.size
            while self._bytes > self._limit:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= gone.size
