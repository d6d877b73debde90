"""Context: what a check may use: the store to be judged, sizes, a temporary folder, and how to build what is tested."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from candlewick.store.repository import CandleRepository
from candlewick.validator.application import Application
from candlewick.validator.factory import find_factory
from candlewick.validator.profile import QUICK, Profile
from candlewick.validator.snapshot import Snapshot, take_snapshot

BUILD = "candlewick.app:build"
SERVE = "candlewick.server.http:create_app"
JOURNAL = "candlewick.delivery.journal:ControlJournal"


def _silent(_: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Context:
    """``store``: the user's, which checks only read. ``folder``: for files, removed afterwards.

    ``build``: text form of ``build(store, control) -> Application``; ``serve``: of ``serve(application) -> ASGI app``;
    ``journal``: of ``journal(path) ->`` what has ``entries()``.
    ``progress`` is told what is being done.
    """

    store: CandleRepository
    folder: Path
    profile: Profile = QUICK
    build: str = BUILD
    serve: str = SERVE
    journal: str = JOURNAL
    progress: Callable[[str], None] = _silent

    @cached_property
    def snapshot(self) -> Snapshot:
        """The store's series, checked and copied once for all checks."""
        profile = self.profile
        return take_snapshot(
            self.store, self.file("snapshot.duckdb"), series=profile.series, rows=profile.rows, progress=self.progress
        )

    @cached_property
    def _numbers(self) -> Iterator[int]:
        return count()

    def file(self, name: str) -> Path:
        """A path in the folder at which nothing is yet."""
        return self.folder / f"{next(self._numbers)}-{name}"

    @property
    def source(self) -> Path | None:
        """The checkout that this package runs from; None where it is installed."""
        root = Path(__file__).resolve().parents[3]
        return root if (root / "pyproject.toml").is_file() else None

    @contextmanager
    def application(
        self, store: str | CandleRepository, control: Path | None = None, **engines: Any
    ) -> Iterator[Application]:
        """The whole over a store, given open or by its address.

        ``control``: where its control journal lies; default: a file of its own.
        ``engines``: ``classic`` or ``optimized`` in another form than the usual one.
        """
        built: Application = find_factory(self.build)(store, control or self.file("control.sqlite"), **engines)
        try:
            yield built
        finally:
            built.close()

    def journalled(self, control: Path) -> list[Any]:
        """The entries of a control journal, read from its file as another process would."""
        with find_factory(self.journal)(control) as journal:
            return list(journal.entries())


@contextmanager
def temporary_context(
    store: CandleRepository,
    profile: Profile = QUICK,
    *,
    build: str = BUILD,
    serve: str = SERVE,
    progress: Callable[[str], None] = _silent,
) -> Iterator[Context]:
    """A context whose folder is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="candlewick-validate-") as folder:
        yield Context(store, Path(folder), profile, build, serve, progress=progress)
