"""backup and restore at the command line: whole, tried, with the rollout, and all or nothing also when killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.conftest import OPEN, Run, series
from tests.postgres_server import postgres_server

from candlewick.app import build
from candlewick.backup import backup as write_backup
from candlewick.store.memory import MemoryStore
from candlewick.store.open import open_store
from candlewick.validator.temporary_server import served


@pytest.fixture
def file(run: Run, store: Path, tmp_path: Path) -> Path:
    """A backup of a store whose rollout is at 10%."""
    assert run("rollout", "set", "10", "--why", "a test").code == 0
    done = run("backup", tmp_path / "b.backup", "--json")
    assert (done.code, done.json["rows"], done.json["control"], done.json["trial"]) == (0, 502, True, None)
    return tmp_path / "b.backup"


def test_back_into_a_new_file(run: Run, store: Path, file: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.duckdb"
    ran = run("restore", file, "--store", new)
    assert ran.code == 0, ran.err
    assert "3 series, 502 candles, 0 earlier versions, 3 writes, 0 rows of quarantine, 0 split factors" in ran.out
    assert f"Restored into duckdb:///{new}, control journal with 2 entries" in ran.out
    assert run("symbols", "--json", "--store", new).json == run("symbols", "--json").json
    assert run("rollout", "status", "--json", "--store", new).json["percentage"] == 10
    again = run("restore", file, "--store", new)
    assert again.code == 2
    assert "is not empty" in again.err
    assert run("restore", file).code == 2, "the store that was backed up is not empty either"


def test_into_a_database_and_back(run: Run, store: Path, file: Path, tmp_path: Path) -> None:
    url = postgres_server().url()
    done = run("restore", file, "--store", url, "--json")
    assert (done.code, done.json["control"]) == (0, 2)
    assert run("rollout", "status", "--json", "--store", url).json["percentage"] == 10
    assert run("backup", tmp_path / "c.backup", "--verify", "--store", url).code == 0
    assert run("restore", tmp_path / "c.backup", "--store", tmp_path / "back.duckdb", "--json").json["control"] == 2
    asked = ("candles", "AAPL", "--timeframe", "5m", "--indicators", "desk", "--format", "json")
    assert run(*asked, "--store", tmp_path / "back.duckdb").json == run(*asked).json


def test_the_journal_may_stay_out(run: Run, store: Path, file: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.duckdb"
    assert run("flags", "set", "rollout_percentage", "50", "--store", new).code == 0
    ran = run("restore", file, "--store", new)
    assert ran.code == 2
    assert "has 2 entries of its own already" in ran.err
    assert not new.exists()
    assert run("restore", file, "--store", new, "--without-control", "--json").json["control"] == 0
    assert run("rollout", "status", "--json", "--store", new).json["percentage"] == 50
    assert not run("backup", tmp_path / "bare", "--without-control", "--json").json["control"]
    assert run("restore", tmp_path / "bare", "--store", tmp_path / "a.duckdb", "--json").json["control"] == 0


def test_a_trial_at_the_command_line(run: Run, store: Path, file: Path, tmp_path: Path) -> None:
    ran = run("restore", file, "--trial")
    assert ran.code == 0, ran.err
    assert ran.out.endswith("Trial restore: 3 series compared, all are as they were backed up\n")
    assert run("restore", file, "--trial", "--json").json["good"] is True
    both = run("backup", tmp_path / "c.backup", "--verify")
    assert both.out.endswith("all are as they were backed up\n")
    assert run("backup", tmp_path / "d.backup", "--verify", "--json").json["trial"]["compared"] == 3


def test_a_trial_that_differs_ends_with_1(
    run: Run, store: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["candlewick.backup.restore"]
    monkeypatch.setattr(module, "_differences", lambda *_: [module.Difference("AAPL", "1m", "is odd")])  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "_check", lambda *_: None)
    ran = run("restore", file, "--trial")
    assert (ran.code, ran.out.splitlines()[1:]) == (1, ["AAPL 1m: is odd", "Trial restore: 1 differ of 3"])
    assert run("restore", file, "--trial", "--json").code == 1
    assert run("backup", tmp_path / "c", "--verify").code == 1


def test_a_damaged_backup_is_refused_and_leaves_no_store(run: Run, file: Path, tmp_path: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 8
    file.write_bytes(data)
    ran = run("restore", file, "--store", tmp_path / "new.duckdb")
    assert ran.code == 2
    assert "is damaged in " in ran.err
    assert not (tmp_path / "new.duckdb").exists()
    assert run("restore", file, "--trial").code == 2
    assert run("restore", tmp_path / "none", "--trial").code == 2


def test_the_store_itself_is_not_written_over(run: Run, store: Path) -> None:
    ran = run("backup", store)
    assert ran.code == 2
    assert "is there already" in ran.err


def test_through_the_server_that_owns_the_store(
    run: Run, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from candlewick.client import Client
    from candlewick.store.repository import CandleRepository

    with build(str(store)) as application, served(application, "candlewick.server.http:create_app") as client:
        reached = Client(str(client.base_url))
        monkeypatch.setattr("candlewick.cli.connection.open_or_reach", lambda _: reached)
        assert not isinstance(reached, CandleRepository)
        done = run("backup", tmp_path / "b.backup", "--verify", "--json")
        assert done.code == 0, done.err
        assert (done.json["rows"], done.json["control"], done.json["trial"]["good"]) == (502, True, True)
    assert run("restore", tmp_path / "b.backup", "--store", tmp_path / "new.duckdb", "--json").json["control"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_a_killed_restore_leaves_nothing_half_visible(run: Run, tmp_path: Path, kind: str) -> None:
    """Killed at moments throughout: the store is empty or not there, and the restore can be made again."""
    file = tmp_path / "big.backup"
    with MemoryStore() as big:
        for symbol in range(20):
            big.upsert(series(f"S{symbol}", OPEN, 25_000, calendar="24/7"))
        write_backup(big, file)
    url = str(tmp_path / "new.duckdb") if kind == "duckdb" else postgres_server().url()
    command = [sys.executable, "-m", "candlewick.cli.main", "restore", str(file), "--store", url]
    began = time.monotonic()
    assert (
        subprocess.run([*command[:-1], f"{url}-try" if kind == "duckdb" else postgres_server().url()]).returncode == 0
    )
    took = time.monotonic() - began
    for share in (0.3, 0.5, 0.7, 0.8, 0.9):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(took * share)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        else:
            break  # it was done already
        with open_store(url) as store:
            assert len(store.series()) in (0, 20)
            assert store.stats().rows in (0, 500_000)
            assert store.check() == []
            if store.series():
                return
    else:
        assert subprocess.run(command).returncode == 0
    with open_store(url) as store:
        assert store.stats().rows == 500_000
