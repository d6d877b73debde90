"""export: the stored candles of one series, in a form that ingest takes back."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from candlewick.cli import options
from candlewick.errors import InputError

if TYPE_CHECKING:
    from candlewick.store.repository import CandleRepository, Series


class Format(StrEnum):
    """How candles are written."""

    CSV = "csv"
    PARQUET = "parquet"


def export(
    symbol: options.Symbol,
    timeframe: Annotated[
        str | None, typer.Option(metavar="TF", help="Stored timeframe; may be left out where only one is stored.")
    ] = None,
    start: options.Start = None,
    end: options.End = None,
    timezone: options.Timezone = None,
    as_of: options.AsOf = None,
    format: Annotated[  # noqa: A002 - the option's standard name
        Format | None, typer.Option(help="Form of the file. Default: what --output ends in, else csv.")
    ] = None,
    output: options.Output = None,
    store: options.Store = None,
) -> None:
    """Write the stored candles of a symbol as they were taken in, also those outside of sessions.

    `candlewick ingest` takes the result back. For bars and indicators see `candlewick candles`.
    """
    import numpy as np

    from candlewick.candles import COLUMNS
    from candlewick.cli.connection import open_for_reading
    from candlewick.cli.destination import choose_format, destination
    from candlewick.cli.output import note, write_csv, write_parquet
    from candlewick.cli.ranges import parse_as_of, parse_range
    from candlewick.store.then import known_at

    moment = parse_as_of(as_of, timezone)
    chosen = choose_format(None if format is None else str(format), output, ("csv", "parquet"), "csv")
    with open_for_reading(store) as opened:
        repository = known_at(opened, moment)
        series = _series(repository, symbol, timeframe)
        low, high = parse_range(series.calendar, start, end, timezone)
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
