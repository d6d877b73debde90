"""delete: candles out of the store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from candlewick.cli import options
from candlewick.errors import InputError

if TYPE_CHECKING:
    from candlewick.store.repository import CandleRepository
    from candlewick.timeframe import Timeframe

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count what would go; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def delete(
    symbol: Annotated[str | None, typer.Argument(metavar="[SYMBOL]", help="Symbol as stored.")] = None,
    timeframe: Annotated[
        str | None, typer.Option(metavar="TF", help="Only the series of this timeframe. Default: all of the symbol.")
    ] = None,
    start: options.Start = None,
    end: options.End = None,
    older_than: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="For good: candles that opened before it, with all earlier versions."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Of every symbol; with --older-than only.")] = False,
    timezone: options.Timezone = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Delete the candles of a symbol: all of them, one timeframe, or a range.

    They stay readable as of before. With --older-than they go for good, earlier versions too, which keeps a store from
    growing for ever; what was known of them cannot be asked any more.
    """
    from candlewick.cli.connection import open_for_reading
    from candlewick.timeframe import Timeframe

    if (symbol is None) != every:
        problem = "is missing" if symbol is None else "goes not with --all"
        raise InputError("symbol", symbol, "give a symbol, or --all with --older-than", problem)
    if older_than is None and every:
        raise InputError("all", True, "give --older-than TIME too", "would delete everything")
    if older_than is not None and (start, end) != (None, None):
        raise InputError("older_than", older_than, "leave --start and --end out", "goes not with a range")
    length = None if timeframe is None else Timeframe.parse(timeframe)
    with open_for_reading(store) as repository:
        if older_than is not None:
            from candlewick.cli.retention import retire

            retire(repository, symbol, length, older_than, timezone, dry_run=dry_run, yes=yes, json=json)
        elif symbol is not None:
            _delete(repository, symbol, length, (start, end, timezone), dry_run=dry_run, yes=yes, json=json)


def _delete(
    repository: CandleRepository,
    symbol: str,
    length: Timeframe | None,
    edges: tuple[str | None, str | None, str | None],
    *,
    dry_run: bool,
    yes: bool,
    json: bool,
) -> None:
    from candlewick.cli.output import print_json
    from candlewick.cli.ranges import parse_range
    from candlewick.errors import UnknownSeriesError

    chosen = [repository.find(symbol, length)] if length is not None else repository.series_of(symbol)
    if not chosen:
        raise UnknownSeriesError("symbol", symbol, repository.symbols())
    ranges = [parse_range(one.calendar, *edges) for one in chosen]
    count = sum(
        repository.count(symbol, one.timeframe, low, high) for one, (low, high) in zip(chosen, ranges, strict=True)
    )
    names = ", ".join(str(one.timeframe) for one in chosen)
    if not yes and not dry_run:
        ask(f"Delete {count:,} candles of {symbol} ({names})?")
    # One series after the other: their calendars may read the same date differently.
    deleted = (
        count
        if dry_run
        else sum(
            repository.delete(symbol, one.timeframe, low, high) for one, (low, high) in zip(chosen, ranges, strict=True)
        )
    )
    if json:
        told = {"symbol": symbol, "timeframes": [str(one.timeframe) for one in chosen], "deleted": deleted}
        print_json(told | ({"dry_run": True} if dry_run else {}))
    elif dry_run:
        typer.echo(f"Would delete {deleted:,} candles of {symbol} ({names}); they would stay readable as of before.")
    else:
        typer.echo(f"Deleted {deleted:,} candles of {symbol} ({names}).")


def ask(question: str) -> None:
    """Go on only when whoever is there says so. Raises InputError where nobody can answer."""
    if not sys.stdin.isatty():
        raise InputError("yes", False, "give --yes to delete without being asked", "is needed where nobody can answer")
    # Not typer.confirm, which writes a part of its prompt to standard output.
    typer.echo(f"{question} [y/N]: ", err=True, nl=False)
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        typer.echo("Nothing was deleted.", err=True)
        raise typer.Exit(1)
