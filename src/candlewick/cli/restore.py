"""restore: a backup into an empty store, or on trial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlewick.cli import options

if TYPE_CHECKING:
    from candlewick.backup import Archive


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `candlewick backup` made.")],
    trial: Annotated[
        bool, typer.Option("--trial", help="Only try it: into a temporary store, compared series by series.")
    ] = False,
    without_control: Annotated[
        bool, typer.Option("--without-control", help="Leave the control journal of the store as it is.")
    ] = False,
    json: options.Json = False,
    control: options.Control = None,
    store: options.Store = None,
) -> None:
    """Put what a backup has into the store, which must be empty or not there yet: all of it, or nothing.

    Every part is checked against its checksum before anything is written. The store may be of another kind than the one
    that was backed up. The control journal comes back too, and must have no entries of its own. With --trial, exit code
    1 when a series is not restored as it was.
    """
    from candlewick.backup import restore as put
    from candlewick.backup import try_restore
    from candlewick.cli.backup import said, trial_lines
    from candlewick.cli.connection import is_there, open_for_writing, store_url
    from candlewick.cli.output import print_json
    from candlewick.cli.progress import ingest_progress

    if trial:
        with ingest_progress("trial restore") as told:
            tried = try_restore(file, progress=None if told is None else _rows(told))
        if json:
            print_json(tried.as_dict())
        else:
            typer.echo("\n".join([said(tried.backup), *trial_lines(tried)]))
        if not tried.good:
            raise typer.Exit(1)
        return
    entries: list[int] = []

    def journal(archive: Archive) -> None:
        if not without_control:
            entries.append(_put_back(archive, control, store))

    url = store_url(store)
    made = not is_there(url)
    with open_for_writing(store) as repository, ingest_progress("restore") as told:
        try:
            done = put(file, repository, progress=None if told is None else _rows(told), last=journal)
        except BaseException:
            repository.close()
            if made:  # an empty store that nobody asked for
                Path(repository.url.removeprefix("duckdb:///")).unlink(missing_ok=True)
            raise
    if json:
        print_json(done.as_dict() | {"control": sum(entries)})
    else:
        typer.echo(said(done.backup))
        kept = f", control journal with {sum(entries):,} entries" if sum(entries) else ""
        typer.echo(f"Restored into {done.store}{kept}")


def _put_back(archive: Archive, control: str | None, store: str | None) -> int:
    """The journal of the backup into its place; how many entries it has, 0 where the backup has none."""
    from candlewick.cli.connection import settings_in_force
    from candlewick.cli.control import journal_place
    from candlewick.delivery.journal_copy import NAME, put_back
    from candlewick.delivery.open import open_journal

    data = archive.plain(NAME)
    place = journal_place(settings_in_force(), control, store)
    if data is None or place is None:
        return 0
    with open_journal(place) as journal:
        return put_back(journal, data)


def _rows(told: Any) -> Any:
    return lambda done, total: told(done, total, done)
