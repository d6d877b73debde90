"""store: what becomes of a store as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
