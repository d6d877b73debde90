"""Control: from ``--control``, ``--store`` and the settings to a control journal, whether or not its server answers."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from candlewick.errors import InputError

if TYPE_CHECKING:
    from candlewick.delivery.control import Control
    from candlewick.delivery.journal import ControlJournal
    from candlewick.settings import Settings


def journal_place(settings: Settings, control: str | None, store: str | None) -> Path | str | None:
    """Where the journal is: at ``--control``, beside ``--store``, where the settings say, or beside their store."""
    from candlewick.settings import control_place

    if control is None and store is not None:
        return control_place(store)
    return control_place(settings["store"].value or "", settings["control"].value if control is None else control)


def open_journal(control: str | None, store: str | None, *, make: bool) -> ControlJournal:
    """The journal, made when it is not there yet and ``make`` says so; else an empty one that leaves no file behind.

    Raises InputError for a store in memory, whose journal only its server has.
    """
    from candlewick.cli.connection import settings_in_force
    from candlewick.delivery import open as opening

    settings = settings_in_force()
    place = journal_place(settings, control, store)
    if place is None:
        expected = "give --control PATH, the journal of the server"
        raise InputError("store", store or settings["store"].value, expected, "has no control journal beside it")
    there = make or isinstance(place, str) or place.exists()
    return opening.open_journal(place if there else None, base=settings.flags())


def open_control(control: str | None, store: str | None, *, make: bool = False) -> Control:
    """The flags in force as the journal and these settings have them."""
    from candlewick.delivery.control import Control

    return Control(open_journal(control, store, make=make), watch=False)


def who() -> str:
    """Who is at the command line, for the journal: user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
