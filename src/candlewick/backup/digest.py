"""Digest: a number of 128 bits for a set of rows, which does not depend on their order or on the store they lie in.

1. Each value becomes 64 bits: integers and floats as they are, text and bytes by a hash.
2. The values of a row are mixed one after the other, with the names of table and column.
3. Rows are added up, in two sums of 64 bits that mix differently; sums of parts add up to that of the whole.

The number of a series is left out of it: another store may give it another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from candlewick.store.contents import FLOAT, INTEGER, Table

if TYPE_CHECKING:
    import pyarrow as pa

Words = npt.NDArray[np.uint64]

_FULL = (1 << 64) - 1
_ABSENT = 0xA5E5_0F1D_77C3_2B49


@dataclass
class Digest:
    """Rows and sums by table and series, under the number that it has in its store; None for what belongs to no
    series. ``names``: (symbol, timeframe) by number."""

    rows: dict[tuple[str, int | None], int] = field(default_factory=dict)
    sums: dict[tuple[str, int | None], tuple[int, int]] = field(default_factory=dict)
    names: dict[int, tuple[str, str]] = field(default_factory=dict)

    def add(self, table: Table, batch: pa.RecordBatch) -> None:
        """Take rows of a table in."""
        of = "id" if table.name == "series" else "series"
        one, two = _mixed(table, batch, leave_out=of)
        if of not in table.columns:
            self._add((table.name, None), len(batch), int(one.sum()), int(two.sum()))
            return
        series = batch.column(of).to_numpy()
        numbers, place = np.unique(series, return_inverse=True)
        counts = np.bincount(place)
        sums = np.zeros((2, len(numbers)), np.uint64)
        for into, mixed in zip(sums, (one, two), strict=True):
            np.add.at(into, place, mixed)
        for number, count, first, second in zip(numbers.tolist(), counts.tolist(), *sums.tolist(), strict=True):
            self._add((table.name, number), count, first, second)
        if table.name == "series":
            columns = (batch.column(name).to_pylist() for name in ("id", "symbol", "timeframe"))
            self.names.update({number: (symbol, length) for number, symbol, length in zip(*columns, strict=True)})

    def all(self) -> Iterator[tuple[int | None, str]]:
        """The digest of every series, and under None of what belongs to none."""
        found: dict[int | None, tuple[int, int]] = {None: (0, 0)}
        for (_, series), (one, two) in self.sums.items():
            first, second = found.get(series, (0, 0))
            found[series] = (first + one) & _FULL, (second + two) & _FULL
        for number, (first, second) in found.items():
            yield number, f"{first:016x}{second:016x}"

    def _add(self, key: tuple[str, int | None], count: int, one: int, two: int) -> None:
        first, second = self.sums.get(key, (0, 0))
        self.sums[key] = (first + one) & _FULL, (second + two) & _FULL
        self.rows[key] = self.rows.get(key, 0) + count


def _mixed(table: Table, batch: pa.RecordBatch, *, leave_out: str) -> tuple[Words, Words]:
    """Two numbers for each row."""
    held = np.full(len(batch), _hash(table.name.encode()), np.uint64)
    for name in sorted(table.columns):
        if name != leave_out:
            held ^= _words(batch.column(name), table.columns[name])
            held += np.uint64(_hash(name.encode()))
            held = _mix(held)
    return held, _mix(held ^ np.uint64(_ABSENT))


def _words(column: Any, kind: str) -> Words:
    """Each value as 64 bits; what is absent as a number of its own."""
    absent = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
    if kind in (INTEGER, FLOAT):
        filled = column.fill_null(0) if absent is not None else column
        words: Words = filled.to_numpy(zero_copy_only=False).view(np.uint64).copy()
    else:
        coded = column.dictionary_encode()
        known = [_hash(text.encode() if isinstance(text, str) else text) for text in coded.dictionary.to_pylist()]
        places = coded.indices.fill_null(0).to_numpy(zero_copy_only=False)
        words = np.array(known or [0], np.uint64)[places]
    if absent is not None:
        words[absent] = np.uint64(_ABSENT)
    return words


def _mix(words: Words) -> Words:
    """The finish of splitmix64: every bit of the outcome depends on every bit of the number."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return words ^ (words >> np.uint64(31))


def _hash(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")
