"""Body: candles, a frame or a file as the body of an ingest: files as they are, everything else as an Arrow stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from candlewick.candles import Candles
from candlewick.client.connection import Content
from candlewick.client.served_answer import ARROW
from candlewick.errors import InputError
from candlewick.sources.data_frame import is_table, table_of

CONTENT_TYPES = {
    ".gz": "application/gzip",
    ".zip": "application/zip",
    ".parquet": "application/vnd.apache.parquet",
    ".pq": "application/vnd.apache.parquet",
    ".arrows": ARROW,
    ".arrow": "application/vnd.apache.arrow.file",
    ".feather": "application/vnd.apache.arrow.file",
    ".ipc": "application/vnd.apache.arrow.file",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
}
"""What a file is sent as, by its suffix; any other is text/csv."""


@dataclass(frozen=True)
class Body:
    """``content`` opens it anew for each attempt; ``name`` is what quarantine calls it, where it has one; ``about`` is
    what it says of itself: symbol, timeframe, calendar."""

    content: Callable[[], Content]
    kind: str
    size: int
    name: str | None
    about: dict[str, str]

    @property
    def headers(self) -> dict[str, str]:
        """What goes before it."""
        return {"Content-Type": self.kind, "Content-Length": str(self.size)}


def body_of(given: Any) -> Body:
    """What is sent of candles, a frame of pandas or polars, an Arrow table, or the path of one file.

    Raises InputError for anything else and for a file that is not there.
    """
    if isinstance(given, str | Path):
        return _file(Path(given).expanduser())
    if not is_table(given):
        expected = "give Candles, a frame of pandas or polars, an Arrow table, or the path of a file"
        raise InputError("candles", type(given).__name__, expected, "cannot be sent")
    about = {}
    if isinstance(given, Candles):
        about = {"symbol": given.symbol, "timeframe": str(given.timeframe), "calendar": given.calendar.name}
    content = _arrow(table_of(given))
    return Body(lambda: content, ARROW, len(content), None, about)


def _file(path: Path) -> Body:
    if not path.is_file():
        raise InputError("candles", str(path), "give the path of one file", "is no file")
    kind = CONTENT_TYPES.get(path.suffix.casefold(), "text/csv")
    return Body(lambda: path.open("rb"), kind, path.stat().st_size, path.name, {})


def _arrow(table: Any) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    plain = table.replace_schema_metadata(None)
    with pa.ipc.new_stream(sink, plain.schema) as writer:
        writer.write_table(plain)
    return bytes(sink.getvalue())
