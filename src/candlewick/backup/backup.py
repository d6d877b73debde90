"""backup: all that a store holds at one moment into one file, while others read and write the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from candlewick.backup.archive import ArchiveWriter, new_file
from candlewick.backup.digest import Digest
from candlewick.backup.manifest import Kept, Manifest
from candlewick.clock import Clock, SystemClock
from candlewick.moments import iso
from candlewick.store.contents import Contents, Table, contents_of
from candlewick.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from candlewick.store.repository import CandleRepository

Progress = Callable[[int, int], None]
"""Rows done, rows in all."""


@dataclass(frozen=True)
class BackedUp:
    """What a backup has. ``rows``: candles; ``revisions``: their earlier versions; ``bytes``: of the file;
    ``control``: whether a control journal is in it."""

    file: str
    store: str
    made_at: str
    bytes: int
    series: int
    rows: int
    revisions: int
    writes: int
    quarantined: int
    splits: int
    control: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def backup(
    store: CandleRepository,
    file: str | Path,
    *,
    beside: Mapping[str, bytes] | None = None,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> BackedUp:
    """Write all that a store holds into a new file: of one moment, whatever is written to the store meanwhile.

    ``beside``: further parts by name, such as a control journal. The file appears whole, on disk, or not at all.
    Raises InputError where there is a file already or none can be written, and StoreError.
    """
    path = Path(file)
    made_at = iso((clock or SystemClock()).wall())
    with new_file(path) as to, contents_of(store) as contents, ArchiveWriter(to) as archive:
        digest = Digest()
        calendars: dict[int, str] = {}
        told = _counted(contents, progress)
        for table in contents.tables.values():
            archive.table(table, _seen(contents, table, digest, calendars, told))
        for name, data in (beside or {}).items():
            archive.plain(name, data)
        columns = {table.name: dict(table.columns) for table in contents.tables.values()}
        sums = dict(digest.all())
        numbers = sorted(digest.names, key=lambda number: (digest.names[number][0], number))
        manifest = Manifest(
            made_at,
            __version__,
            store.url,
            columns,
            tuple(archive.parts),
            tuple(_kept(number, calendars[number], digest, sums[number]) for number in numbers),
            sums[None],
        )
        archive.end(manifest)
    return backed_up(path, manifest)


def backed_up(path: Path, manifest: Manifest) -> BackedUp:
    """What the backup at a path has."""
    return BackedUp(
        file=str(path),
        store=manifest.store,
        made_at=manifest.made_at,
        bytes=path.stat().st_size,
        series=len(manifest.series),
        rows=manifest.rows("candles"),
        revisions=manifest.rows("revisions"),
        writes=manifest.rows("writes"),
        quarantined=manifest.rows("quarantine"),
        splits=manifest.rows("splits"),
        control=any(one.name == "control.json" for one in manifest.parts),
    )


def _counted(contents: Contents, progress: Progress | None) -> Callable[[int], None]:
    """Called with each batch's rows."""
    if progress is None:
        return lambda _: None
    total = sum(contents.rows(table) for table in contents.tables.values())
    done = 0

    def told(rows: int) -> None:
        nonlocal done
        done += rows
        progress(done, total)

    return told


def _seen(
    contents: Contents, table: Table, digest: Digest, calendars: dict[int, str], told: Callable[[int], None]
) -> Iterator[pa.RecordBatch]:
    """The rows of a table on their way into the file."""
    for batch in contents.batches(table):
        digest.add(table, batch)
        if table.name == "series":
            calendars.update(zip(batch.column("id").to_pylist(), batch.column("calendar").to_pylist(), strict=True))
        told(len(batch))
        yield batch


def _kept(number: int, calendar: str, digest: Digest, total: str) -> Kept:
    rows, revisions, writes = (digest.rows.get((table, number), 0) for table in ("candles", "revisions", "writes"))
    return Kept(*digest.names[number], calendar, rows, revisions, writes, total)
