"""config: the settings in force."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from candlewick.settings import Setting, Settings

config = typer.Typer(name="config", help="Show the settings in force.", no_args_is_help=True, rich_markup_mode=None)


@config.command("show")
def show(json: options.Json = False, control: options.Control = None, store: options.Store = None) -> None:
    """Show each setting and flag with its value and where it came from.

    The command line is before the environment (CANDLEWICK_STORE, ...), which is before candlewick.toml in the working
    folder, which is before the default. Of flags the control journal is before all of these, and a kill before it.
    """
    from candlewick.cli.connection import settings_in_force
    from candlewick.cli.control import journal_path
    from candlewick.cli.output import print_json
    from candlewick.cli.table import print_table
    from candlewick.settings import Setting

    settings = settings_in_force()
    found = {one.name: one for one in settings.items}
    if store is not None:
        found["store"] = Setting("store", store, "--store")
    path = journal_path(settings, control, store)
    if control is not None:
        found["control"] = Setting("control", control, "--control")
    elif path is not None and (store is not None or found["control"].value is None):
        found["control"] = Setting("control", str(path), "beside the store")
    if path is not None and path.exists():
        found |= _journalled(path, settings)
    if json:
        print_json([asdict(one) for one in found.values()])
    else:
        rows = [[one.name, one.value or "(none)", one.origin] for one in found.values()]
        print_table(("setting", "value", "from"), rows)


def _journalled(path: Path, settings: Settings) -> dict[str, Setting]:
    """The flags that the control journal decides."""
    from candlewick.definitions import text_of
    from candlewick.delivery.control import Control
    from candlewick.delivery.flags import JOURNAL
    from candlewick.delivery.journal import ControlJournal
    from candlewick.settings import Setting

    with ControlJournal(path, base=settings.flags()) as journal:
        flags = Control(journal, watch=False).flags()
    return {one.name: Setting(one.name, text_of(one.value), one.origin) for one in flags if one.origin == JOURNAL}
