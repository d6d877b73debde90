"""backup: all that the store holds into one file, while it is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from candlewick.backup import BackedUp, Tried

WithoutControl = Annotated[bool, typer.Option("--without-control", help="Leave the control journal out.")]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="New file to write, whole or not at all.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Restore it into a temporary store afterwards, and compare.")
    ] = False,
    without_control: WithoutControl = False,
    json: options.Json = False,
    control: options.Control = None,
    store: options.Store = None,
) -> None:
    """Write all that the store holds into one file: candles, earlier versions, writes, quarantine, split factors, and
    the control journal beside it.

    Others read and write the store meanwhile; the backup is of one moment. A store that a server owns is backed up by
    that server. Keys are not in it. With --verify, exit code 1 when a series is not restored as it was.
    """
    from candlewick.backup import backup as write
    from candlewick.backup import try_restore
    from candlewick.cli.connection import open_or_reach
    from candlewick.cli.output import print_json
    from candlewick.cli.progress import ingest_progress
    from candlewick.store.repository import CandleRepository

    with open_or_reach(store) as opened:
        if isinstance(opened, CandleRepository):
            beside = {} if without_control else journal_copy(control, store)
            with ingest_progress("backup") as told:
                done = write(opened, file, beside=beside, progress=None if told is None else _rows(told))
        else:
            done = opened.backup(file, control=not without_control)
    tried: Tried | None = None
    if verify:
        with ingest_progress("trial restore") as told:
            tried = try_restore(file, progress=None if told is None else _rows(told))
    if json:
        print_json(done.as_dict() | {"trial": None if tried is None else _trial(tried)})
    else:
        typer.echo(said(done))
        if tried is not None:
            typer.echo("\n".join(trial_lines(tried)))
    if tried is not None and not tried.good:
        raise typer.Exit(1)


def journal_copy(control: str | None, store: str | None) -> dict[str, bytes]:
    """The control journal of a store as a part of its backup; none where there is no journal yet."""
    from candlewick.cli.connection import settings_in_force
    from candlewick.cli.control import journal_place
    from candlewick.delivery.journal_copy import NAME, copy_of
    from candlewick.delivery.open import open_journal

    place = journal_place(settings_in_force(), control, store)
    if place is None or (isinstance(place, Path) and not place.exists()):
        return {}
    with open_journal(place) as journal:
        return {NAME: copy_of(journal)}


def said(done: BackedUp) -> str:
    """What a backup has, for a reader."""
    control = ", control journal" if done.control else ""
    return (
        f"{done.file}: {done.series:,} series, {done.rows:,} candles, {done.revisions:,} earlier versions, "
        f"{done.writes:,} writes, {done.quarantined:,} rows of quarantine, {done.splits:,} split factors{control}; "
        f"{done.bytes:,} bytes"
    )


def trial_lines(tried: Tried) -> list[str]:
    """How a trial restore went, for a reader."""
    if tried.good:
        return [f"Trial restore: {tried.compared:,} series compared, all are as they were backed up"]
    return [*map(str, tried.differences), f"Trial restore: {len(tried.differences):,} differ of {tried.compared:,}"]


def _trial(tried: Tried) -> dict[str, Any]:
    return {name: value for name, value in tried.as_dict().items() if name != "backup"}


def _rows(told: Any) -> Any:
    return lambda done, total: told(done, total, done)
