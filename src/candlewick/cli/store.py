"""store: what becomes of a store as a whole."""

from __future__ import annotations

import typer

from candlewick.cli import options

store = typer.Typer(
    name="store",
    help="Create a store, or bring it up to this candlewick.",
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
