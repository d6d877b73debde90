from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from tests.cli.conftest import Run
from tests.postgres_server import postgres_server

from candlewick.app import build


def test_migrate_creates_a_file_and_then_has_nothing_to_do(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    made = run("store", "migrate", "--store", path)
    assert (made.code, made.err) == (0, "")
    assert "created with schema" in made.out
    again = run("store", "migrate", "--store", path)
    assert again.code == 0
    assert "nothing to do" in again.out


def test_migrate_of_a_database_tells_no_password(run: Run) -> None:
    url = postgres_server().url().replace("postgres:@", "postgres:geheim@")
    made = run("store", "migrate", "--store", url, "--json")
    assert (made.code, made.json["done"], made.json["before"]) == (0, "created", 0)
    assert "geheim" not in made.out + made.err
    assert run("store", "migrate", "--store", url, "--json").json["done"] == "nothing"


def test_migrate_of_nothing_that_answers(run: Run) -> None:
    ran = run("store", "migrate", "--store", "postgresql://127.0.0.1:1/absent")
    assert ran.code == 2
    assert "does not answer now" in ran.err


def test_flags_of_a_database_are_in_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    url = postgres_server().url().replace("postgres:@", "postgres:geheim@")
    assert run("flags", "set", "rollout_percentage", "12", "--store", url).code == 0
    monkeypatch.setenv("CANDLEWICK_STORE", url)
    listed = {one["name"]: one["value"] for one in run("flags", "list", "--json").json}
    assert listed["rollout_percentage"] in (12, 12.0, "12")
    shown = run("config", "show", "--json")
    settings = {one["name"]: one for one in shown.json}
    assert settings["control"]["origin"] == "in the store"
    assert "geheim" not in shown.out
    assert run("rollout", "status", "--json").json["percentage"] == 12


def test_keys_of_a_database_lie_in_it(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("candlewick.settings._data_folder", lambda: tmp_path / "data")
    url = postgres_server().url()
    assert run("keys", "list", "--store", url, "--json").json == []
    assert run("keys", "create", "desk", "--role", "viewer", "--store", url).code == 0
    assert [one["name"] for one in run("keys", "list", "--store", url, "--json").json] == ["desk"]
    assert not list(tmp_path.rglob("*.keys.sqlite"))
    with build(url) as application:
        assert [one.name for one in application.keys.all()] == ["desk"]
        assert application.url.startswith("postgresql://")


def test_stats_compact_and_check(run: Run, store: Path) -> None:
    found = run("store", "stats", "--json").json
    assert (found["series"], found["rows"], found["writes"], found["out_of_order"]) == (3, 502, 3, 0)
    assert found["bytes"] > 0
    lines = run("store", "stats").out.splitlines()
    assert lines[0] == f"duckdb:///{store}: 3 series, 502 candles"
    assert "0 candles out of order (0.0%)" in lines
    done = run("store", "compact")
    assert done.code == 0
    assert "compacted 502 candles, 0 of them had been out of order" in done.out
    told = run("store", "compact", "--json").json
    assert told["before"]["rows"] == told["after"]["rows"] == 502
    assert run("store", "check").out == f"duckdb:///{store}: 3 series, all is well\n"
    assert run("store", "check", "--json").json == {"store": f"duckdb:///{store}", "sound": True, "problems": []}


def test_check_names_what_is_wrong(run: Run, store: Path) -> None:
    with duckdb.connect(str(store)) as raw:
        raw.execute("UPDATE series SET rows = rows + 1 WHERE symbol = 'AAPL'")
    found = run("store", "check")
    assert found.code == 1
    assert found.out.splitlines() == [
        "record: AAPL 1m: says 401 candles, there are 400",
        f"duckdb:///{store}: 1 problem",
    ]
    with duckdb.connect(str(store)) as raw:
        raw.execute("DELETE FROM history")
    broken = run("store", "check", "--json")
    assert (broken.code, broken.json["sound"], broken.json["problems"][0]["kind"]) == (1, False, "store")


def test_check_of_another_file_is_bad_input(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "notes.duckdb"
    other.write_text("something else, long enough to have a head")
    ran = run("store", "check", "--store", other)
    assert (ran.code, ran.out) == (2, "")
    assert "is not a DuckDB file" in ran.err


def test_a_database_has_stats_without_order(run: Run) -> None:
    url = postgres_server().url()
    run("store", "migrate", "--store", url)
    assert "out of order" not in run("store", "stats", "--store", url).out
    assert "compacted 0 candles;" in run("store", "compact", "--store", url).out
    assert "0 series, all is well" in run("store", "check", "--store", url).out


def test_compact_of_a_store_that_is_held_says_what_to_do(run: Run, store: Path) -> None:
    hold = "import sys, duckdb; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        ran = run("store", "compact")
        assert ran.code == 2
        assert "a server compacts by itself after the close; to do it now, stop that process first" in ran.err
        assert holder.stdin is not None
        holder.stdin.close()
