"""Served answer: bars and indicators as a server gave them, the same values, bit for bit, that it computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from candlewick.candles import frozen
from candlewick.columnar import Columnar, Floats, Times
from candlewick.errors import FileFormatError, UnknownNameError
from candlewick.service.answer import BAR_COLUMNS
from candlewick.timeframe import Timeframe

ABOUT = ("symbol", "timeframe", "source", "engine", "revision", "fingerprint")
ARROW = "application/vnd.apache.arrow.stream"
JSON = "application/json"
ACCEPTED = f"{ARROW}, {JSON};q=0.1"
"""What is asked for: Arrow; JSON of a server that does not have it."""


class ServedAnswer(Columnar):
    """Bars of the asked range and their indicators, as columns: ``answer["close"]``, ``answer["sma_9"]``.

    ``time`` is datetime64[us] in UTC, ``n`` int32, ``final`` bool, every other column float64, NaN where undefined; all
    read-only. ``source``, ``engine``, ``revision`` and ``fingerprint`` are those of `candlewick.service.answer`;
    ``arm``, ``cache`` and ``fallback`` say how the server came by it. Speaks Arrow, as all tables of candlewick do.
    """

    __slots__ = (*ABOUT, "arm", "cache", "columns", "fallback")

    symbol: str
    timeframe: Timeframe
    source: Timeframe
    engine: str
    revision: int
    fingerprint: str
    arm: str
    cache: str
    fallback: bool
    columns: Mapping[str, npt.NDArray[Any]]

    def __init__(
        self, about: Mapping[str, Any], columns: Mapping[str, npt.NDArray[Any]], how: Mapping[str, str] | None = None
    ) -> None:
        put = object.__setattr__
        put(self, "columns", MappingProxyType({name: frozen(values) for name, values in columns.items()}))
        for name in ABOUT:
            put(self, name, about[name])
        put(self, "timeframe", Timeframe.parse(about["timeframe"]))
        put(self, "source", Timeframe.parse(about["source"], "source"))
        put(self, "revision", int(about["revision"]))
        told = how or {}
        put(self, "arm", told.get("x-candlewick-arm", "explicit"))
        put(self, "cache", told.get("x-candlewick-cache", "none"))
        put(self, "fallback", told.get("x-candlewick-fallback") == "true")

    def served(self, how: Mapping[str, str]) -> ServedAnswer:
        """The same answer, come by in another way."""
        return ServedAnswer(self._about(), self.columns, how)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"ServedAnswer is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"ServedAnswer is frozen: {name} cannot be deleted")

    def __getitem__(self, column: str) -> npt.NDArray[Any]:
        found = self.columns.get(column)
        if found is None:
            raise UnknownNameError("column", column, self.columns)
        return found

    @property
    def time(self) -> Times:
        """Open times of the bars, datetime64[us], UTC."""
        return self.columns["time"]

    @property
    def indicators(self) -> dict[str, Floats]:
        """The columns of the indicators, in the order asked for."""
        return {name: values for name, values in self.columns.items() if name not in BAR_COLUMNS}

    def __reduce__(self) -> tuple[Any, ...]:
        how = {"arm": self.arm, "cache": self.cache, "fallback": "true" if self.fallback else "false"}
        told = {f"x-candlewick-{name}": value for name, value in how.items()}
        return type(self), (self._about(), dict(self.columns), told)

    def _about(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ABOUT}

    def _columns(self) -> Mapping[str, npt.NDArray[Any]]:
        return self.columns

    def _metadata(self) -> dict[str, str]:
        return {name: str(value) for name, value in self._about().items()}

    def _title(self) -> str:
        return f"{self.symbol} {self.timeframe} of {self.source} candles, {self.engine}, revision {self.revision}"

    def _noted(self) -> str:
        return f", {np.count_nonzero(self.columns['final']):,} final"


def of_arrow(body: bytes, how: Mapping[str, str] | None = None) -> ServedAnswer:
    """The answer in an Arrow stream, sharing its memory where it can. Raises FileFormatError for another one."""
    import pyarrow as pa

    try:
        table = pa.ipc.open_stream(body).read_all().combine_chunks()
    except (pa.ArrowException, OSError) as error:
        raise FileFormatError("answer", body[:40], "ask a candlewick server", "is no Arrow stream") from error
    told = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    columns = {name: _of_column(table.column(name)) for name in table.column_names}
    return _checked(told, columns, how)


def of_json(value: Any, how: Mapping[str, str] | None = None) -> ServedAnswer:
    """The answer in a JSON value. Raises FileFormatError for another one."""
    given = value.get("columns") if isinstance(value, dict) else None
    columns = {name: of_values(name, one) for name, one in given.items()} if isinstance(given, dict) else {}
    return _checked(value if isinstance(value, dict) else {}, columns, how)


def of_values(name: str, values: Sequence[Any]) -> npt.NDArray[Any]:
    """A column of JSON values by its type; times are milliseconds, null is undefined."""
    if name == "time":
        return (np.array(values, dtype=np.int64) * 1000).view("datetime64[us]")
    if name in ("n", "final"):
        return np.array(values, dtype=np.int32 if name == "n" else np.bool_)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _of_column(column: Any) -> npt.NDArray[Any]:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
        return np.asarray(column.to_numpy()).view("datetime64[us]")
    return np.asarray(column.to_numpy())


def _checked(
    about: Mapping[str, Any], columns: Mapping[str, npt.NDArray[Any]], how: Mapping[str, str] | None
) -> ServedAnswer:
    missing = [name for name in ABOUT if name not in about] + [name for name in BAR_COLUMNS if name not in columns]
    if missing:
        raise FileFormatError("answer", ", ".join(missing), "ask a candlewick server of this version", "is missing")
    return ServedAnswer(about, columns, how)
