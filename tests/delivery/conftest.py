"""What the tests of delivery share: a clock that is set by hand, a journal and a control of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from candlewick.delivery.control import Control
from candlewick.delivery.entry import State
from candlewick.delivery.flags import default_flags
from candlewick.delivery.journal import ControlJournal
from candlewick.delivery.snapshot import Snapshot, snapshot_of


class ManualClock:
    """Time stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def wall(self) -> int:
        return 1_700_000_000_000_000 + int(self.now * 1e6)

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.duckdb.control.sqlite"


@pytest.fixture
def journal(path: Path, clock: ManualClock) -> Iterator[ControlJournal]:
    with ControlJournal(path, clock=clock) as opened:
        yield opened


@pytest.fixture
def control(journal: ControlJournal) -> Iterator[Control]:
    """Looks at the journal only when it is told to, or writes."""
    opened = Control(journal, watch=False)
    yield opened
    opened.close()


@pytest.fixture
def snapshot() -> Callable[..., Snapshot]:
    """A snapshot with some flags set, and a salt."""

    def build(killed: bool = False, salt: str = "salt", step: int = 1, **flags: Any) -> Snapshot:
        return snapshot_of(State(seq=1, flags=flags, killed=killed, salt=salt, step=step), default_flags())

    return build
