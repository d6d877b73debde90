"""keys: made, listed and revoked at the command line, in the file beside the journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from candlewick.delivery.journal import ControlJournal
from candlewick.settings import KEY_FORM


def test_a_key_from_its_making_to_its_end(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLEWICK_STORE", str(tmp_path / "a.duckdb"))
    made = run("keys", "create", "desk", "--role", "viewer", "--why", "charts")
    assert made.code == 0
    key = made.out.strip()
    assert KEY_FORM.fullmatch(key)
    assert key not in made.err
    assert "(viewer). It is shown this once" in made.err
    number = key.split("_")[1]
    (listed,) = run("keys", "list", "--json").json
    assert (listed["id"], listed["name"], listed["role"], listed["revoked"]) == (number, "desk", "viewer", None)
    shown = run("keys", "list").out
    assert "desk" in shown
    assert key[12:] not in shown
    assert run("keys", "revoke", number, "--why", "lost").out == f"Key {number} of desk (viewer) is revoked.\n"
    assert run("keys", "revoke", number, "--json").json["revoked"] is not None
    assert {path.name for path in tmp_path.iterdir()} >= {"a.duckdb.keys.sqlite", "a.duckdb.control.sqlite"}
    with ControlJournal(tmp_path / "a.duckdb.control.sqlite") as journal:
        entries = [(one.what, one.name, one.new, one.why) for one in journal.entries()[1:]]
    assert entries == [("key", number, "desk (viewer)", "charts"), ("key", number, "revoked", "lost")]


def test_json_has_the_key(run: Any, tmp_path: Path) -> None:
    control = ("--control", str(tmp_path / "own.sqlite"))
    made = run("keys", "create", "desk", "--role", "admin", "--json", *control)
    assert KEY_FORM.fullmatch(made.json["key"])
    assert made.err == ""
    assert (tmp_path / "own.keys.sqlite").exists()
    assert [one["role"] for one in run("keys", "list", "--json", *control).json] == ["admin"]


def test_looking_leaves_no_file_behind(run: Any, tmp_path: Path) -> None:
    place = ("--store", str(tmp_path / "b.duckdb"))
    assert run("keys", "list", *place).out == "There is no key.\n"
    assert run("keys", "list", "--json", *place).json == []
    refused = run("keys", "revoke", "0123abcd", *place)
    assert (refused.code, "id: '0123abcd' is unknown" in refused.err) == (2, True)
    assert list(tmp_path.glob("b.duckdb*")) == []


def test_a_role_that_there_is_not_and_a_store_in_memory_are_told(run: Any, tmp_path: Path) -> None:
    refused = run("keys", "create", "desk", "--role", "king", "--store", str(tmp_path / "b.duckdb"))
    assert (refused.code, "role: 'king' is unknown; " in refused.err) == (2, True)
    refused = run("keys", "list", "--store", "memory:")
    assert (refused.code, "has no control journal beside it" in refused.err) == (2, True)
