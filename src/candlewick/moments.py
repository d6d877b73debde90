"""Moments: every accepted form of time, turned into int64 microseconds since 1970 in UTC, or refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from candlewick.columnar import Integers
from candlewick.errors import InputError, NaiveTimeError

Moment = str | int | dt.datetime | dt.date | np.datetime64
"""One point in time: ISO text, microseconds, an aware datetime, datetime64 (UTC), or a date (a session label)."""

Labels = Callable[[Integers], Integers]
"""Session labels (days since 1970) to the microsecond at which each session opens."""

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The microseconds of the years 1 to 9999: what is beyond was given in another unit."""

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO = "give ISO 8601 with an offset, such as 2024-01-02T09:30:00-05:00 or 2024-01-02T14:30:00Z"
_COLUMN = "give a column of datetime64, int64 microseconds or aware datetimes"
_EVERY = "give a time in every row"
_LABEL = "a bare date is a session label: it needs a 1d timeframe"
_DAY = ("D", 1)


def moment(at: Moment, parameter: str, *, labels: Labels | None = None, zone: ZoneInfo | None = None) -> int:
    """One time in microseconds UTC. ``labels`` says what a bare date means, ``zone`` what a naive time is in.

    Raises InputError for what is no time or beyond the years 1 to 9999; NaiveTimeError without a timezone.
    """
    if isinstance(at, bool | np.bool_):
        raise InputError(parameter, at, _ISO, "is not a time")
    if isinstance(at, int | np.integer):
        if not FIRST <= int(at) <= LAST:
            raise _beyond(parameter, int(at))
        return int(at)
    if isinstance(at, np.datetime64):
        if np.isnat(at):
            raise InputError(parameter, None, _ISO, "is missing")
        if labels is not None and np.datetime_data(at.dtype) == _DAY:
            return _opening(int(at.astype(np.int64)), parameter, str(at), labels)
        first, last = _limits(at.dtype)
        if not first <= at <= last:
            raise _beyond(parameter, int(at.astype(np.int64)))
        return int(at.astype("datetime64[us]").astype(np.int64))
    if isinstance(at, str):
        at = _parsed(at.strip(), parameter)
    if isinstance(at, dt.datetime):
        if at != at:  # the missing time of pandas is a datetime
            raise InputError(parameter, at, _ISO, "is missing")
        if at.utcoffset() is None:
            if zone is None:
                raise NaiveTimeError(parameter, at.isoformat())
            at = at.replace(tzinfo=zone)
        return (at - EPOCH) // dt.timedelta(microseconds=1)
    if isinstance(at, dt.date):
        if labels is None:
            raise NaiveTimeError(parameter, at.isoformat(), _LABEL)
        return _opening((at - EPOCH.date()).days, parameter, at.isoformat(), labels)
    raise InputError(parameter, at, _ISO, "is not a time")


def _opening(day: int, parameter: str, text: str, labels: Labels) -> int:
    try:
        return int(labels(np.array([day], dtype=np.int64))[0])
    except InputError as error:  # it does not know which parameter it was asked for
        raise type(error)(parameter, text, error.expected, error.problem) from error


def iso(microseconds: int) -> str:
    """ISO UTC with Z; fractions only where there are any."""
    at = np.datetime64(microseconds, "us")
    unit: Any = "s" if microseconds % 1_000_000 == 0 else "us"
    return f"{np.datetime_as_string(at, unit=unit)}Z"


