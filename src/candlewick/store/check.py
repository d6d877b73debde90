"""Check: whether what a store says of its series is what its rows show.

The same statements serve DuckDB and PostgreSQL, whose tables have the same names. Nothing is changed.

1. Each series: its calendar and timeframe are known, it stands once, its record agrees with its candles (`_records`).
2. Each candle stands once, is sound, and belongs to a series (`_candles`).
3. Each moved version was replaced after it was stored, and no two of one candle were there at once (`_versions`).
4. The notes of writes and the touched days ascend and end at the revision of the series (`_ascending`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from candlewick.candles import VALUES
from candlewick.errors import CandlewickError
from candlewick.sessions.calendar import find_calendar
from candlewick.store.repository import iso
from candlewick.timeframe import Timeframe

MOST = 100
"""Problems of one kind that are named; a damaged store may have millions."""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong. ``symbol`` and ``timeframe`` are empty where it is not of one series."""

    kind: str
    symbol: str
    timeframe: str
    says: str

    def as_dict(self) -> dict[str, str]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        where = f"{self.symbol} {self.timeframe}: " if self.symbol else ""
        return f"{self.kind}: {where}{self.says}"


Names = dict[int, tuple[str, str]]

_RECORDS = """
    SELECT s.id, s.rows, s.first, s.last, s.revision, s.written_at, coalesce(c.rows, 0), c.first, c.last, c.newest
    FROM series s LEFT JOIN (
        SELECT series, count(*) AS rows, min(time) AS first, max(time) AS last, max(revision) AS newest
        FROM candles GROUP BY series
    ) c ON c.series = s.id ORDER BY s.id
"""
_TWICE = "SELECT series, time, count(*) FROM candles GROUP BY series, time HAVING count(*) > 1"
_ODD = " OR ".join(f"{name} IN ('NaN'::float8, 'Infinity'::float8, '-Infinity'::float8)" for name in VALUES)
_UNSOUND = f"""
    SELECT series, time FROM candles
    WHERE {_ODD} OR high < open OR high < close OR low > open OR low > close OR volume < 0 OR revision < 1
"""
_STRANGE = """
    SELECT r.series, r.time, r.revision, r.until FROM revisions r JOIN series s ON s.id = r.series
    WHERE r.revision < 1 OR r.until <= r.revision OR r.until > s.revision
"""
_AT_ONCE = """
    SELECT series, time, revision, before FROM (
        SELECT series, time, revision, lag(until) OVER (PARTITION BY series, time ORDER BY revision, until) AS before
        FROM (
            SELECT series, time, revision, until FROM revisions
            UNION ALL
            SELECT c.series, c.time, c.revision, 2147483647 FROM candles c
            WHERE EXISTS (SELECT 1 FROM revisions r WHERE r.series = c.series AND r.time = c.time)
        ) versions
    ) ordered WHERE revision < before
"""
_UNNOTED = """
    SELECT v.series, count(*) FROM ({versions}) v JOIN series s ON s.id = v.series
    WHERE v.revision > s.purged_revision
        AND NOT EXISTS (SELECT 1 FROM writes w WHERE w.series = v.series AND w.revision = v.revision)
    GROUP BY v.series
"""
_NOTED = (
    ("candles were stored", "SELECT series, revision FROM candles"),
    ("versions were replaced", "SELECT series, until AS revision FROM revisions"),
)
_STEPS = """
    SELECT series, {first}, {second} FROM (
        SELECT series, {first}, {second}, lag({first}) OVER ascending AS one, lag({second}) OVER ascending AS two
        FROM {table} WINDOW ascending AS (PARTITION BY series ORDER BY {first}, {second})
    ) steps WHERE one >= {first} OR two >= {second}
"""
_ENDS = """
    SELECT s.id, s.revision, max(t.revision) FROM series s LEFT JOIN {table} t ON t.series = s.id
    GROUP BY s.id, s.revision HAVING coalesce(max(t.revision), 0) <> s.revision
"""


