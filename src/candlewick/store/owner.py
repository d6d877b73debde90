"""Owner: the small file beside a store that says which process holds it, so that others can be told who."""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Owner:
    """The process that holds a store: its id, machine, command line and since when (ISO UTC).

    ``address``: where it serves the store to others, such as http://127.0.0.1:8787; None when it does not.
    """

    pid: int
    host: str
    command: str
    since: str
    address: str | None = None

    @classmethod
    def here(cls) -> Self:
        """This process."""
        name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
        command = " ".join([name, *sys.argv[1:]])[:200]
        since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return cls(os.getpid(), socket.gethostname(), command, since)

    @classmethod
    def read(cls, store: Path) -> Self | None:
        """Who last said to own the store; None when nobody did, or the note cannot be read."""
        try:
            return cls(**json.loads(beside(store).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, store: Path) -> None:
        """Say so, in one step: a reader sees the old note or the new one, never half of one."""
        note = beside(store)
        draft = note.with_name(f"{note.name}.{self.pid}")
        draft.write_text(json.dumps(asdict(self)), "utf-8")
        draft.replace(note)

    def remove(self, store: Path) -> None:
        """Take the note away if it is still this one's."""
        if Owner.read(store) == self:
            with suppress(OSError):
                beside(store).unlink()

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} ({self.command}) since {self.since}"


def beside(store: Path) -> Path:
    """Where the note of a store lies."""
    return store.with_name(f"{store.name}.owner")
