"""flags: what can be changed while a service runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from candlewick.cli import options

flags = typer.Typer(name="flags", help="Show and set flags.", no_args_is_help=True, rich_markup_mode=None)


@flags.command("list")
def list_flags(json: options.Json = False, control: options.Control = None, store: options.Store = None) -> None:
    """Show each flag with its value, where that comes from, and what it does.

    The control journal is before the environment, which is before candlewick.toml, which is before the default.
    """
    from candlewick.cli.control import open_control
    from candlewick.cli.output import print_json
    from candlewick.cli.table import print_table
    from candlewick.definitions import FLAGS, text_of

    opened = open_control(control, store)
    with opened.journal:
        found = opened.flags()
    if json:
        print_json([asdict(one) for one in found])
    else:
        rows = [[one.name, text_of(one.value), one.origin, FLAGS[one.name].about] for one in found]
        print_table(("flag", "value", "from", "what it does"), rows)


@flags.command("set", context_settings=options.SIGNED)
def set_flag(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A flag, as `candlewick flags list` names it.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Its new value.")],
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the journal.")] = "",
    json: options.Json = False,
    control: options.Control = None,
    store: options.Store = None,
) -> None:
    """Set a flag, from now on and across restarts. A running server follows within a tenth of a second."""
    from candlewick.cli.control import open_control, who
    from candlewick.cli.output import print_json
    from candlewick.definitions import find_flag, text_of

    find_flag(name).parse(value)  # before a journal is made for it
    opened = open_control(control, store, make=True)
    with opened.journal:
        before = opened.current.values[name]
        found = opened.set(name, value, who=who(), why=why)
    if json:
        print_json(asdict(found) | {"before": before})
    else:
        typer.echo(f"{name}: {text_of(found.value)} (was {text_of(before)}).")
