"""config show: each value in force and where it came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_each_value_and_its_origin(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "candlewick.toml").write_text('store = "toml.duckdb"')
    monkeypatch.setenv("CANDLEWICK_CACHE", str(tmp_path))
    found = {row["name"]: (row["value"], row["origin"]) for row in run("config", "show", "--json").json}
    assert found == {
        "store": ("toml.duckdb", "candlewick.toml"),
        "cache": (str(tmp_path), "environment CANDLEWICK_CACHE"),
        "sessions": (None, "default"),
    }
    monkeypatch.delenv("CANDLEWICK_STORE", raising=False)
    lines = run("config", "show", "--store", "option.duckdb").out.splitlines()
    assert lines[2].split() == ["store", "option.duckdb", "--store"]
    assert lines[4].split() == ["sessions", "(none)", "default"]


def test_a_bad_setting_stops_every_command(run: Any, tmp_path: Path) -> None:
    (tmp_path / "candlewick.toml").write_text("stroe = 'x'")
    for command in ("config show", "symbols", "indicators", "candles A --timeframe 1m"):
        ran = run(*command.split())
        assert (ran.code, ran.out) == (2, "")
        assert "key in candlewick.toml: 'stroe' is unknown; nearest: store" in ran.err
