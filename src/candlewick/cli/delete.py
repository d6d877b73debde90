"""delete: candles out of the store."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from candlewick.cli import options
from candlewick.errors import InputError


def delete(
    symbol: options.Symbol,
    timeframe: Annotated[
        str | None, typer.Option(metavar="TF", help="Only the series of this timeframe. Default: all of the symbol.")
    ] = None,
    start: options.Start = None,
    end: options.End = None,
    timezone: options.Timezone = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Delete the candles of a symbol: all of them, one timeframe, or a range."""
    from candlewick.cli.connection import open_for_reading
    from candlewick.cli.output import print_json
    from candlewick.cli.ranges import parse_range
    from candlewick.errors import UnknownSeriesError
    from candlewick.timeframe import Timeframe

    length = None if timeframe is None else Timeframe.parse(timeframe)
    with open_for_reading(store) as repository:
        if length is not None:
            chosen = [repository.find(symbol, length)]
        else:
            chosen = [one for one in repository.series() if one.symbol == symbol]
        if not chosen:
            raise UnknownSeriesError("symbol", symbol, repository.symbols())
        ranges = [parse_range(one.calendar, start, end, timezone) for one in chosen]
        count = sum(
            repository.count(symbol, one.timeframe, low, high) for one, (low, high) in zip(chosen, ranges, strict=True)
        )
        names = ", ".join(str(one.timeframe) for one in chosen)
        if not yes:
            _ask(f"Delete {count:,} candles of {symbol} ({names})?")
        # One series after the other: their calendars may read the same date differently.
        deleted = sum(
            repository.delete(symbol, one.timeframe, low, high) for one, (low, high) in zip(chosen, ranges, strict=True)
        )
    if json:
        print_json({"symbol": symbol, "timeframes": [str(one.timeframe) for one in chosen], "deleted": deleted})
    else:
        typer.echo(f"Deleted {deleted:,} candles of {symbol} ({names}).")


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise InputError("yes", False, "give --yes to delete without being asked", "is needed where nobody can answer")
    # Not typer.confirm, which writes a part of its prompt to standard output.
    typer.echo(f"{question} [y/N]: ", err=True, nl=False)
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        typer.echo("Nothing was deleted.", err=True)
        raise typer.Exit(1)
