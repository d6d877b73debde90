"""Notes: the notes of a series' writes as a value, of which the next one shares what is there already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

from candlewick.store.revisions import Note


class Notes(Sequence[Note]):
    """Notes, oldest first. Never changes; only one writer at a time may ask for the next value."""

    __slots__ = ("_count", "_kept")

    def __init__(self, notes: Iterable[Note] = ()) -> None:
        self._kept = list(notes)
        self._count = len(self._kept)

    def and_then(self, note: Note) -> Notes:
        """These and one more. The list behind them is shared for as long as nobody else has gone on from here."""
        shared = self._kept if len(self._kept) == self._count else self._kept[: self._count]
        shared.append(note)
        following = Notes.__new__(Notes)
        following._kept = shared
        following._count = self._count + 1
        return following

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Note: ...

    @overload
    def __getitem__(self, at: slice) -> list[Note]: ...

    def __getitem__(self, at: int | slice) -> Note | list[Note]:
        if isinstance(at, slice):
            return [self._kept[one] for one in range(self._count)[at]]
        return self._kept[range(self._count)[at]]
