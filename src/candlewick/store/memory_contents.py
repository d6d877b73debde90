"""Memory contents: a store in memory as the tables that a database has, and how an empty one is filled from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from candlewick.candles import COLUMNS, VALUES, Candles
from candlewick.sessions.calendar import find_calendar
from candlewick.store.catalogue import Catalogue, Entry
from candlewick.store.contents import FLOAT, INTEGER, RAW, TEXT, Table, batch_of, check_empty, raw, text_of
from candlewick.store.held_series import Gone, HeldEntry, HeldSeries
from candlewick.store.history import History
from candlewick.store.notes import Notes
from candlewick.store.repository import QuarantinedRow, Series
from candlewick.store.revisions import Floor, Note, Trail
from candlewick.store.series_table import RECORD, TRAIL
from candlewick.timeframe import Timeframe

if TYPE_CHECKING:
    import pyarrow as pa

    from candlewick.store.memory import MemoryStore

_REFUSED = ("content", "line", "file", "symbol", "reason", "row", "refused_at")
_TEXTS = frozenset({"timeframe", "calendar", "kind", "content", "file", "reason"})
_NAMES: dict[str, tuple[str, ...]] = {
    "series": (*RECORD, *TRAIL),
    "history": ("series", "day", "revision"),
    "candles": ("series", *COLUMNS, "revision"),
    "revisions": ("series", *COLUMNS, "revision", "until"),
    "writes": ("series", *Note._fields),
    "quarantine": _REFUSED,
    "splits": ("symbol", "time", "factor", "set_at"),
}


def _kind(table: str, name: str) -> str:
    if table == "quarantine" and name in ("symbol", "row"):
        return RAW
    if name in (*VALUES, "factor"):
        return FLOAT
    return TEXT if name in _TEXTS or name == "symbol" else INTEGER


TABLES = {table: Table(table, {name: _kind(table, name) for name in names}) for table, names in _NAMES.items()}


class MemoryContents:
    """What the store held when this was made: it is frozen, so nobody waits."""

    def __init__(self, store: MemoryStore) -> None:
        with store._lock:
            self._held = store._current()
            self._refused = list(store._refused.values())
        self._entries = [self._held.entries[key] for key in sorted(self._held.entries)]
        self.tables: Mapping[str, Table] = TABLES

    def rows(self, table: Table) -> int:
        """How many rows there are."""
        return sum(len(batch) for batch in self.batches(table))

    def batches(self, table: Table) -> Iterator[pa.RecordBatch]:
        """The rows, series by series."""
        for columns in getattr(self, f"_{table.name}")():
            batch = batch_of(table, columns)
            if len(batch):
                yield batch

    def _series(self) -> Iterator[dict[str, Any]]:
        rows = [
            (
                number,
                one.series.symbol,
                str(one.series.timeframe),
                *(getattr(one.series, name) for name in RECORD[3:]),
                one.trail.written_at,
                *one.trail.purged,
                *one.trail.retired,
            )
            for number, one in enumerate(self._entries)
        ]
        yield _columns(TABLES["series"], rows)

    def _history(self) -> Iterator[dict[str, Any]]:
        for number, one in enumerate(self._entries):
            yield _columns(TABLES["history"], [(number, *stair) for stair in one.history.stairs])

    def _candles(self) -> Iterator[dict[str, Any]]:
        for number, one in enumerate(self._entries):
            candles = one.place.candles
            values = {name: getattr(candles, name) for name in VALUES}
            yield {
                "series": np.full(len(candles), number),
                "time": candles.microseconds,
                **values,
                "revision": one.place.revision.astype(np.int64),
            }

    def _revisions(self) -> Iterator[dict[str, Any]]:
        for number, one in enumerate(self._entries):
            for gone in one.place.gone:
                yield {
                    "series": np.full(len(gone.time), number),
                    "time": gone.time,
                    **gone.values,
                    "revision": gone.revision.astype(np.int64),
                    "until": np.full(len(gone.time), gone.until),
                }

    def _writes(self) -> Iterator[dict[str, Any]]:
        for number, one in enumerate(self._entries):
            yield _columns(TABLES["writes"], [(number, *note) for note in one.place.notes])

    def _quarantine(self) -> Iterator[dict[str, Any]]:
        rows = [
            (one.content, one.line, one.file, raw(one.symbol), one.reason, raw(one.row), one.at)
            for one in self._refused
        ]
        yield _columns(TABLES["quarantine"], rows)

    def _splits(self) -> Iterator[dict[str, Any]]:
        rows = [(symbol, *one, 0) for symbol, splits in self._held.splits.items() for one in splits]
        yield _columns(TABLES["splits"], rows)


class MemoryFilling:
    """An empty store; `close` puts what was gathered into it, at once. Raises StoreError for one that is not empty."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.tables: Mapping[str, Table] = TABLES
        held = MemoryContents(store)
        check_empty(store.url, {table.name: held.rows(table) for table in TABLES.values()})
        self._put: dict[str, list[pa.RecordBatch]] = defaultdict(list)

    def put(self, table: Table, batch: pa.RecordBatch) -> None:
        """Add rows."""
        self._put[table.name].append(batch.select(list(TABLES[table.name].columns)))

    def close(self) -> None:
        """All of it, at once."""
        import pyarrow as pa

        given = {name: pa.Table.from_batches(self._put[name], schema=table.schema) for name, table in TABLES.items()}
        parts = {name: _by_series(given[name]) for name in ("history", "candles", "revisions", "writes")}
        entries = [
            _entry(
                row,
                {name: found[row["id"]] if row["id"] in found else given[name][:0] for name, found in parts.items()},
            )
            for row in given["series"].to_pylist()
        ]
        held = Catalogue[HeldSeries].empty().changed({one.key: one for one in entries})
        for row in given["splits"].to_pylist():
            held = held.with_split(row["symbol"], row["time"], row["factor"])
        refused = [
            QuarantinedRow(content, line, file, text_of(symbol), reason, text_of(row), at)
            for content, line, file, symbol, reason, row, at in _rows(given["quarantine"])
        ]
        with self._store._lock:
            self._store._held = held
            self._store._refused = {(one.content, one.line): one for one in refused}


