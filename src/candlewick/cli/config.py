"""config: the settings in force."""

from __future__ import annotations

from dataclasses import asdict

import typer

from candlewick.cli import options

config = typer.Typer(name="config", help="Show the settings in force.", no_args_is_help=True, rich_markup_mode=None)


@config.command("show")
def show(json: options.Json = False, store: options.Store = None) -> None:
    """Show each setting with its value and where it came from.

    The command line is before the environment (CANDLEWICK_STORE, ...), which is before candlewick.toml in the working
    folder, which is before the default.
    """
    from candlewick.cli.connection import settings_in_force
    from candlewick.cli.output import print_json
    from candlewick.cli.table import print_table
    from candlewick.settings import Setting

    settings = settings_in_force().items
    if store is not None:
        settings = tuple(Setting("store", store, "--store") if one.name == "store" else one for one in settings)
    if json:
        print_json([asdict(one) for one in settings])
    else:
        print_table(("setting", "value", "from"), [[one.name, one.value or "(none)", one.origin] for one in settings])
