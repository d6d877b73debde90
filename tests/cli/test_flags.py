"""flags: shown with their origin, set with a trace, refused loudly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from candlewick.definitions import FLAGS
from candlewick.delivery.journal import ControlJournal


def test_each_flag_with_its_value_and_origin(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLEWICK_STORE", "x.duckdb")
    monkeypatch.setenv("CANDLEWICK_MAX_CACHE_MB", "64")
    (tmp_path / "candlewick.toml").write_text("rollout_percentage = 5")
    found = {row["name"]: (row["value"], row["origin"]) for row in run("flags", "list", "--json").json}
    assert list(found) == list(FLAGS)
    assert found["max_cache_mb"] == (64, "environment CANDLEWICK_MAX_CACHE_MB")
    assert found["rollout_percentage"] == (5.0, "candlewick.toml")
    assert found["cache_enabled"] == (True, "default")
    lines = run("flags", "list").out.splitlines()
    assert lines[0].split()[:3] == ["flag", "value", "from"]
    assert len(lines) == 2 + len(FLAGS)
    assert list(tmp_path.iterdir()) == [tmp_path / "candlewick.toml"], "looking leaves no journal behind"


def test_setting_leaves_who_and_why(run: Any, tmp_path: Path) -> None:
    ran = run("flags", "set", "max_cache_mb", "128", "--why", "a larger machine", "--store", "x.duckdb")
    assert (ran.code, ran.out) == (0, "max_cache_mb: 128 (was 512).\n")
    with ControlJournal(tmp_path / "x.duckdb.control.sqlite") as journal:
        entry = journal.entries()[-1]
    assert (entry.what, entry.name, entry.old, entry.new, entry.why) == (
        "set",
        "max_cache_mb",
        512,
        128,
        "a larger machine",
    )
    assert "@" in entry.who
    again = run("flags", "set", "cache_enabled", "off", "--store", "x.duckdb", "--json").json
    assert again == {"name": "cache_enabled", "value": False, "origin": "control journal", "before": True}
    found = {row["name"]: row["value"] for row in run("flags", "list", "--store", "x.duckdb", "--json").json}
    assert (found["max_cache_mb"], found["cache_enabled"]) == (128, False)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("max_cach_mb", "1", "flag: 'max_cach_mb' is unknown; nearest: max_cache_mb"),
        ("max_cache_mb", "none", "max_cache_mb: 'none' is not valid; give a whole number from 1"),
        ("rollout_percentage", "101", "rollout_percentage: '101' is not valid; give a number from 0 to 100"),
    ],
)
def test_a_refusal_names_what_would_be_right_and_makes_no_journal(
    run: Any, tmp_path: Path, name: str, value: str, message: str
) -> None:
    ran = run("flags", "set", name, value, "--store", "x.duckdb")
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_store_in_memory_has_its_journal_in_its_server(run: Any) -> None:
    ran = run("flags", "list", "--store", "memory:")
    assert ran.code == 2
    assert "store: 'memory:' has no control journal beside it; give --control PATH" in ran.err
    assert run("flags", "list", "--store", "memory:", "--control", "own.sqlite").code == 0


def test_where_the_user_has_no_name(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    run("flags", "set", "max_cache_mb", "1", "--control", "own.sqlite")
    with ControlJournal(tmp_path / "own.sqlite") as journal:
        assert journal.entries()[-1].who.startswith("unknown@")
