"""An ingest killed with -9: the store opens, each series is whole or absent, and a second run completes it."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from candlewick.sources.ingest import ingest
from candlewick.store.duckdb import DuckDBStore

pytestmark = pytest.mark.untraced

# Small buckets, so that a run has many transactions to be killed between and within.
RUN = """
import sys
from candlewick.sources import staging
from candlewick.sources.ingest import ingest
from candlewick.store.duckdb import DuckDBStore

staging.PER_BUCKET, staging.HELD = 200_000, 5_000
print("started", flush=True)
with DuckDBStore(sys.argv[1]) as store:
    ingest(store, sys.argv[2], calendar="XNYS")
print("done", flush=True)
"""


def run(store: Path, file: Path, kill_after: float | None) -> float:
    """Seconds that the ingest took in a process of its own, or until it was killed."""
    process = subprocess.Popen([sys.executable, "-c", RUN, str(store), str(file)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "started\n"
        began = time.perf_counter()
        try:
            process.wait(timeout=kill_after)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return time.perf_counter() - began


def check_killed_at(moments: int, folder: Path, file: Path, rows: dict[str, int], seed: int) -> list[int]:
    """Kill at random moments; returns how many series each kill left."""
    whole = run(folder / "whole.duckdb", file, None)
    chance = random.Random(seed)
    left = []
    for k in range(moments):
        path = folder / f"{k}.duckdb"
        run(path, file, chance.uniform(0, whole))
        with DuckDBStore(path) as store:
            found = {one.symbol: one.rows for one in store.series()}
            assert all(rows[symbol] == count for symbol, count in found.items()), "each series is whole or absent"
            summary = ingest(store, file, calendar="XNYS")
            assert summary.rows == sum(rows.values())
            assert summary.unchanged == sum(found.values())
            assert summary.inserted == summary.rows - summary.unchanged
            assert {one.symbol: one.rows for one in store.series()} == rows
            assert {symbol: len(store.read(symbol, "1m")) for symbol in rows} == rows
            assert store.staging is not None
            assert not store.staging.exists()
        assert [child.name for child in folder.glob(f"{k}.duckdb*")] == [path.name], "nothing else is left behind"
        left.append(len(found))
    return left


def test_one_moment(tmp_path: Path, many_series: tuple[Path, dict[str, int]]) -> None:
    assert len(check_killed_at(1, tmp_path, *many_series, seed=3)) == 1


@pytest.mark.slow
def test_twenty_moments(tmp_path: Path, many_series: tuple[Path, dict[str, int]]) -> None:
    left = check_killed_at(20, tmp_path, *many_series, seed=20)
    assert len(set(left)) > 2, "the moments met the run in different places"
