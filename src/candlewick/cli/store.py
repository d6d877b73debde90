"""store: what becomes of a store as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from candlewick.store.stats import Stats

store = typer.Typer(
    name="store",
    help="Look after a store as a whole: its tables, size, order and soundness.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@store.command("migrate")
def migrate(json: options.Json = False, store: options.Store = None) -> None:
    """Create the store's tables, or upgrade older ones. Nothing happens where there is nothing to do.

    A PostgreSQL store is upgraded by this command only; before it, stop the processes of the older candlewick.
    """
    from candlewick.cli.connection import store_url
    from candlewick.cli.output import print_json
    from candlewick.store import migrate as migration

    done = migration.migrate(store_url(store))
    if json:
        print_json(done.as_dict())
        return
    said = {
        "nothing": f"nothing to do: schema {done.after}",
        "created": f"created with schema {done.after}",
        "upgraded": f"upgraded from schema {done.before} to {done.after}",
    }
    typer.echo(f"{done.store}: {said[done.done]}")


@store.command("stats")
def stats(json: options.Json = False, store: options.Store = None) -> None:
    """Show how much the store holds, and how much of it compacting would mend."""
    from candlewick.cli.connection import open_for_reading
    from candlewick.cli.output import print_json

    with open_for_reading(store) as repository:
        found = repository.stats()
    if json:
        print_json(found.as_dict())
    else:
        typer.echo("\n".join(stats_lines(found)))


@store.command("compact")
def compact(json: options.Json = False, store: options.Store = None) -> None:
    """Rewrite the store into the order in which it is read. No candle, revision or write changes.

    All or nothing: the rows of every series are counted and hashed before and after, in the same transaction.
    """
    from candlewick.cli.connection import open_for_reading
    from candlewick.cli.output import print_json
    from candlewick.errors import StoreBusyError, StoreError

    try:
        opened = open_for_reading(store)
    except StoreBusyError as busy:
        expected = "a server compacts by itself after the close; to do it now, stop that process first"
        raise StoreError(f"{busy}; {expected}") from busy
    with opened as repository:
        before = repository.stats()
        repository.compact()
        after = repository.stats()
    if json:
        print_json({"before": before.as_dict(), "after": after.as_dict()})
        return
    mended = "" if before.out_of_order is None else f", {before.out_of_order:,} of them had been out of order"
    size = "" if after.bytes is None else f"; {after.bytes:,} bytes (were {before.bytes:,})"
    typer.echo(f"{after.store}: compacted {after.rows:,} candles{mended}{size}")


@store.command("check")
def check(json: options.Json = False, store: options.Store = None) -> None:
    """Look at every row of the store: whether all that it says of its series is what the rows show.

    Exit code 1 when something is wrong; each problem is named. Nothing is changed.
    """
    from candlewick.cli.connection import open_for_reading
    from candlewick.cli.output import print_json
    from candlewick.errors import FileFormatError
    from candlewick.store.check import Problem

    try:
        with open_for_reading(store) as repository:
            url, found = repository.url, repository.check()
            series = len(repository.series())
    except FileFormatError as error:
        if error.problem != "is damaged":
            raise
        url, series, found = str(error.value), 0, [Problem("store", "", "", str(error))]
    if json:
        print_json({"store": url, "sound": not found, "problems": [one.as_dict() for one in found]})
    elif found:
        typer.echo("\n".join([*map(str, found), f"{url}: {len(found):,} problem{'' if len(found) == 1 else 's'}"]))
    else:
        typer.echo(f"{url}: {series:,} series, all is well")
    if found:
        raise typer.Exit(1)


@store.command("writes")
def writes(
    symbol: options.Symbol,
    timeframe: Annotated[str | None, typer.Option(metavar="TF", help="Only the series of this timeframe.")] = None,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """List the writes to a symbol's series: when each came, as `--as-of` takes it, and what it did."""
    from candlewick.cli.connection import open_for_reading
    from candlewick.cli.output import print_json
    from candlewick.cli.table import print_table
    from candlewick.errors import UnknownSeriesError
    from candlewick.store.repository import iso

    header = ("timeframe", "revision", "written_at", "kind", "inserted", "updated", "removed")
    with open_for_reading(store) as repository:
        stored = [str(one.timeframe) for one in repository.series_of(symbol)] if timeframe is None else [timeframe]
        if not stored:
            raise UnknownSeriesError("symbol", symbol, repository.symbols())
        rows = [
            {"timeframe": length, **one._asdict(), "written_at": iso(one.written_at)}
            for length in stored
            for one in repository.writes(symbol, length)
        ]
    if json:
        print_json(rows)
    else:
        print_table(header, [[str(row[name]) for name in header] for row in rows], numbers=(1, 4, 5, 6))


@store.command("purge")
def purge(
    older_than: Annotated[
        str,
        typer.Option(metavar="TIME", help="Versions that were replaced or deleted before it go: ISO with offset or Z."),
    ],
    symbol: Annotated[str | None, typer.Option(metavar="SYMBOL", help="Only of this symbol. Default: of all.")] = None,
    timeframe: Annotated[str | None, typer.Option(metavar="TF", help="Only of this timeframe.")] = None,
    timezone: options.Timezone = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: options.Json = False,
    store: options.Store = None,
) -> None:
    """Remove earlier versions of candles for good: those that were replaced or deleted before a moment.

    No candle of now goes. What is known as of that moment and later stays; as of before it, nothing is answered.
    """
    from candlewick.cli import retention
    from candlewick.cli.connection import open_for_reading
    from candlewick.timeframe import Timeframe

    length = None if timeframe is None else Timeframe.parse(timeframe)
    with open_for_reading(store) as repository:
        retention.purge(repository, symbol, length, older_than, timezone, dry_run=dry_run, yes=yes, json=json)


def stats_lines(found: Stats) -> list[str]:
    """What a store holds, for a reader."""
    said = [
        f"{found.store}: {found.series:,} series, {found.rows:,} candles",
        f"{found.revisions:,} earlier versions, {found.writes:,} writes, {found.quarantined:,} rows in quarantine",
    ]
    if found.bytes is not None:
        each = f", {found.bytes / found.rows:.1f} a candle" if found.rows else ""
        said.append(f"{found.bytes:,} bytes on disk{each}")
    if found.out_of_order is not None:
        said.append(f"{found.out_of_order:,} candles out of order ({found.disorder:.1%})")
    if found.dead is not None:
        said.append(f"{found.dead:.1%} of it holds nothing any more")
    return said
