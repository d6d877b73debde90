"""Candles: the rows that everything starts from, validated once and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from candlewick.columnar import Columnar, Floats, Integers, Times
from candlewick.errors import InputError, MissingColumnError
from candlewick.moments import Moment, moment, moments
from candlewick.sessions.calendar import Calendar, find_calendar
from candlewick.timeframe import Timeframe

if TYPE_CHECKING:
    import pyarrow as pa

PRICES = ("open", "high", "low", "close")
VALUES = (*PRICES, "volume")
COLUMNS = ("time", *VALUES)


class Candles(Columnar):
    """Candles of one symbol and timeframe, sorted by open time, unique, every row sound.

    ``time``: numpy datetime64 or int64 microseconds (both UTC), or timezone-aware datetimes, a timezone-aware Arrow,
    pandas or polars column, or ISO text with an offset; for 1d and coarser also bare dates, which are session labels.
    Values become float64; arrays that already are float64 are shared, not copied, so do not write to them afterwards.

    Raises InputError with column, row and value for unequal lengths, unsorted or repeated times, a value that is not
    finite, high below or low above open or close, or a negative volume; NaiveTimeError for times without a timezone.
    """

    __slots__ = ("_memo", "_time", "calendar", "close", "high", "low", "open", "symbol", "timeframe", "volume")

    symbol: str
    timeframe: Timeframe
    calendar: Calendar
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    _time: Integers
    _memo: dict[str, Any]

    def __init__(
        self,
        *,
        symbol: str,
        timeframe: str | Timeframe,
        calendar: str | Calendar,
        time: Any,
        open: Any,  # noqa: A002 - the field's standard name
        high: Any,
        low: Any,
        close: Any,
        volume: Any,
    ) -> None:
        length = Timeframe.parse(timeframe)
        sessions = find_calendar(calendar)
        given = {"open": open, "high": high, "low": low, "close": close, "volume": volume}
        times = moments(time, "time", labels=None if length.intraday else sessions.label_opens)
        values = {name: _floats(column, name, len(times)) for name, column in given.items()}
        _check_order(times)
        check_rows(values)
        self._fill(_symbol(symbol), length, sessions, times, values)

    @classmethod
    def trusted(
        cls, symbol: str, timeframe: Timeframe, calendar: Calendar, time: Integers, values: Mapping[str, Floats]
    ) -> Self:
        """Candles from columns that were checked before (by a store, or by slicing): nothing is checked or copied."""
        self = cls.__new__(cls)
        self._fill(symbol, timeframe, calendar, time, values)
        return self

    @classmethod
    def from_arrow(
        cls,
        table: Any,
        *,
        symbol: str | None = None,
        timeframe: str | Timeframe | None = None,
        calendar: str | Calendar | None = None,
    ) -> Self:
        """Candles from anything that speaks Arrow (polars, pandas 3, pyarrow, DuckDB, our own tables).

        Needs the columns time, open, high, low, close and volume; others are ignored. Symbol, timeframe and calendar
        may be left out for a table that came from candlewick, which carries them. Raises MissingColumnError,
        NaiveTimeError for a timestamp column without a timezone, and whatever the constructor raises.
        """
        arrow = _table(table)
        known = arrow.schema.metadata or {}
        about: dict[str, Any] = {"symbol": symbol, "timeframe": timeframe, "calendar": calendar}
        for name, value in about.items():
            carried = known.get(f"candlewick.{name}".encode())
            if value is None:
                if carried is None:
                    raise InputError(name, None, "give it: this table does not carry it", "is missing")
                about[name] = carried.decode()
        for name in COLUMNS:
            if name not in arrow.column_names:
                raise MissingColumnError("table", name, arrow.column_names)
            if arrow.column_names.count(name) > 1:
                raise InputError("table", name, "give each column once", "column stands twice")
        return cls(**about, **{name: arrow.column(name) for name in COLUMNS})

    def _fill(
        self, symbol: str, timeframe: Timeframe, calendar: Calendar, time: Integers, values: Mapping[str, Floats]
    ) -> None:
        put = object.__setattr__
        put(self, "symbol", symbol)
        put(self, "timeframe", timeframe)
        put(self, "calendar", calendar)
        put(self, "_time", frozen(time))
        for name in VALUES:
            put(self, name, frozen(values[name]))
        put(self, "_memo", {})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be deleted")

    @property
    def time(self) -> Times:
        """Open times, datetime64[us], UTC."""
        return self._time.view("datetime64[us]")

    @property
    def microseconds(self) -> Integers:
        """Open times as int64 microseconds since 1970, UTC: the same memory as ``time``."""
        return self._time

    def memo(self, key: str, make: Any) -> Any:
        """What ``make(self)`` returned the first time: for values derived from frozen columns, asked for again."""
        if key not in self._memo:
            self._memo[key] = make(self)
        return self._memo[key]

    def rows(self, start: int, stop: int) -> Self:
        """Rows ``start`` to ``stop`` (as a slice has them), sharing memory."""
        cut = slice(start, stop)
        values = {name: getattr(self, name)[cut] for name in VALUES}
        return type(self).trusted(self.symbol, self.timeframe, self.calendar, self._time[cut], values)

    def between(self, start: Moment | None = None, end: Moment | None = None) -> Self:
        """Candles with ``start <= time < end``, sharing memory. A date means the open of that session."""
        low, high = (
            None if at is None else moment(at, name, labels=self.calendar.label_opens)
            for name, at in (("start", start), ("end", end))
        )
        first = 0 if low is None else int(np.searchsorted(self._time, low))
        last = len(self._time) if high is None else int(np.searchsorted(self._time, high))
        return self.rows(first, max(first, last))

    def __getitem__(self, cut: slice) -> Self:
        """``candles[10:20]`` by row, ``candles["2024-01-02":]`` by time; half-open either way."""
        if not isinstance(cut, slice) or cut.step not in (None, 1):
            raise InputError("cut", cut, "give a slice without a step, by row or by time")
        if all(isinstance(at, int | np.integer | None) for at in (cut.start, cut.stop)):
            first, last, _ = cut.indices(len(self))
            return self.rows(first, max(first, last))
        return self.between(cut.start, cut.stop)

    def __len__(self) -> int:
        return len(self._time)

    def __reduce__(self) -> tuple[Any, ...]:
        values = {name: getattr(self, name) for name in VALUES}
        return type(self).trusted, (self.symbol, self.timeframe, self.calendar, self._time, values)

    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        return {"time": self.time, **{name: getattr(self, name) for name in VALUES}}

    def _metadata(self) -> dict[str, str]:
        return {"symbol": self.symbol, "timeframe": str(self.timeframe), "calendar": self.calendar.name}


def check_rows(values: Mapping[str, Floats]) -> None:
    """Raise InputError for the first row that is not sound; ``sources.check`` sorts such rows out instead."""
    for name in VALUES:
        _refuse(name, values[name], ~np.isfinite(values[name]), "give finite numbers", "is not finite")
    top = np.maximum(values["open"], values["close"])
    bottom = np.minimum(values["open"], values["close"])
    _refuse("high", values["high"], values["high"] < top, "high is at least open and close", "is too low")
    _refuse("low", values["low"], values["low"] > bottom, "low is at most open and close", "is too high")
    _refuse("volume", values["volume"], values["volume"] < 0, "volume is 0 or more", "is negative")


def frozen(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A read-only view of the same memory."""
    view = column.view()
    view.flags.writeable = False
    return view


