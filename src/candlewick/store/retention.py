"""Retention: how much of which series would be removed for good, counted beforehand.

The same statements serve DuckDB and PostgreSQL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from candlewick.store.repository import CandleRepository
from candlewick.timeframe import Timeframe


class Going(NamedTuple):
    """What goes of one series. ``before``: microseconds UTC, up to when; ``rows``: candles, ``versions``: earlier ones.

    For a purge no candle goes, and ``before`` is the moment as of which all is still known.
    """

    symbol: str
    timeframe: Timeframe
    before: int
    rows: int
    versions: int


def going_candles(
    store: CandleRepository, before: Callable[[str], int], symbol: str | None = None, timeframe: Timeframe | None = None
) -> list[Going]:
    """What ``delete(..., end=before, for_good=True)`` removes, of the series where that is anything.

    ``before`` gives the end by the name of a calendar. Also of series that hold no candle now but did.
    """
    found = []
    with store.tables() as cursor:
        series = _series(cursor, symbol, timeframe)
        by_calendar = defaultdict(list)
        for number, (_, _, calendar) in series.items():
            by_calendar[calendar].append(number)
        for calendar, numbers in by_calendar.items():
            end = before(calendar)
            where = f"WHERE time < {int(end)} AND series IN ({_listed(numbers)})"
            rows, versions = (_counts(cursor, f"{table} {where}") for table in ("candles", "revisions"))
            for number in rows.keys() | versions.keys():
                name, length, _ = series[number]
                found.append(Going(name, length, end, rows.get(number, 0), versions.get(number, 0)))
    return sorted(found)


def going_versions(
    store: CandleRepository, before: int, symbol: str | None = None, timeframe: Timeframe | None = None
) -> list[Going]:
    """What ``purge(before)`` removes, of the series where that is anything."""
    with store.tables() as cursor:
        series = _series(cursor, symbol, timeframe)
        last = f"SELECT series, max(revision) AS newest FROM writes WHERE written_at <= {int(before)} GROUP BY series"
        gone = _counts(cursor, f"revisions JOIN ({last}) last USING (series) WHERE until <= newest")
    return sorted(Going(*series[number][:2], before, 0, count) for number, count in gone.items() if number in series)


def _series(cursor: Any, symbol: str | None, timeframe: Timeframe | None) -> dict[int, tuple[str, Timeframe, str]]:
    rows = cursor.execute("SELECT id, symbol, timeframe, calendar FROM series").fetchall()
    return {
        number: (name, Timeframe.parse(length), calendar)
        for number, name, length, calendar in rows
        if symbol in (None, name) and (timeframe is None or Timeframe.parse(length) == timeframe)
    }


def _counts(cursor: Any, what: str) -> dict[int, int]:
    return dict(cursor.execute(f"SELECT series, count(*) FROM {what} GROUP BY series").fetchall())


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(str(int(number)) for number in numbers)
