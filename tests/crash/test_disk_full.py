"""A disk that is full: the command says which file, the store is as it was, and goes on when there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from candlewick.errors import StoreError
from candlewick.sources.simulated import simulate
from candlewick.store.duckdb import DuckDBStore

pytestmark = pytest.mark.slow


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can make a small disk")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", tmp_path], check=False)
    if made.returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def filled(folder: Path) -> Path:
    """A file that leaves 64 KB of the disk."""
    ballast = folder / "ballast"
    room = os.statvfs(folder)
    with ballast.open("wb") as file:
        file.write(bytes(room.f_bavail * room.f_bsize - 65_536))
    return ballast


@pytest.mark.parametrize("what", ["ingest", "compact"])
def test_a_full_disk_changes_nothing_and_is_named(small: Path, what: str) -> None:
    path = small / "store.duckdb"
    first, more = simulate(["A", "B"], "XNYS", 60, 1)
    with DuckDBStore(path) as store:
        store.upsert(first)
        ballast = filled(small)

        def act() -> None:
            if what == "ingest":
                store.upsert(more)
            else:
                store.compact()

        with pytest.raises(StoreError, match=r"store\.duckdb"):
            act()
        assert store.read("A", "1m") == first
        assert len(store.series()) == 1
        ballast.unlink()
    with DuckDBStore(path) as store:
        assert store.check() == []
        assert store.read("A", "1m") == first
        if what == "ingest":
            assert store.upsert(more).inserted == len(more)
        store.compact()
        assert store.check() == []
        assert store.read("A", "1m") == first
