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
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO = "give ISO 8601 with an offset, such as 2024-01-02T09:30:00-05:00 or 2024-01-02T14:30:00Z"


def moment(at: Moment, parameter: str, *, labels: Labels | None = None, zone: ZoneInfo | None = None) -> int:
    """One time in microseconds UTC. ``labels`` says what a bare date means, ``zone`` what a naive time is in."""
    if isinstance(at, bool):
        raise InputError(parameter, at, _ISO)
    if isinstance(at, int | np.integer):
        return int(at)
    if isinstance(at, np.datetime64):
        if np.isnat(at):
            raise InputError(parameter, at, _ISO)
        return int(at.astype("datetime64[us]").astype(np.int64))
    if isinstance(at, str):
        at = _parsed(at.strip(), parameter)
    if isinstance(at, dt.datetime):
        if at.tzinfo is None:
            if zone is None:
                raise NaiveTimeError(parameter, at.isoformat())
            at = at.replace(tzinfo=zone)
        return (at - EPOCH) // dt.timedelta(microseconds=1)
    if isinstance(at, dt.date):
        if labels is None:
            raise NaiveTimeError(parameter, at.isoformat(), "a bare date is a session label: it needs a 1d timeframe")
        days = np.array([(at - EPOCH.date()).days], dtype=np.int64)
        return int(labels(days)[0])
    raise InputError(parameter, at, _ISO, "is not a time")


def moments(column: Any, parameter: str, *, labels: Labels | None = None) -> Integers:
    """A column of times in microseconds UTC: numpy, Arrow, pandas, polars, or a sequence of single times."""
    column = _numpy(column, parameter)
    if not isinstance(column, np.ndarray):
        return np.array([_labelled(at, f"{parameter}[{i}]", labels) for i, at in enumerate(column)], dtype=np.int64)
    if column.dtype.kind == "M":
        _refuse_missing(np.isnat(column), parameter)
        if labels is not None and column.dtype == np.dtype("datetime64[D]"):
            return labels(column.astype(np.int64))
        return np.ascontiguousarray(column.astype("datetime64[us]", copy=False)).view(np.int64)
    if column.dtype == np.int64:
        return np.ascontiguousarray(column)
    if column.dtype.kind in "OU":
        return moments(column.tolist(), parameter, labels=labels)
    raise InputError(parameter, column.dtype, "give datetime64, int64 microseconds or aware datetimes", "is no time")


def _labelled(at: Moment, parameter: str, labels: Labels | None) -> int:
    return moment(at, parameter, labels=labels)


def _numpy(column: Any, parameter: str) -> np.ndarray[Any, Any] | Sequence[Any]:
    """Arrow, pandas and polars columns as datetime64 where they know their timezone; others as they are."""
    if isinstance(column, np.ndarray | list | tuple):
        return column
    if hasattr(column, "to_arrow"):  # polars
        column = column.to_arrow()
    elif hasattr(column, "to_numpy") and hasattr(column, "dtype"):  # a pandas Series or Index
        import pyarrow as pa

        column = pa.array(column)
    kind = getattr(column, "type", None)
    if kind is None:
        return list(column)
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise NaiveTimeError(parameter, str(kind), "give a column of timestamps with a timezone")
        if column.null_count:
            raise InputError(parameter, None, "give a time in every row", "is missing")
        whole = column.cast(pa.timestamp("us", "UTC"), safe=False)
        return np.asarray(whole.to_numpy()).astype("datetime64[us]", copy=False)
    if pa.types.is_date(kind):
        return np.asarray(column.cast(pa.date32()).to_numpy()).astype("datetime64[D]", copy=False)
    if pa.types.is_int64(kind):
        return np.asarray(column.to_numpy())
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
        raise InputError(f"{parameter}[{int(np.argmax(missing))}]", "NaT", "give a time in every row", "is missing")