def moments(column: Any, parameter: str, *, labels: Labels | None = None) -> Integers:
    """A column of times in microseconds UTC: numpy, Arrow, pandas, polars, or a sequence of single times.

    datetime64 by the day is a column of session labels where ``labels`` are given. Shares memory where it can. Raises
    InputError with the row for a missing time and for one beyond the years 1 to 9999; NaiveTimeError.
    """
    column = _numpy(column, parameter, labels)
    if not isinstance(column, np.ndarray):
        return np.array([moment(at, f"{parameter}[{i}]", labels=labels) for i, at in enumerate(column)], dtype=np.int64)
    if column.ndim != 1:
        raise InputError(parameter, column.shape, "give one dimension", "has the wrong shape")
    if isinstance(column, np.ma.MaskedArray):
        _refuse_missing(np.ma.getmaskarray(column), parameter)
        column = np.asarray(column)
    if not column.size:
        return np.empty(0, dtype=np.int64)
    if column.dtype.kind == "M":
        _refuse_missing(np.isnat(column), parameter)
        if labels is not None and np.datetime_data(column.dtype) == _DAY:
            return labels(column.astype(np.int64))
        _refuse_beyond(column, *_limits(column.dtype), parameter)
        return np.ascontiguousarray(column.astype("datetime64[us]", copy=False)).view(np.int64)
    if column.dtype.kind == "i" and column.dtype.itemsize == 8:
        _refuse_beyond(column, FIRST, LAST, parameter)
        return np.ascontiguousarray(column, dtype=np.int64)
    if column.dtype.kind in "OU":
        return moments(column.tolist(), parameter, labels=labels)
    raise InputError(parameter, str(column.dtype), _COLUMN, "is no type of times")


def _numpy(column: Any, parameter: str, labels: Labels | None) -> np.ndarray[Any, Any] | Sequence[Any]:
    """Arrow, pandas and polars columns as datetime64 where they know their timezone; others as they are."""
    if isinstance(column, np.ndarray | list | tuple):
        return column
    if isinstance(column, str | bytes):
        raise InputError(parameter, column, _COLUMN, "is not a column")
    if hasattr(column, "to_arrow"):  # polars
        column = column.to_arrow()
    elif hasattr(column, "to_numpy") and hasattr(column, "dtype"):  # a pandas Series or Index
        if column.dtype == object:
            return np.asarray(column)
        import pyarrow as pa

        column = pa.array(column)
    kind = getattr(column, "type", None)
    if kind is None:
        try:
            return list(column)
        except TypeError as error:
            raise InputError(parameter, column, _COLUMN, "is not a column") from error
    return _from_arrow(column, kind, parameter, labels)


def _from_arrow(column: Any, kind: Any, parameter: str, labels: Labels | None) -> np.ndarray[Any, Any] | Sequence[Any]:
    import pyarrow as pa

    if pa.types.is_timestamp(kind) and kind.tz is None:
        raise NaiveTimeError(parameter, str(kind), "give a column of timestamps with a timezone")
    if column.null_count:
        _refuse_missing(np.asarray(column.is_null()), parameter)
    if pa.types.is_timestamp(kind):  # a timezone says how a timestamp is shown: its number is UTC in any
        return np.asarray(column.to_numpy(zero_copy_only=False))
    if pa.types.is_date(kind):
        if labels is None:
            raise NaiveTimeError(parameter, str(kind), _LABEL)
        return np.asarray(column.cast(pa.date32()).to_numpy(zero_copy_only=False))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    values: list[Any] = column.to_pylist()
    return values


def _parsed(text: str, parameter: str) -> dt.datetime | dt.date:
    try:
        if DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
        return dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(parameter, text, _ISO, "is not a time") from error


def _refuse_missing(missing: np.ndarray[Any, Any], parameter: str) -> None:
    if missing.any():
        raise InputError(f"{parameter}[{int(np.argmax(missing))}]", None, _EVERY, "is missing")


def _limits(kind: np.dtype[Any]) -> tuple[Any, Any]:
    """The years 1 to 9999 in the unit of a datetime64; all of the time that a unit under a microsecond can hold."""
    if np.datetime_data(kind)[0] in ("ns", "ps", "fs", "as"):
        return tuple(np.array([-(2**63) + 1, 2**63 - 1]).view(kind))
    return tuple(np.array([FIRST, LAST], dtype="datetime64[us]").astype(kind))


def _refuse_beyond(column: np.ndarray[Any, Any], first: Any, last: Any, parameter: str) -> None:
    if column.min() < first or column.max() > last:
        row = int(np.argmax((column < first) | (column > last)))
        raise _beyond(f"{parameter}[{row}]", int(column[row].astype(np.int64)))


def _beyond(parameter: str, value: int) -> InputError:
    return InputError(parameter, value, "give microseconds since 1970, UTC", "is beyond the years 1 to 9999")
