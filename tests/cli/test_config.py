"""config show: each value in force and where it came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from candlewick.settings import EXPECTED


def test_each_value_and_its_origin(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "candlewick.toml").write_text('store = "toml.duckdb"\nrollout_percentage = 5')
    monkeypatch.setenv("CANDLEWICK_CACHE", str(tmp_path))
    found = {row["name"]: (row["value"], row["origin"]) for row in run("config", "show", "--json").json}
    assert (
        found
        | {
            "store": ("toml.duckdb", "candlewick.toml"),
            "cache": (str(tmp_path), "environment CANDLEWICK_CACHE"),
            "sessions": (None, "default"),
            "control": ("toml.duckdb.control.sqlite", "beside the store"),
            "grace_seconds": ("2", "default"),
            "rollout_percentage": ("5", "candlewick.toml"),
            "cache_enabled": ("true", "default"),
        }
        == found
    )
    assert list(found) == list(EXPECTED)
    monkeypatch.delenv("CANDLEWICK_STORE", raising=False)
    lines = run("config", "show", "--store", "option.duckdb").out.splitlines()
    assert lines[2].split() == ["store", "option.duckdb", "--store"]
    assert lines[4].split() == ["sessions", "(none)", "default"]
    assert lines[5].split() == ["control", "option.duckdb.control.sqlite", "beside", "the", "store"]


def test_flags_that_the_control_journal_decides(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLEWICK_ROLLOUT_PERCENTAGE", "50")
    run("rollout", "set", "10", "--control", "own.sqlite")
    given = {row["name"]: row for row in run("config", "show", "--control", "own.sqlite", "--json").json}
    assert (given["rollout_percentage"]["value"], given["rollout_percentage"]["origin"]) == ("10", "control journal")
    assert (given["control"]["value"], given["control"]["origin"]) == ("own.sqlite", "--control")
    plain = {row["name"]: row for row in run("config", "show", "--json").json}
    assert plain["rollout_percentage"]["origin"] == "environment CANDLEWICK_ROLLOUT_PERCENTAGE"
    monkeypatch.setenv("CANDLEWICK_CONTROL", "own.sqlite")
    named = {row["name"]: row for row in run("config", "show", "--json").json}
    assert (named["control"]["value"], named["control"]["origin"]) == ("own.sqlite", "environment CANDLEWICK_CONTROL")
    assert named["rollout_percentage"]["value"] == "10"


def test_a_bad_setting_stops_every_command(run: Any, tmp_path: Path) -> None:
    (tmp_path / "candlewick.toml").write_text("stroe = 'x'")
    for command in ("config show", "symbols", "indicators", "candles A --timeframe 1m"):
        ran = run(*command.split())
        assert (ran.code, ran.out) == (2, "")
        assert "key in candlewick.toml: 'stroe' is unknown; nearest: store" in ran.err
