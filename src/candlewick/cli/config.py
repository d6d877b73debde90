"""config: the settings in force."""

from __future__ import annotations

from dataclasses import asdict, replace
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
    from candlewick.cli.control import journal_place
    from candlewick.cli.output import print_json
    from candlewick.cli.table import print_table
    from candlewick.postgres_address import shown
    from candlewick.settings import Setting

    settings = settings_in_force()
    found = {one.name: one for one in settings.items}
    if store is not None:
        found["store"] = Setting("store", store, "--store")
    place = journal_place(settings, control, store)
    if control is not None:
        found["control"] = Setting("control", control, "--control")
    elif place is not None and (store is not None or found["control"].value is None):
        where = "in the store" if isinstance(place, str) else "beside the store"
        found["control"] = Setting("control", str(place), where)
    if place is not None and (isinstance(place, str) or place.exists()):
        found |= _journalled(place, settings)
    for name in ("store", "control"):
        found[name] = replace(found[name], value=shown(found[name].value or "") or None)
    if json:
        print_json([asdict(one) for one in found.values()])
    else:
        rows = [[one.name, one.value or "(none)", one.origin] for one in found.values()]
        print_table(("setting", "value", "from"), rows)


def _journalled(place: Path | str, settings: Settings) -> dict[str, Setting]:
    """The flags that the control journal decides."""
    from candlewick.definitions import text_of
    from candlewick.delivery.control import Control
    from candlewick.delivery.flags import JOURNAL
    from candlewick.delivery.open import open_journal
    from candlewick.settings import Setting

    with open_journal(place, base=settings.flags()) as journal:
        flags = Control(journal, watch=False).flags()
    return {one.name: Setting(one.name, text_of(one.value), one.origin) for one in flags if one.origin == JOURNAL}
