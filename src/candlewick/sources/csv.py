"""CSV: blocks of lines into rows. Arrow reads clean blocks as a whole; the others are read line by line.

One physical line is one row: a quoted line break is not supported, and makes two refused rows. Blank lines are none.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from candlewick.candles import VALUES
from candlewick.errors import FileFormatError
from candlewick.sources.columns import Columns, recognise, recognised
from candlewick.sources.rows import Reason, Rows, shortened
from candlewick.sources.source import Reading, Source, check_symbol
from candlewick.sources.text_file import Block, TextFile
from candlewick.sources.timestamps import Form, Kind, TimeForm, TimeReader, to_micros, units_differ
from candlewick.sources.timestamps import recognise as recognise_times

DELIMITERS = (",", ";", "\t", "|")
PIECES = 16
"""A block that Arrow cannot read is tried again in so many pieces, so that one bad line costs little."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class Unclear(Exception):
    """Arrow read something else than one row from each line that is not empty."""


@dataclass(frozen=True)
class Layout:
    """How the lines of a file are laid out."""

    delimiter: str
    width: int
    columns: Columns
    header_line: int
    times: TimeForm


class CsvSource(Source):
    """Rows of a text file with a header line; delimiter, columns and the form of times are recognised."""

    def __init__(self, file: TextFile) -> None:
        self.file = file
        self.name = file.name
        self.size = file.size
        self.expands = 6.0 if file.compressed else 1.0
        self._digest = hashlib.sha256()

    def prepare(self, reading: Reading) -> None:
        head, whole = self.file.head()
        header, number, rest = _header(self.name, head, whole=whole)
        split = {mark: _fields(header, mark) for mark in DELIMITERS}
        delimiter = max(DELIMITERS, key=lambda mark: (recognised(split[mark]), len(split[mark])))
        cells = split[delimiter]
        columns = recognise(cells, self.name)
        check_symbol(self.name, reading, column=columns.symbol is not None)
        rows = [_fields(line, delimiter) for line in rest if line.strip()]
        if not rows and whole:
            raise FileFormatError("file", self.name, "give a file with rows", "has a header but no rows")
        times, example = recognise_times(_time(row, columns) for row in rows if len(row) == len(cells))
        self._layout = Layout(delimiter, len(cells), columns, number, times)
        self._reading = reading
        self._reader = TimeReader(times, reading.calendar, reading.timeframe, reading.zone)
        self._reader.check(self.name, example)

    def rows(self) -> Iterator[Rows]:
        seen = 0
        for block in self.file.blocks(self._digest.update):
            for piece in self._read(_without_header(block, self._layout.header_line)):
                seen += len(piece)
                yield piece
        if not seen:
            raise FileFormatError("file", self.name, "give a file with rows", "has a header but no rows")

    def content(self) -> str:
        return self._digest.hexdigest()

    def raw(self, lines: Collection[int]) -> Mapping[int, str]:
        found: dict[int, str] = {}
        wanted = np.array(sorted(lines), dtype=np.int64)
        for block in self.file.blocks():
            here = wanted[(wanted >= block.first) & (wanted < block.first + block.data.count(b"\n"))]
            if len(here):
                texts = block.data.split(b"\n")
                found.update({int(line): _shown(texts[line - block.first]) for line in here})
        return found

    def _read(self, block: Block, pieces: int = PIECES) -> Iterator[Rows]:
        if not block.data:
            return
        if self._layout.times.fast:
            import pyarrow as pa

            try:
                yield self._fast(block)
                return
            except (pa.ArrowInvalid, Unclear):
                pass
            if pieces > 1:
                for piece in _pieces(block, pieces):
                    yield from self._read(piece, 1)
                return
        yield self._slow(block)

    def _fast(self, block: Block) -> Rows:
        import pyarrow as pa
        import pyarrow.csv as arrow_csv

        columns, names = self._layout.columns, [str(at) for at in range(self._layout.width)]
        types: dict[str, Any] = {str(at): pa.float64() for at in columns.values}
        types[str(columns.time)] = self._time_type()
        if columns.date is not None:
            types[str(columns.date)] = pa.string()
        if columns.symbol is not None:
            types[str(columns.symbol)] = pa.dictionary(pa.int32(), pa.string())
        table = arrow_csv.read_csv(
            pa.py_buffer(block.data),
            arrow_csv.ReadOptions(column_names=names, block_size=len(block.data) + 1),
            arrow_csv.ParseOptions(delimiter=self._layout.delimiter),
            arrow_csv.ConvertOptions(column_types=types, include_columns=list(types), strings_can_be_null=False),
        )
        time, problem = self._times(table)
        symbol, listed = self._symbols(table)
        return Rows(
            listed,
            symbol,
            time,
            {name: _floats(table.column(str(at))) for name, at in zip(VALUES, columns.values, strict=True)},
            _lines(block, table.num_rows),
            problem,
            _Raw(block),
            block.done,
        )

    def _time_type(self) -> Any:
        import pyarrow as pa

        form = self._layout.times.form
        if self._layout.columns.date is not None or form is Form.LOCAL:
            return pa.string()
        kinds = {Form.OFFSET: pa.timestamp("us", "UTC"), Form.EPOCH: pa.int64(), Form.DATE: pa.date32()}
        return kinds[form]

    def _times(self, table: Any) -> tuple[Any, Any]:
        import pyarrow as pa
        import pyarrow.compute as pc

        form, columns = self._layout.times, self._layout.columns
        column = table.column(str(columns.time))
        if columns.date is not None:
            column = pc.binary_join_element_wise(table.column(str(columns.date)), column, "T")
        if pa.types.is_string(column.type):
            # Arrow takes a local date for midnight; here that is a row without a time of day, so it is read apart.
            if len(column) and pc.min(pc.binary_length(column)).as_py() < len("2024-01-02T09:30"):
                raise Unclear
            zoned = form.form is Form.OFFSET
            column = pc.cast(column, pa.timestamp("us", "UTC" if zoned else None))
        missing = np.asarray(pc.is_null(column).to_numpy(), dtype=np.bool_)
        plain = column.cast(pa.int32()).cast(pa.int64()) if pa.types.is_date(column.type) else column.cast(pa.int64())
        values = np.array(pc.fill_null(plain, 0).to_numpy(), dtype=np.int64)
        kinds = np.full(len(values), _KINDS[form.form], dtype=np.uint8)
        if form.form is Form.EPOCH:
            kinds[units_differ(values, form.unit)] = Kind.ANOTHER_UNIT
            values = to_micros(np.where(kinds == Kind.ANOTHER_UNIT, 0, values), form.unit)
        kinds[missing] = Kind.UNREADABLE
        return self._reader.settle(kinds, values)

    def _symbols(self, table: Any) -> tuple[Any, list[str]]:
        if self._layout.columns.symbol is None:
            return np.zeros(table.num_rows, dtype=np.int32), [self._reading.symbol or ""]
        column = table.column(str(self._layout.columns.symbol)).combine_chunks()
        column = column.chunk(0) if hasattr(column, "chunk") else column
        return column.indices.to_numpy(), [name.strip() for name in column.dictionary.to_pylist()]

    def _slow(self, block: Block) -> Rows:
        layout, columns = self._layout, self._layout.columns
        lines, texts, cells = [], [], []
        problems: list[int] = []
        for line, raw in enumerate(block.data.split(b"\n")[:-1], block.first):
            text, problem = _decoded(raw)
            if not text.strip():
                continue
            row = _fields(text, layout.delimiter)
            if problem == Reason.SOUND and len(row) != layout.width:
                problem = Reason.TOO_FEW_FIELDS if len(row) < layout.width else Reason.TOO_MANY_FIELDS
            lines.append(line)
            texts.append(text)
            problems.append(problem)
            cells.append(row if len(row) == layout.width else [*row, *[""] * layout.width][: layout.width])
        time, bad_times = self._reader.texts([_time(row, columns) for row in cells])
        problem_codes = np.array(problems, dtype=np.uint8)
        problem_codes = np.where(problem_codes == Reason.SOUND, bad_times, problem_codes).astype(np.uint8)
        at = columns.symbol
        names = [(self._reading.symbol or "") if at is None else row[at].strip() for row in cells]
        listed = {name: place for place, name in enumerate(dict.fromkeys(names))}
        return Rows(
            list(listed),
            np.array([listed[name] for name in names], dtype=np.int32),
            time,
            {
                name: np.array([number(row[at]) for row in cells], dtype=np.float64)
                for name, at in zip(VALUES, columns.values, strict=True)
            },
            np.array(lines, dtype=np.int64),
            problem_codes,
            lambda i: shortened(texts[i]),
            block.done,
        )


