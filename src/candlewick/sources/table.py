"""Table: record batches of Arrow into rows, whatever types their columns have."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from candlewick.candles import VALUES
from candlewick.errors import InputError
from candlewick.sources.columns import recognise
from candlewick.sources.csv import number
from candlewick.sources.local_time import DAY
from candlewick.sources.rows import Codes, Rows, shortened
from candlewick.sources.source import Reading, check_symbol
from candlewick.sources.timestamps import Form, Kind, TimeForm, TimeReader, to_micros, unit_of, units_differ
from candlewick.sources.timestamps import recognise as recognise_times


class TableReader:
    """Reads the batches of one table: which column is what, and how its times are written, is decided once.

    ``first``: the first batch with rows, or None. Timestamps with a timezone are UTC; without one they are local.
    Raises MissingColumnError, NaiveTimeError, or InputError for a column of a type that cannot be meant.
    """

    def __init__(self, name: str, schema: Any, first: Any, reading: Reading) -> None:
        self.name = name
        self._reading = reading
        self._columns = recognise(schema.names, name)
        check_symbol(name, reading, column=self._columns.symbol is not None)
        self._check_types(schema)
        times, example = self._form(first)
        self._reader = TimeReader(times, reading.calendar, reading.timeframe, reading.zone)
        self._reader.check(name, example)

    def rows(self, batch: Any, first: int, done: int) -> Rows:
        """The rows of a batch; ``first`` is the number of its first row, from 1."""
        time, problem = self._time(self._time_texts(batch))
        symbol, names = self._symbols(batch)
        return Rows(
            names,
            symbol,
            time,
            {name: _floats(batch.column(at)) for name, at in zip(VALUES, self._columns.values, strict=True)},
            np.arange(first, first + batch.num_rows, dtype=np.int64),
            problem,
            lambda row: written(batch, row),
            done,
        )

    def _check_types(self, schema: Any) -> None:
        import pyarrow as pa

        for role, at in zip(VALUES, self._columns.values, strict=True):
            kind = schema.field(at).type
            numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
            if not (numeric or _is_text(kind) or pa.types.is_null(kind)):
                raise InputError(self.name, str(kind), f"give numbers in {role}", "is no type of a number")
        kind = schema.field(self._columns.time).type
        timely = pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_integer(kind) or _is_text(kind)
        if not timely and self._columns.date is None:
            expected = "give timestamps, dates, epoch numbers or text"
            raise InputError(self.name, str(kind), expected, "is no type of a time")

    def _time_texts(self, batch: Any) -> Any:
        """The time column; a date and a time of day in two columns are joined to text."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = batch.column(self._columns.time)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if self._columns.date is None:
            return column
        both = (pc.cast(part, pa.string()) for part in (batch.column(self._columns.date), column))
        return pc.binary_join_element_wise(*both, "T")

    def _form(self, batch: Any) -> tuple[TimeForm, str]:
        import pyarrow as pa

        if batch is None:
            return TimeForm(Form.UNKNOWN), ""
        column = self._time_texts(batch)
        kind = column.type
        first = next((str(value) for one in column[:1000] if (value := _plain(one)) is not None), "")
        if pa.types.is_timestamp(kind):
            if kind.tz is not None:
                return TimeForm(Form.OFFSET), first
            # pandas has no dates: it writes the sessions of 1d and coarser candles as midnights.
            days = self._reading.zone is None and not self._reading.timeframe.intraday and _midnights(column)
            return TimeForm(Form.DATE if days else Form.LOCAL), first
        if pa.types.is_date(kind):
            return TimeForm(Form.DATE), first
        if pa.types.is_integer(kind):
            return TimeForm(Form.EPOCH, unit_of(int(first or 0))), first
        return recognise_times(str(text) for text in column[:1000].to_pylist() if text is not None)

    def _time(self, column: Any) -> tuple[Any, Codes]:
        import pyarrow as pa
        import pyarrow.compute as pc

        form, kind = self._reader.form, column.type
        if _is_text(kind):
            return self._reader.texts([text or "" for text in column.to_pylist()])
        missing = np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False), dtype=np.bool_)
        if pa.types.is_timestamp(kind):
            plain = column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
        elif pa.types.is_date(kind):
            plain = column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
        else:
            plain = column.cast(pa.int64())
        values = np.array(pc.fill_null(plain, 0).to_numpy(zero_copy_only=False), dtype=np.int64)
        kinds = np.full(len(values), _KINDS[form.form], dtype=np.uint8)
        if form.form is Form.DATE and pa.types.is_timestamp(kind):
            kinds[values % DAY != 0] = Kind.LOCAL
            values = np.where(kinds == Kind.DAY, values // DAY, values)
        if form.form is Form.EPOCH:
            kinds[units_differ(values, form.unit)] = Kind.ANOTHER_UNIT
            values = to_micros(np.where(kinds == Kind.ANOTHER_UNIT, 0, values), form.unit)
        kinds[missing] = Kind.UNREADABLE
        return self._reader.settle(kinds, values)

    def _symbols(self, batch: Any) -> tuple[Any, list[str]]:
        import pyarrow as pa
        import pyarrow.compute as pc

        if self._columns.symbol is None:
            return np.zeros(batch.num_rows, dtype=np.int32), [self._reading.symbol or ""]
        column = batch.column(self._columns.symbol)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        coded = pc.fill_null(column.cast(pa.string()), "").dictionary_encode()
        codes = coded.indices.cast(pa.int32()).to_numpy(zero_copy_only=False)
        return codes, [name.strip() for name in coded.dictionary.to_pylist()]


_KINDS = {
    Form.OFFSET: Kind.UTC,
    Form.LOCAL: Kind.LOCAL,
    Form.EPOCH: Kind.UTC,
    Form.DATE: Kind.DAY,
    Form.UNKNOWN: Kind.UNREADABLE,
}


def written(batch: Any, row: int) -> str:
    """A row of a table as a line of CSV, which is how a refused one is kept."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([_cell(_plain(column[row])) for column in batch.columns])
    return shortened(line.getvalue())


def _plain(scalar: Any) -> Any:
    """A value as Python has it; the bare number of a time so far away that Python has none."""
    try:
        return scalar.as_py()
    except (OverflowError, ValueError, LookupError):
        return getattr(scalar, "value", None)


def _cell(value: Any) -> str:
    return "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)


def _midnights(column: Any) -> bool:
    """True when every time of a column of timestamps is the beginning of a day."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.drop_null(column).cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    return bool((np.asarray(plain) % DAY == 0).all())


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _floats(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_text(column.type):
        numbers = [number(text or "") for text in column.to_pylist()]
        return np.array(numbers, dtype=np.float64)
    column = column.cast(pa.float64(), safe=False)
    return pc.fill_null(column, float("nan")).to_numpy(zero_copy_only=False)