def _entry(row: Mapping[str, Any], parts: Mapping[str, pa.Table]) -> HeldEntry:
    series = Series(row["symbol"], Timeframe.parse(row["timeframe"]), *(row[name] for name in RECORD[3:]))
    floors = [row[name] for name in TRAIL]
    trail = Trail(floors[0], Floor(*floors[1:4]), Floor(*floors[4:]))
    candles = parts["candles"].sort_by("time")
    gone = parts["revisions"].sort_by([("until", "ascending"), ("time", "ascending")])
    until = gone.column("until").to_numpy()
    cuts = [0, *(np.flatnonzero(np.diff(until)) + 1).tolist(), len(until)] if len(until) else [0]
    place = HeldSeries(
        Candles.trusted(
            series.symbol,
            series.timeframe,
            find_calendar(series.calendar),
            candles.column("time").to_numpy(),
            {name: candles.column(name).to_numpy() for name in VALUES},
        ),
        candles.column("revision").to_numpy().astype(np.int32),
        tuple(_gone(gone[low:high], int(until[low])) for low, high in pairwise(cuts)),
        Notes(Note(*note[1:]) for note in _rows(parts["writes"].sort_by("revision"))),
    )
    stairs = sorted((day, revision) for _, day, revision in _rows(parts["history"]))
    return Entry(series, History.of(stairs), place, trail)


def _gone(rows: pa.Table, until: int) -> Gone:
    values = {name: rows.column(name).to_numpy() for name in VALUES}
    return Gone(rows.column("time").to_numpy(), values, rows.column("revision").to_numpy().astype(np.int32), until)


def _by_series(table: pa.Table) -> dict[int, pa.Table]:
    ordered = table.sort_by("series")
    numbers = ordered.column("series").to_numpy()
    found, first = np.unique(numbers, return_index=True)
    ends = [*first.tolist(), len(numbers)][1 : len(found) + 1]
    return {int(number): ordered[low:high] for number, low, high in zip(found, first.tolist(), ends, strict=True)}


def _columns(table: Table, rows: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    columns = list(map(list, zip(*rows, strict=True))) or [[] for _ in table.columns]
    return dict(zip(table.columns, columns, strict=True))


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)
