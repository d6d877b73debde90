"""Arrow: rows from Arrow files (feather, IPC file or stream) and from tables in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from candlewick.candles import Candles
from candlewick.errors import FileFormatError
from candlewick.sources.data_frame import table_of
from candlewick.sources.rows import Rows
from candlewick.sources.source import Reading, Source
from candlewick.sources.table import TableReader, written

BATCH = 1 << 17
"""Rows read at once."""


class BatchSource(Source):
    """Rows of anything that comes as Arrow record batches. Row numbers count from 1."""

    def rows(self) -> Iterator[Rows]:
        first = 1
        with self._batches() as (_, batches):
            for batch, done in batches:
                if batch.num_rows:
                    yield self._reader.rows(batch, first, done)
                    first += batch.num_rows

    def prepare(self, reading: Reading) -> None:
        with self._batches() as (schema, batches):
            first = next((batch for batch, _ in batches if batch.num_rows), None)
            self._reader = TableReader(self.name, schema, first, reading)
        if first is None:
            raise FileFormatError("file", self.name, "give a table with rows", "has columns but no rows")

    def raw(self, lines: Collection[int]) -> Mapping[int, str]:
        found: dict[int, str] = {}
        first = 1
        with self._batches() as (_, batches):
            for batch, _ in batches:
                here = (line for line in lines if first <= line < first + batch.num_rows)
                found.update({line: written(batch, line - first) for line in here})
                first += batch.num_rows
        return found

    @contextmanager
    def _batches(self) -> Iterator[tuple[Any, Iterator[tuple[Any, int]]]]:
        raise NotImplementedError


class ArrowSource(BatchSource):
    """An Arrow file: the file format, which feather is, or a stream."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self.size = path.stat().st_size

    def content(self) -> str:
        return file_hash(self.path)

    @contextmanager
    def _batches(self) -> Iterator[tuple[Any, Iterator[tuple[Any, int]]]]:
        import pyarrow as pa

        with damaged(self.name, "an Arrow file"), pa.memory_map(str(self.path)) as mapped:
            try:
                reader = pa.ipc.open_file(mapped)
            except pa.ArrowInvalid:
                mapped.seek(0)
                reader = pa.ipc.open_stream(mapped)
                yield reader.schema, ((part, mapped.tell()) for batch in reader for part in parts(batch))
                return
            count = reader.num_record_batches
            yield (
                reader.schema,
                ((part, self.size * (at + 1) // count) for at in range(count) for part in parts(reader.get_batch(at))),
            )


class TableSource(BatchSource):
    """A table in memory: a frame of pandas or polars, or what else speaks Arrow. Candles bring their symbol along."""

    def __init__(self, table: Any) -> None:
        import pyarrow as pa

        self._table = table_of(table)
        if isinstance(table, Candles) and "symbol" not in self._table.column_names:
            names = pa.array([table.symbol] * len(table), pa.string()).dictionary_encode()
            self._table = self._table.append_column("symbol", names)
        self.name = "table"
        self.size = self._table.nbytes

    def content(self) -> str:
        import pyarrow as pa

        digest = _Digest()
        with pa.ipc.new_stream(pa.PythonFile(digest, mode="w"), self._table.schema) as writer:
            writer.write_table(self._table, max_chunksize=BATCH)
        return digest.hash.hexdigest()

    @contextmanager
    def _batches(self) -> Iterator[tuple[Any, Iterator[tuple[Any, int]]]]:
        batches = self._table.to_batches(max_chunksize=BATCH)
        yield self._table.schema, ((batch, self.size * (at + 1) // len(batches)) for at, batch in enumerate(batches))


class _Digest:
    """A file that keeps nothing of what is written to it but a hash."""

    closed = False

    def __init__(self) -> None:
        self.hash = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is buffered."""

    def close(self) -> None:
        self.closed = True


def parts(batch: Any) -> Iterator[Any]:
    """A record batch of a file in pieces of a size that is worked on at once. Raises ArrowInvalid for one that points
    outside itself or has texts that are none: a file is not trusted."""
    batch.validate(full=True)
    for at in range(0, batch.num_rows, BATCH):
        yield batch.slice(at, BATCH)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def damaged(name: str, what: str) -> Iterator[None]:
    """Turn what Arrow raises for a file that it cannot read into FileFormatError."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileFormatError("file", name, f"give {what} ({reason})", f"is not {what}, or is damaged") from error
