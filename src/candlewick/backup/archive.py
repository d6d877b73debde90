"""Archive: the file of a backup: a zip, stored, of Parquet parts, with a manifest at its end.

A part has at most `PART` rows, so that reading one takes little memory, and each can be read by whatever reads Parquet.
"""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from candlewick.backup.manifest import Manifest, Part
from candlewick.errors import FileFormatError, InputError
from candlewick.store.contents import Table

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "manifest.json"
PART = 500_000
"""Rows of a part, about."""

_THEN = (2020, 1, 1, 0, 0, 0)
"""The time of every part: when a backup was made its manifest says."""


class ArchiveWriter:
    """Writes parts into an open file, one after the other."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True)
        self.parts: list[Part] = []

    def table(self, table: Table, batches: Iterator[pa.RecordBatch]) -> None:
        """Write the rows of a table in as many parts as it takes; none for a table without rows."""
        held: list[pa.RecordBatch] = []
        rows = number = 0
        for batch in batches:
            held.append(batch)
            rows += len(batch)
            if rows >= PART:
                self._rows(table, held, number)
                held, rows, number = [], 0, number + 1
        if held:
            self._rows(table, held, number)

    def plain(self, name: str, data: bytes) -> None:
        """Write a part that is no table."""
        self._part(name, "", 0, data)

    def end(self, manifest: Manifest) -> None:
        """Write the manifest, the last part."""
        self._zip.writestr(zipfile.ZipInfo(MANIFEST, _THEN), manifest.encoded())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def _rows(self, table: Table, batches: list[pa.RecordBatch], number: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = pa.Table.from_batches(batches, schema=table.schema)
        packed = io.BytesIO()
        pq.write_table(rows, packed, compression="zstd", row_group_size=PART)
        self._part(f"{table.name}/{number:06}.parquet", table.name, rows.num_rows, packed.getvalue())

    def _part(self, name: str, table: str, rows: int, data: bytes) -> None:
        self._zip.writestr(zipfile.ZipInfo(name, _THEN), data)
        self.parts.append(Part(name, table, rows, len(data), sha256(data).hexdigest()))


class Archive:
    """A backup that is there. Raises FileFormatError for another file, and wherever it is damaged, naming the part."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise self._unreadable(error) from error
        try:
            names = self._zip.namelist()
            if MANIFEST not in names:
                raise FileFormatError("backup", str(path), "give a file that `candlewick backup` made", "is no backup")
            self.manifest = Manifest.decoded(self._read(MANIFEST), path)
            told = [MANIFEST, *(one.name for one in self.manifest.parts)]
            if sorted(names) != sorted(told):
                odd = ", ".join(sorted(set(names) ^ set(told))) or "a part stands twice"
                raise self._damaged(MANIFEST, f"it does not go with the parts that there are: {odd}")
        except BaseException:
            self._zip.close()
            raise

    def check(self) -> Iterator[Part]:
        """Every part, once it is known to be what was written. Raises FileFormatError for the first that is not."""
        for part in self.manifest.parts:
            self.read(part)
            yield part

    def read(self, part: Part) -> bytes:
        """The bytes of a part, checked."""
        data = self._read(part.name)
        if len(data) != part.bytes or sha256(data).hexdigest() != part.sha256:
            raise self._damaged(part.name, "its checksum is another one than that of what was written")
        return data

    def rows(self, part: Part) -> pa.Table:
        """The rows of a part."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        data = self.read(part)
        try:
            return pq.read_table(io.BytesIO(data))
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(part.name, str(error).partition("\n")[0]) from error

    def plain(self, name: str) -> bytes | None:
        """A part that is no table; None where there is none of that name."""
        return next((self.read(one) for one in self.manifest.parts if one.name == name), None)

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, name: str) -> bytes:
        try:
            return self._zip.read(name)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, KeyError, NotImplementedError) as error:
            raise self._damaged(name, str(error)) from error

    def _damaged(self, name: str, why: str) -> FileFormatError:
        return FileFormatError("backup", str(self.path), f"take another backup: {why}", f"is damaged in {name}")

    def _unreadable(self, error: Any) -> FileFormatError:
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError("backup", str(self.path), str(error.strerror), "cannot be read") from error
        expected = "give a file that `candlewick backup` made; a part of one cannot be read"
        return FileFormatError("backup", str(self.path), expected, "is no backup, or its end is missing")


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that appears whole, on disk, or not at all; until then it has another ``name``.

    Raises InputError where one is already or none can be.
    """
    if path.exists():
        raise InputError("file", str(path), "give a name that is not taken", "is there already")
    if not path.parent.is_dir():
        raise InputError("file", str(path), "give a file in a folder that exists", "has no folder to be in")
    draft: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        draft = Path(name)
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o640)  # not private to one user, nor for everybody: it is all that there is
        os.link(draft, path)  # unlike a rename it replaces nothing that came meanwhile
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        expected = "give a file in a folder that can be written to"
        raise InputError("file", str(path), expected, f"fails: {error.strerror}") from error
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