class _Raw:
    """The rows of a block as they stand in the file; split into lines only when one is asked for."""

    def __init__(self, block: Block) -> None:
        self._block = block

    @cached_property
    def _texts(self) -> list[bytes]:
        return [line for line in self._block.data.split(b"\n")[:-1] if line]

    def __call__(self, row: int) -> str:
        return _shown(self._texts[row])


_KINDS = {Form.OFFSET: Kind.UTC, Form.LOCAL: Kind.LOCAL, Form.EPOCH: Kind.UTC, Form.DATE: Kind.DAY}


def _header(name: str, head: bytes, *, whole: bool) -> tuple[str, int, list[str]]:
    """The header line, its number, and the lines of the head after it."""
    if not head.strip():
        problem = "is an empty file" if whole else "begins with nothing but blank lines"
        raise FileFormatError("file", name, "give a file with a header and rows", problem)
    if b"\x00" in head:
        raise FileFormatError("file", name, "give UTF-8 text with a header line", "is not text")
    lines = head.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    if not whole:
        lines = lines[:-1]  # it may go on beyond the head
    for number, raw in enumerate(lines, 1):
        text, unreadable = _decoded(raw)
        if unreadable:
            raise FileFormatError("file", name, "give UTF-8 text with a header line", "is not UTF-8 text")
        if text.strip():
            return text, number, [_decoded(line)[0] for line in lines[number:]]
    raise FileFormatError("file", name, "give a file with a header line", "has a first line that is too long")


