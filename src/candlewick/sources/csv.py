"""CSV: blocks of lines into rows. Arrow reads clean blocks as a whole; the others are read line by line.

One physical line is one row: a quoted line break is not supported, and makes two refused rows. Blank lines are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from candlewick.candles import VALUES
from candlewick.errors import FileFormatError
from candlewick.sources.layout import decoded, fields, find_layout, time_text
from candlewick.sources.rows import Reason, Rows, shortened
from candlewick.sources.source import Reading, check_symbol
from candlewick.sources.text_file import Block
from candlewick.sources.text_source import TextSource, shown
from candlewick.sources.timestamps import Form, Kind, TimeReader, to_micros, units_differ

PIECES = 16
"""A block that Arrow cannot read is tried again in so many pieces, and each bad one of those in so many again."""

_PATTERN = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_NUMBER = re.compile(_PATTERN, re.ASCII)


class Unclear(Exception):
    """Arrow read something else than one row from each line that is not empty."""


class CsvSource(TextSource):
    """Rows of a text file with a header line; delimiter, columns and the form of times are recognised."""

    def prepare(self, reading: Reading) -> None:
        head, whole = self.file.head()
        self._layout = find_layout(self.name, head, whole=whole)
        check_symbol(self.name, reading, column=self._layout.columns.symbol is not None)
        self._reading = reading
        self._reader = TimeReader(self._layout.times, reading.calendar, reading.timeframe, reading.zone)
        self._reader.check(self.name, self._layout.example)

    def rows(self) -> Iterator[Rows]:
        seen = 0
        for block in self.file.blocks(self._digest.update):
            for piece in self._read(_without_header(block, self._layout.header_line)):
                seen += len(piece)
                yield piece
        if not seen:
            raise FileFormatError("file", self.name, "give a file with rows", "has a header but no rows")

    def _read(self, block: Block, depth: int = 2) -> Iterator[Rows]:
        """1. Everything by Arrow; 2. numbers as texts, the bad ones sorted out; 3. in pieces; 4. line by line."""
        if not block.data:
            return
        if self._layout.times.fast:
            import pyarrow as pa

            for numbers in (pa.float64(), pa.string()):
                try:
                    rows = self._fast(block, numbers)
                except (pa.ArrowInvalid, Unclear):
                    continue
                yield rows
                return
            if depth:
                for piece in _pieces(block, PIECES):
                    yield from self._read(piece, depth - 1)
                return
        yield self._slow(block)

    def _fast(self, block: Block, numbers: Any) -> Rows:
        import pyarrow as pa
        import pyarrow.csv as arrow_csv

        columns, names = self._layout.columns, [str(at) for at in range(self._layout.width)]
        types: dict[str, Any] = {str(at): numbers for at in columns.values}
        types[str(columns.time)] = self._time_type()
        if self._layout.times.form is Form.EPOCH and (b"0x" in block.data or b"0X" in block.data):
            raise Unclear  # Arrow takes hexadecimal numbers, we do not
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
        separated = self._layout.times.separator != "-"
        if self._layout.columns.date is not None or form is Form.LOCAL or separated:
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
            if form.separator != "-":
                column = _with_dashes(column, form.separator)
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
            text, problem = decoded(raw)
            if not text.strip():
                continue
            row = fields(text, layout.delimiter)
            if problem == Reason.SOUND and len(row) != layout.width:
                problem = Reason.TOO_FEW_FIELDS if len(row) < layout.width else Reason.TOO_MANY_FIELDS
            lines.append(line)
            texts.append(text)
            problems.append(problem)
            cells.append(row if len(row) == layout.width else [*row, *[""] * layout.width][: layout.width])
        time, bad_times = self._reader.texts([time_text(row, columns) for row in cells])
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


def _with_dashes(column: Any, separator: str) -> Any:
    """Dates as 2024.01.02 or 2024/01/02 at the beginning of texts, rewritten with dashes."""
    import pyarrow.compute as pc

    pattern = f"^[0-9]{{4}}[{separator}][0-9]{{2}}[{separator}]"
    if not pc.all(pc.match_substring_regex(column, pattern)).as_py():
        raise Unclear
    return pc.replace_substring(column, separator, "-", max_replacements=2)


class _Raw:
    """The rows of a block as they stand in the file; split into lines only when one is asked for."""

    def __init__(self, block: Block) -> None:
        self._block = block

    @cached_property
    def _texts(self) -> list[bytes]:
        return [line for line in self._block.data.split(b"\n")[:-1] if line]

    def __call__(self, row: int) -> str:
        return shown(self._texts[row])


_KINDS = {Form.OFFSET: Kind.UTC, Form.LOCAL: Kind.LOCAL, Form.EPOCH: Kind.UTC, Form.DATE: Kind.DAY}


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
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type):
        texts = pc.ascii_trim_whitespace(column)
        sound = pc.match_substring_regex(texts, f"^(?:{_PATTERN})$")
        column = pc.cast(pc.if_else(sound, texts, None), pa.float64())
    if column.null_count:
        column = pc.fill_null(column, float("nan"))
    return column.to_numpy()


def number(text: str) -> float:
    """A number as it is written in a text; NaN for anything else."""
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else float("nan")
