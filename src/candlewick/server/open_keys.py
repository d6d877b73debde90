"""Open keys: the one place where the place of a control journal is turned into the keys beside it."""

from __future__ import annotations

from pathlib import Path

from candlewick.clock import Clock
from candlewick.server.key_file import KeyFile
from candlewick.server.keys import Keys, Note
from candlewick.settings import keys_path


def open_keys(control: Path | str | None, *, note: Note, clock: Clock | None = None) -> Keys:
    """The keys of the store whose control journal is at ``control``: in the same database, in a file beside it, or for
    None in the memory of this process."""
    if isinstance(control, str):
        from candlewick.server.postgres_keys import PostgresKeys

        return PostgresKeys(control, note=note, clock=clock)
    return KeyFile(keys_path(control), note=note, clock=clock)