def _without_header(block: Block, header_line: int) -> Block:
    skip = header_line - block.first + 1
    if skip <= 0:
        return block
    at = 0
    for _ in range(skip):
        at = block.data.find(b"\n", at) + 1
        if at == 0:
            return Block(b"", block.first, block.done)
    return Block(block.data[at:], block.first + skip, block.done)


def _pieces(block: Block, count: int) -> Iterator[Block]:
    at, first = 0, block.first
    step = max(1, len(block.data) // count)
    while at < len(block.data):
        stop = block.data.find(b"\n", min(at + step, len(block.data) - 1)) + 1
        data = block.data[at:stop]
        yield Block(data, first, block.done)
        first += data.count(b"\n")
        at = stop


def _lines(block: Block, rows: int) -> Any:
    count = block.data.count(b"\n")
    if count == rows:
        return np.arange(block.first, block.first + rows, dtype=np.int64)
    ends = np.flatnonzero(np.frombuffer(block.data, dtype=np.uint8) == ord("\n"))
    filled = np.flatnonzero(np.diff(ends, prepend=-1) > 1)
    if len(filled) != rows:
        raise Unclear
    return filled.astype(np.int64) + block.first


def _floats(column: Any) -> Any:
    import pyarrow.compute as pc

    if column.null_count:
        column = pc.fill_null(column, float("nan"))
    return column.to_numpy()


def _fields(line: str, delimiter: str) -> list[str]:
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error:
        return line.split(delimiter)


def _time(row: list[str], columns: Columns) -> str:
    if columns.date is None:
        return row[columns.time]
    return f"{row[columns.date].strip()}T{row[columns.time].strip()}"


def number(text: str) -> float:
    """A number as it is written in a text; NaN for anything else."""
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else float("nan")


def _decoded(raw: bytes) -> tuple[str, Reason]:
    try:
        return raw.decode("utf-8"), Reason.SOUND
    except UnicodeDecodeError:
        return raw.decode("utf-8", errors="backslashreplace"), Reason.NOT_TEXT


def _shown(raw: bytes) -> str:
    return shortened(_decoded(raw)[0])