def _refuse(name: str, column: Floats, bad: npt.NDArray[np.bool_], expected: str, problem: str) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(f"{name}[{row}]", float(column[row]), expected, problem)


def _check_order(time: Integers) -> None:
    steps = np.diff(time)
    if len(steps) and steps.min() <= 0:
        row = int(np.argmax(steps <= 0)) + 1
        problem = "stands twice" if steps[row - 1] == 0 else "is before the row above it"
        raise InputError(f"time[{row}]", str(time[row].view("datetime64[us]")), "times ascend and are unique", problem)


def _floats(column: Any, name: str, rows: int) -> Floats:
    """A column as float64, shared where it is that already. Missing values become NaN, which ``check_rows`` refuses."""
    try:
        given = np.asarray(column)
        if isinstance(column, np.ma.MaskedArray):
            given = np.where(np.ma.getmaskarray(column), np.nan, given)
        if given.dtype.kind == "O":
            _refuse_text(given, name)
        elif given.dtype.kind not in "iuf":
            raise InputError(name, str(given.dtype), "give numbers", "is no type of numbers")
        values = np.ascontiguousarray(given, dtype=np.float64)
    except InputError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(name, column, "give numbers", "is not a column of numbers") from error
    if given.shape != (rows,):
        raise InputError(name, given.shape, f"give one value for each of the {rows} times", "has the wrong length")
    return values


def _refuse_text(column: npt.NDArray[Any], name: str) -> None:
    """numpy would read text and truth as numbers."""
    for row, value in enumerate(column.flat):
        if isinstance(value, str | bytes | bool):
            raise InputError(f"{name}[{row}]", value, "give numbers", "is not a number")


def _table(table: Any) -> pa.Table:
    import pyarrow as pa

    if isinstance(table, pa.Table):
        return table
    try:
        return pa.table(table)
    except (TypeError, ValueError) as error:
        expected = "give a table of polars, pandas, pyarrow or DuckDB, or what speaks the Arrow PyCapsule interface"
        raise InputError("table", table, expected, "is not a table") from error


def _symbol(symbol: object) -> str:
    if not isinstance(symbol, str) or not symbol.strip():
        raise InputError("symbol", symbol, "give a name such as 'AAPL'", "is not a symbol")
    return symbol


def check_candles(given: object) -> None:
    """Raise InputError for what is not `Candles`, such as a frame, and say how it becomes some."""
    if not isinstance(given, Candles):
        expected = "make candles of it first: from_frame, read_csv, Candles.from_arrow or Candles(...)"
        raise InputError("candles", type(given).__name__, expected, "is no Candles")
