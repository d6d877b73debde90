"""export: stored candles in a form that ingest takes back: one series, or many by month in a folder."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from candlewick.cli import options
from candlewick.errors import InputError

if TYPE_CHECKING:
    from candlewick.cli.export_folder import Exported
    from candlewick.store.repository import CandleRepository, Series


class Format(StrEnum):
    """How candles are written."""

    CSV = "csv"
    PARQUET = "parquet"


class By(StrEnum):
    """What a file in a folder holds of a series."""

    MONTH = "month"


def export(
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="SYMBOL", help="Stored symbol; with --folder any number, default: all."),
    ] = None,
    folder: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Write one Parquet file for each series and month below this folder."),
    ] = None,
    by: Annotated[By, typer.Option(help="What a file in --folder holds of a series.")] = By.MONTH,
    timeframe: Annotated[
        str | None,
        typer.Option(
            metavar="TF", help="Stored timeframe; may be left out where only one is stored, and with --folder."
        ),
    ] = None,
    start: options.Start = None,
    end: options.End = None,
    timezone: options.Timezone = None,
    as_of: options.AsOf = None,
    format: Annotated[  # noqa: A002 - the option's standard name
        Format | None, typer.Option(help="Form of the file. Default: what --output ends in, else csv.")
    ] = None,
    output: options.Output = None,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Write the stored candles of a symbol as they were taken in, also those outside of sessions.

    `candlewick ingest` takes the result back. For bars and indicators see `candlewick candles`.

    With --folder: DIR/SYMBOL/TIMEFRAME/2024-01.parquet for many symbols. A session lies in the month of its date;
    --start and --end choose whole months. Run again, it writes only what changed.
    """
    if folder is not None:
        _check_folder(format, output)
        _report(_by_month(symbols or [], folder, timeframe, (start, end, timezone), as_of, store), by, json)
        return
    if json:
        raise InputError("json", "--json", "give it with --folder", "has nothing to tell")
    if symbols is None or len(symbols) != 1:
        shown = None if not symbols else " ".join(symbols)
        problem = "is missing" if shown is None else "are too many"
        raise InputError("symbol", shown, "give one symbol, or --folder DIR for many", problem)
    _one(symbols[0], timeframe, (start, end, timezone), as_of, None if format is None else str(format), output, store)


def _one(
    symbol: str,
    timeframe: str | None,
    edges: tuple[str | None, str | None, str | None],
    as_of: str | None,
    format: str | None,  # noqa: A002 - the option's standard name
    output: str | None,
    store: str | None,
) -> None:
    import numpy as np

    from candlewick.candles import COLUMNS
    from candlewick.cli.connection import open_for_reading
    from candlewick.cli.destination import choose_format, destination
    from candlewick.cli.output import note, write_csv, write_parquet
    from candlewick.cli.ranges import parse_as_of, parse_range
    from candlewick.store.then import known_at

    moment = parse_as_of(as_of, edges[2])
    chosen = choose_format(format, output, ("csv", "parquet"), "csv")
    with open_for_reading(store) as opened:
        repository = known_at(opened, moment)
        series = _series(repository, symbol, timeframe)
        low, high = parse_range(series.calendar, *edges)
        candles = repository.read(symbol, series.timeframe, low, high)
    names = np.full(len(candles), symbol, dtype=object)
    columns = {"symbol": names, **{name: getattr(candles, name) for name in COLUMNS}}
    about = {"symbol": symbol, "timeframe": str(series.timeframe), "calendar": series.calendar}
    with destination(output) as to:
        if chosen == "csv":
            write_csv(columns, to)
        else:
            write_parquet(about, columns, to)
    place = "" if output is None else f" in {output}"
    note(f"{len(candles):,} candles of {symbol} {series.timeframe} ({series.calendar}){place}")


def _check_folder(format: Format | None, output: str | None) -> None:  # noqa: A002 - the option's standard name
    if output is not None:
        raise InputError("output", output, "leave out --output or --folder", "contradicts --folder")
    if format is Format.CSV:
        raise InputError("format", str(format), "give parquet, or leave it out", "is not what --folder writes")


def _by_month(
    symbols: list[str],
    folder: str,
    timeframe: str | None,
    edges: tuple[str | None, str | None, str | None],
    as_of: str | None,
    store: str | None,
) -> Exported:
    from pathlib import Path

    from candlewick.cli.connection import open_for_reading
    from candlewick.cli.export_folder import chosen, export_folder
    from candlewick.cli.progress import ingest_progress
    from candlewick.cli.ranges import parse_as_of, parse_range
    from candlewick.store.then import known_at
    from candlewick.timeframe import Timeframe

    length = None if timeframe is None else Timeframe.parse(timeframe)
    moment = parse_as_of(as_of, edges[2])
    with open_for_reading(store) as opened, ingest_progress("Writing") as progress:
        repository = known_at(opened, moment)
        series = chosen(repository, symbols, length)
        total, done = sum(one.rows for one in series), 0

        def told(_: Series, rows: int) -> None:
            nonlocal done
            done += rows
            if progress is not None:
                progress(done, max(total, done), done)

        return export_folder(repository, Path(folder), series, lambda one: parse_range(one.calendar, *edges), told)


def _report(done: Exported, by: By, json: bool) -> None:
    from candlewick.cli.output import note, print_json

    if json:
        print_json(done.as_dict())
        return
    gone = f", {done.removed:,} removed" if done.removed else ""
    note(
        f"{done.rows:,} candles of {len(done.series):,} series in {done.files:,} files by {by} in {done.folder}: "
        f"{done.written:,} written, {done.unchanged:,} unchanged{gone}"
    )


def _series(repository: CandleRepository, symbol: str, timeframe: str | None) -> Series:
    from candlewick.errors import UnknownSeriesError

    if timeframe is not None:
        return repository.find(symbol, timeframe)
    stored = repository.series_of(symbol)
    if not stored:
        raise UnknownSeriesError("symbol", symbol, repository.symbols())
    if len(stored) > 1:
        known = ", ".join(str(one.timeframe) for one in stored)
        raise InputError("timeframe", None, f"give one of those stored of {symbol}: {known}", "is missing")
    return stored[0]
