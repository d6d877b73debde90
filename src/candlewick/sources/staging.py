"""Staging: the rows of one file on their way in, in memory while they are few, else on disk in buckets of series.

Every row of a series is in the same bucket, so a bucket can be sorted, deduplicated and committed by itself.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from candlewick.candles import VALUES
from candlewick.sources.rows import Rows

ROW = np.dtype([("series", "i4"), ("time", "i8"), ("line", "i8"), *((name, "f8") for name in VALUES)], align=True)
"""One staged row, 64 bytes; ``series`` is the place of its symbol among the symbols of the file."""

HELD = 1 << 19
"""Rows held in memory before they go to disk."""

PER_BUCKET = 32 << 20
"""Bytes of text that go into one bucket, about."""

MOST = 256
"""Buckets, each an open file."""

Staged = npt.NDArray[np.void]

_live: set[str] = set()
_guard = Lock()


class Staging:
    """Rows of one file: `add` them, then take the `buckets`; refused ones go aside with `refuse`."""

    def __init__(self, folder: Path, expected_bytes: float) -> None:
        self.refused = 0
        self._folder = folder
        self._count = int(min(MOST, 1 + expected_bytes // PER_BUCKET))
        self._held: list[Staged] = []
        self._rows = 0
        self._files: list[IO[bytes]] = []
        self._aside: IO[str] | None = None
        folder.mkdir()

    def add(self, rows: Rows, series: npt.NDArray[np.int32], chosen: npt.NDArray[np.bool_]) -> None:
        """Stage the chosen rows; ``series`` numbers the series of each."""
        self._held.append(staged(rows, series, chosen))
        self._rows += len(self._held[-1])
        if self._rows >= HELD:
            self._spill()

    def refuse(self, line: int, symbol: str, reason: str, raw: str) -> None:
        """Put a refused row aside, on disk: there may be as many as there are rows."""
        if self._aside is None:
            self._aside = (self._folder / "refused.jsonl").open("w", encoding="utf-8")
        self._aside.write(json.dumps([line, symbol, reason, raw]) + "\n")
        self.refused += 1

    def buckets(self) -> Iterator[Staged]:
        """The staged rows, bucket by bucket, each in the order of the file."""
        if not self._files:
            if self._rows:
                yield _joined(self._held)
            return
        self._spill()
        for file in self._files:
            file.close()
            path = Path(file.name)
            if path.stat().st_size:
                yield np.fromfile(path, dtype=ROW)
            path.unlink()

    def refusals(self, batch: int = 10_000) -> Iterator[list[tuple[int, str, str, str]]]:
        """The refused rows as (line, symbol, reason, raw), in batches."""
        if self._aside is None:
            return
        self._aside.close()
        with Path(self._aside.name).open(encoding="utf-8") as aside:
            rows: list[tuple[int, str, str, str]] = []
            for line in aside:
                rows.append(tuple(json.loads(line)))
                if len(rows) == batch:
                    yield rows
                    rows = []
            if rows:
                yield rows

    def close(self) -> None:
        """Let go of the files and remove them."""
        for file in self._files:
            file.close()
        if self._aside is not None:
            self._aside.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _spill(self) -> None:
        if not self._files:
            self._files = [(self._folder / f"{at}.bucket").open("wb") for at in range(self._count)]
        if not self._held:
            return
        rows = _joined(self._held)
        self._held, self._rows = [], 0
        if self._count == 1:
            rows.tofile(self._files[0])
            return
        bucket = (rows["series"] % self._count).astype(np.uint16)
        order = np.argsort(bucket, kind="stable")
        cuts = np.searchsorted(bucket[order], np.arange(self._count + 1))
        for at, file in enumerate(self._files):
            if cuts[at] < cuts[at + 1]:
                rows[order[cuts[at] : cuts[at + 1]]].tofile(file)


def staged(rows: Rows, series: npt.NDArray[np.int32], chosen: npt.NDArray[np.bool_]) -> Staged:
    """The chosen rows as one array of `ROW`."""
    pick: Any = slice(None) if chosen.all() else chosen
    made = np.empty(int(np.count_nonzero(chosen)), dtype=ROW)
    made["series"] = series[pick]
    made["time"] = rows.time[pick]
    made["line"] = rows.line[pick]
    for name in VALUES:
        made[name] = rows.values[name][pick]
    return made


@contextmanager
def staging_folder(beside: Path | None) -> Iterator[Path]:
    """A folder for one run, gone at its end. What a killed run left ``beside`` the store is cleared away first."""
    if beside is None:
        with tempfile.TemporaryDirectory(prefix="candlewick-") as folder:
            yield Path(folder)
        return
    run = beside / uuid.uuid4().hex
    with _guard:
        _live.add(run.name)
        beside.mkdir(parents=True, exist_ok=True)
        for left in beside.iterdir():
            if left.name not in _live:
                shutil.rmtree(left, ignore_errors=True)
        run.mkdir()
    try:
        yield run
    finally:
        with _guard:
            shutil.rmtree(run, ignore_errors=True)
            _live.discard(run.name)
            if not any(beside.iterdir()):
                beside.rmdir()


def _joined(parts: Sequence[Staged]) -> Staged:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