def check(cursor: Any) -> list[Problem]:
    """What is wrong with a store; the cursor is inside a transaction that reads. Empty where all is well."""
    rows = cursor.execute("SELECT id, symbol, timeframe, calendar FROM series ORDER BY id").fetchall()
    names = {number: (symbol, timeframe) for number, symbol, timeframe, _ in rows}
    looks = (_records, _candles, _versions, _ascending)
    return [*_series(rows), *(problem for look in looks for problem in look(cursor, names))]


def _series(rows: list[Any]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], int] = {}
    numbers: set[int] = set()
    for number, symbol, timeframe, calendar in rows:
        if number in numbers:
            yield Problem("series", symbol, timeframe, f"number {number} is given twice")
        numbers.add(number)
        if (symbol, timeframe) in seen:
            yield Problem("series", symbol, timeframe, "stands twice")
        seen[symbol, timeframe] = number
        try:
            Timeframe.parse(timeframe)
            find_calendar(calendar)
        except CandlewickError as error:
            yield Problem("series", symbol, timeframe, str(error))


def _records(cursor: Any, names: Names) -> Iterator[Problem]:
    for number, rows, first, last, revision, _, real, low, high, newest in cursor.execute(_RECORDS).fetchall():
        if rows != real:
            yield _problem("record", names, number, f"says {rows:,} candles, there are {real:,}")
        elif rows and (first, last) != (low, high):
            says = f"says {iso(first)} to {iso(last)}, the candles are from {iso(low)} to {iso(high)}"
            yield _problem("record", names, number, says)
        if real and newest > revision:
            yield _problem("record", names, number, f"is of revision {revision}, a candle of {newest}")


def _candles(cursor: Any, names: Names) -> Iterator[Problem]:
    for number, time, count in _some(cursor, _TWICE):
        yield _problem("candle", names, number, f"{iso(time)} stands {count} times")
    for number, time in _some(cursor, _UNSOUND):
        yield _problem("candle", names, number, f"{iso(time)} has values that no candle has")
    for table in ("candles", "revisions", "history", "writes"):
        query = f"SELECT series, count(*) FROM {table} WHERE series NOT IN (SELECT id FROM series) GROUP BY series"
        for number, count in _some(cursor, query):
            yield _problem(
                "stray", names, number, f"{count:,} rows of {table} belong to series {number}: there is none"
            )


def _versions(cursor: Any, names: Names) -> Iterator[Problem]:
    for number, time, revision, until in _some(cursor, _STRANGE):
        says = f"{iso(time)}: version of revision {revision} until {until} cannot have been"
        yield _problem("revision", names, number, says)
    for number, time, revision, before in _some(cursor, _AT_ONCE):
        says = f"{iso(time)}: version of revision {revision} came before the one until {before} went"
        yield _problem("revision", names, number, says)
    for what, versions in _NOTED:
        for number, count in _some(cursor, _UNNOTED.format(versions=versions)):
            yield _problem("write", names, number, f"{count:,} {what} by writes that are not noted")


def _ascending(cursor: Any, names: Names) -> Iterator[Problem]:
    for table, first, second in (("writes", "revision", "written_at"), ("history", "day", "revision")):
        for number, one, two in _some(cursor, _STEPS.format(table=table, first=first, second=second)):
            yield _problem(table, names, number, f"{first} {one} with {second} {two} does not ascend")
        for number, revision, ends in _some(cursor, _ENDS.format(table=table)):
            says = f"end at revision {ends}, the series is of {revision}" if ends is not None else "are not there"
            yield _problem(table, names, number, says)


def _some(cursor: Any, query: str) -> list[Any]:
    return cursor.execute(f"{query} LIMIT {MOST}").fetchall()  # type: ignore[no-any-return]


def _problem(kind: str, names: Names, number: int, says: str) -> Problem:
    return Problem(kind, *names.get(number, ("", "")), says)
