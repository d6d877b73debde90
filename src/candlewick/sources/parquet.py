"""Parquet: rows of a Parquet file, read in batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from candlewick.sources.arrow import BATCH, BatchSource, damaged, file_hash


class ParquetSource(BatchSource):
    """A Parquet file."""

    expands = 4.0

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self.size = path.stat().st_size

    def content(self) -> str:
        return file_hash(self.path)

    @contextmanager
    def _batches(self) -> Iterator[tuple[Any, Iterator[tuple[Any, int]]]]:
        with damaged(self.name, "a Parquet file"):
            import pyarrow.parquet as parquet

            with parquet.ParquetFile(str(self.path)) as file:
                total = max(1, file.metadata.num_rows)
                yield file.schema_arrow, self._counted(file, total)

    def _counted(self, file: Any, total: int) -> Iterator[tuple[Any, int]]:
        seen = 0
        for batch in file.iter_batches(batch_size=BATCH):
            batch.validate(full=True)  # texts are taken as they are, be they UTF-8 or not
            seen += batch.num_rows
            yield batch, self.size * seen // total
