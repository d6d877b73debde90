"""Export folder: the candles of many series as Parquet files, one for each month and series.

1. Series by series and month by month: what is in memory is one month of one series (`write_series`).
2. A file is made under another name and moved into place, and left alone where it is the same already: an export that
   was cut off is finished by running it again, and what did not change keeps its bytes and its time.
3. A file of a month that holds no candle any more goes, else ingest would bring back what was deleted.
4. A series whose past changed while it was written is written again.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from candlewick.candles import COLUMNS, Candles
from candlewick.cli.destination import destination
from candlewick.cli.export_place import FILE, folder_of, months
from candlewick.cli.output import write_parquet
from candlewick.errors import InputError, StoreError, UnknownSeriesError
from candlewick.sessions.calendar import find_calendar
from candlewick.store.repository import CandleRepository, Series
from candlewick.timeframe import Timeframe

TRIES = 4
"""Times that a series is written while its past is being changed."""

Told = Callable[[Series, int], None]
"""Hears of the rows of a series that are done."""


@dataclass
class Exported:
    """What an export did. ``files`` and ``rows``: that lie there now, of which ``written`` files are new or changed;
    ``removed`` files held a month without candles."""

    folder: str
    files: int = 0
    rows: int = 0
    written: int = 0
    unchanged: int = 0
    removed: int = 0
    series: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def export_folder(
    store: CandleRepository, folder: Path, series: Sequence[Series], span: Callable[[Series], Span], told: Told
) -> Exported:
    """Write the candles of these series below ``folder``, which is made where it is not there.

    ``span`` gives the range of a series: every month that it touches is written, whole. Raises InputError for a place
    that cannot be written to or that does not tell two symbols apart, and what the store raises.
    """
    done = Exported(str(folder))
    for one in series:
        place = _place(folder, one)
        for _ in range(TRIES):
            before = store.find(one.symbol, one.timeframe)
            part = write_series(store, place, before, span(before), told)
            if store.find(one.symbol, one.timeframe).generation == before.generation:
                break
        else:
            raise StoreError(f"store: the past of {one.symbol} {one.timeframe} changes all the time: give --as-of")
        for name in ("files", "rows", "written", "unchanged", "removed"):
            setattr(done, name, getattr(done, name) + getattr(part, name))
        about = {"symbol": one.symbol, "timeframe": str(one.timeframe), "calendar": one.calendar}
        done.series.append({**about, "folder": part.folder, "files": part.files, "rows": part.rows})
    return done


Span = tuple[int | None, int | None]
"""``start <= time < end`` in microseconds UTC, None: open."""


def write_series(store: CandleRepository, place: Path, series: Series, span: Span, told: Told) -> Exported:
    """Write the months of one series that a range touches into its folder."""
    done = Exported(str(place))
    low, high = span
    calendar = find_calendar(series.calendar)
    first = series.first if low is None else max(low, series.first)
    last = series.last if high is None else min(high - 1, series.last)
    there: set[str] = set()
    for month in months(calendar, first, last) if first <= last else ():
        candles = store.read(series.symbol, series.timeframe, month.start, month.end)
        if not len(candles):
            continue
        file = place / f"{month.name}.parquet"
        there.add(file.name)
        changed = _put(file, parquet_of(candles))
        done.files, done.rows = done.files + 1, done.rows + len(candles)
        done.written, done.unchanged = done.written + changed, done.unchanged + (not changed)
        told(series, len(candles))
    done.removed = _tidy(place, there, _touched(span, series))
    return done


def parquet_of(candles: Candles) -> bytes:
    """One month as a Parquet file: the same candles are the same bytes."""
    about = {"symbol": candles.symbol, "timeframe": str(candles.timeframe), "calendar": candles.calendar.name}
    names = np.full(len(candles), candles.symbol, dtype=object)
    to = io.BytesIO()
    write_parquet(about, {"symbol": names, **{name: getattr(candles, name) for name in COLUMNS}}, to)
    return to.getvalue()


def chosen(store: CandleRepository, symbols: Iterable[str], timeframe: Timeframe | None) -> list[Series]:
    """The series to write: of these symbols, or of all. Raises UnknownSeriesError for one that is not stored."""
    stored = store.series()
    wanted = list(dict.fromkeys(symbols))
    for symbol in wanted:
        lengths = [one.timeframe for one in stored if one.symbol == symbol]
        if not lengths:
            raise UnknownSeriesError("symbol", symbol, (one.symbol for one in stored))
        if timeframe is not None and timeframe not in lengths:
            raise UnknownSeriesError("timeframe", str(timeframe), map(str, lengths))
    names = set(wanted)
    return [
        one
        for one in stored
        if (not names or one.symbol in names) and (timeframe is None or one.timeframe == timeframe)
    ]


def _place(folder: Path, series: Series) -> Path:
    """The folder of a series, made where it is not there."""
    name = folder_of(series.symbol)
    place = folder / name / str(series.timeframe)
    try:
        place.mkdir(parents=True, exist_ok=True)
        listed = name in (one.name for one in folder.iterdir())
    except OSError as error:
        expected = "give a folder that can be written to"
        raise InputError("folder", str(folder), expected, f"fails: {error.strerror}") from error
    if not listed:
        expected = "export the symbols that differ only in case into different folders"
        raise InputError("symbol", series.symbol, expected, "is taken for another one by the file system")
    return place


def _put(file: Path, content: bytes) -> bool:
    """Make a file hold this; False where it does already."""
    if file.is_file() and file.stat().st_size == len(content) and file.read_bytes() == content:
        return False
    with destination(str(file)) as to:
        to.write(content)
    return True


def _touched(span: Span, series: Series) -> Callable[[str], bool]:
    """Whether the month of a file's name lies in a range, so that what is known of it is known in full."""
    low, high = span
    if low is None and high is None:
        return lambda _: True
    calendar = find_calendar(series.calendar)
    first, last = (
        None if at is None else next(months(calendar, at, at)).name for at in (low, None if high is None else high - 1)
    )
    return lambda name: (first is None or name >= first) and (last is None or name <= last)


def _tidy(place: Path, there: set[str], touched: Callable[[str], bool]) -> int:
    """Remove files of months without candles, and what was left of an export that was cut off; how many months went."""
    removed = 0
    for file in list(place.iterdir()):
        if FILE.fullmatch(file.name) and file.name not in there and touched(file.stem):
            file.unlink()
            removed += 1
        elif file.name.startswith(".") and file.suffix == ".part" and FILE.match(file.name[1:]):
            file.unlink(missing_ok=True)
    return removed
