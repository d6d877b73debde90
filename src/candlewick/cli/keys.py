"""keys: who may ask a server that other machines reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from candlewick.server.keys import Keys

keys = typer.Typer(
    name="keys",
    help="Make, list and revoke keys for a server that other machines reach.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Why = Annotated[str, typer.Option(metavar="TEXT", help="Why, for the journal.")]


@keys.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is; the server's log shows it.")],
    role: Annotated[str, typer.Option(metavar="ROLE", help="viewer, ingest, operator or admin.")],
    why: Why = "",
    json: options.Json = False,
    control: options.Control = None,
    store: options.Store = None,
) -> None:
    """Make a key and print it: only now, since only a hash of it is kept.

    A viewer reads; ingest also stores candles; operator also sets flags; admin may do all, and manage keys. A running
    server takes the key within a second.
    """
    from candlewick.cli.control import who
    from candlewick.cli.output import note, print_json

    with opened_keys(control, store, make=True) as file:
        made, whole = file.create(name, role, who=who(), why=why)
    if json:
        print_json(made.as_dict() | {"key": whole})
    else:
        typer.echo(whole)
        note(f"Key {made.id} of {made.name} ({made.role}). It is shown this once; whoever has it is let in.")


@keys.command("list")
def list_keys(json: options.Json = False, control: options.Control = None, store: options.Store = None) -> None:
    """Show each key, also those that are revoked: never what is sent for it. When it was used last is kept by the
    hour."""
    from candlewick.cli.output import print_json
    from candlewick.cli.table import print_table

    with opened_keys(control, store, make=False) as file:
        found = [one.as_dict() for one in file.all()]
    if json:
        print_json(found)
    elif found:
        print_table(list(found[0]), [[str(value or "-") for value in one.values()] for one in found])
    else:
        typer.echo("There is no key.")


@keys.command("revoke")
def revoke(
    number: Annotated[str, typer.Argument(metavar="ID", help="Id of the key, as `candlewick keys list` shows it.")],
    why: Why = "",
    json: options.Json = False,
    control: options.Control = None,
    store: options.Store = None,
) -> None:
    """Make a key invalid, for good. A running server lets nobody in with it a second later, and ends its streams."""
    from candlewick.cli.control import who
    from candlewick.cli.output import print_json

    with opened_keys(control, store, make=False) as file:
        found = file.revoke(number, who=who(), why=why)
    if json:
        print_json(found.as_dict())
    else:
        typer.echo(f"Key {found.id} of {found.name} ({found.role}) is revoked.")


@contextmanager
def opened_keys(control: str | None, store: str | None, *, make: bool) -> Iterator[Keys]:
    """The keys beside the journal that ``--control``, ``--store`` and the settings lead to."""
    from candlewick.cli.connection import settings_in_force
    from candlewick.cli.control import journal_place, open_journal
    from candlewick.server.open_keys import open_keys
    from candlewick.settings import keys_path

    place = journal_place(settings_in_force(), control, store)
    there = make
    if not isinstance(place, str):
        # Where there are no keys yet, nothing will be written, and so no journal is made.
        path = keys_path(place)
        there = make or (path is not None and path.exists())
        if make and path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
    with open_journal(control, store, make=there) as journal, open_keys(place, note=journal.note) as file:
        yield file
