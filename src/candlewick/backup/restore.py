"""restore: what a backup has into an empty store, all of it or nothing; and a trial of that.

1. Every part is checked against its checksum before anything is written.
2. All tables are filled in one transaction, inside which the rows are counted and hashed series by series: what is
   written is what was backed up, or nothing is written.
3. A trial does so into a store of its own, reads it again, and compares.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from candlewick.backup.archive import Archive
from candlewick.backup.backup import BackedUp, Progress, backed_up
from candlewick.backup.digest import Digest
from candlewick.backup.manifest import Kept, Manifest
from candlewick.errors import FileFormatError, StoreVersionError
from candlewick.store.contents import Filling, Table, contents_of, filling

if TYPE_CHECKING:
    from candlewick.store.repository import CandleRepository


@dataclass(frozen=True)
class Restored:
    """A backup that is in a store."""

    backup: BackedUp
    store: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"store": self.store, "backup": self.backup.as_dict()}


@dataclass(frozen=True)
class Difference:
    """A series that is not as it was backed up; without a symbol: what belongs to no series."""

    symbol: str
    timeframe: str
    says: str

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe}: {self.says}" if self.symbol else self.says


@dataclass(frozen=True)
class Tried:
    """A trial restore: how many series were compared, and those that differ."""

    backup: BackedUp
    compared: int
    differences: tuple[Difference, ...]

    @property
    def good(self) -> bool:
        """Whether all is as it was backed up."""
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        differences = [asdict(one) for one in self.differences]
        return {
            "backup": self.backup.as_dict(),
            "good": self.good,
            "compared": self.compared,
            "differences": differences,
        }


def restore(
    file: str | Path,
    store: CandleRepository,
    *,
    progress: Progress | None = None,
    last: Callable[[Archive], None] | None = None,
) -> Restored:
    """Put what a backup has into an empty store: all of it or nothing. ``last`` is called before it is committed.

    Raises FileFormatError that names the part for a damaged backup, before anything is written; StoreVersionError for
    one with tables that this candlewick does not know; StoreError for a store that is not empty.
    """
    with Archive(Path(file)) as archive:
        told = _counted(archive, progress)
        for part in archive.check():
            told(part.rows)
        with filling(store) as held:
            digest = _filled(archive, held, told)
            _check(archive, digest)
            if last is not None:
                last(archive)
        return Restored(backed_up(archive.path, archive.manifest), store.url)


def try_restore(file: str | Path, *, progress: Progress | None = None) -> Tried:
    """Restore into a store that is gone afterwards, and compare what is read from it with what was backed up, series by
    series. Needs room for the store beside the backup, or in the system's temporary folder. Raises as `restore`."""
    from candlewick.store.duckdb import DuckDBStore

    path = Path(file)
    beside = path.parent if os.access(path.parent, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix=".candlewick-trial-", dir=beside) as folder:
        with DuckDBStore(Path(folder) / "trial.duckdb") as store:
            done = restore(path, store, progress=progress)
        with DuckDBStore(Path(folder) / "trial.duckdb") as store, Archive(path) as archive:
            problems = [Difference(one.symbol, one.timeframe, one.says) for one in store.check()]
            found = _differences(archive.manifest, _read(store))
            return Tried(done.backup, len(archive.manifest.series), (*found, *problems))


def _read(store: CandleRepository) -> Digest:
    digest = Digest()
    with contents_of(store) as contents:
        for table in contents.tables.values():
            for batch in contents.batches(table):
                digest.add(table, batch)
    return digest


def _filled(archive: Archive, held: Filling, told: Callable[[int], None]) -> Digest:
    """Put every row of the backup into the store."""
    digest = Digest()
    tables = {name: Table(name, columns) for name, columns in archive.manifest.tables.items()}
    for name, table in tables.items():
        ours = held.tables.get(name)
        if ours is None or dict(ours.columns) != dict(table.columns):
            raise StoreVersionError(
                f"backup: {archive.path} was made by candlewick {archive.manifest.candlewick}, whose table {name} is "
                "another one: restore it with that candlewick, and upgrade the store then"
            )
    for part in archive.manifest.parts:
        if not part.table:
            continue
        table = tables[part.table]
        rows = archive.rows(part)
        if rows.num_rows != part.rows or not rows.schema.equals(table.schema):
            raise _unfit(archive, part.name, "its rows are not those that the manifest tells of")
        for batch in rows.to_batches():
            digest.add(table, batch)
            held.put(table, batch)
            told(len(batch))
    return digest


def _check(archive: Archive, digest: Digest) -> None:
    found = _differences(archive.manifest, digest)
    if found:
        raise _unfit(archive, "manifest.json", f"{found[0]}")


def _differences(manifest: Manifest, digest: Digest) -> list[Difference]:
    """Where rows are not those that a manifest tells of."""
    sums = dict(digest.all())
    there = {name: (number, sums.get(number)) for number, name in digest.names.items()}
    found = list(_told(manifest.series, there, digest))
    if sums[None] != manifest.rest:
        found.append(Difference("", "", "what belongs to no series (quarantine, splits) is not what was backed up"))
    return found


def _told(
    series: tuple[Kept, ...], there: dict[tuple[str, str], tuple[int, str | None]], digest: Digest
) -> Iterator[Difference]:
    known = {(one.symbol, one.timeframe): one for one in series}
    for name in sorted(known.keys() | there.keys()):
        one, held = known.get(name), there.get(name)
        if one is None or held is None:
            yield Difference(*name, "is not there" if held is None else "is there, though it was not backed up")
        elif held[1] != one.digest:
            now = [digest.rows.get((table, held[0]), 0) for table in ("candles", "revisions", "writes")]
            before = [one.rows, one.revisions, one.writes]
            counts = f"{before[0]:,} candles, {before[1]:,} earlier versions and {before[2]:,} writes were backed up"
            if now != before:
                counts += f", there are {now[0]:,}, {now[1]:,} and {now[2]:,}"
            yield Difference(*name, f"{counts}; their digest is another one")


def _unfit(archive: Archive, name: str, why: str) -> FileFormatError:
    return FileFormatError("backup", str(archive.path), f"take another backup: {why}", f"is damaged in {name}")


def _counted(archive: Archive, progress: Progress | None) -> Callable[[int], None]:
    """Called with the rows that were checked, and again with those that were written."""
    if progress is None:
        return lambda _: None
    total = 2 * sum(part.rows for part in archive.manifest.parts)
    done = 0

    def told(rows: int) -> None:
        nonlocal done
        done += rows
        progress(done, total)

    return told
