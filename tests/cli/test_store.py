from __future__ import annotations

from pathlib import Path

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


def test_keys_of_a_database_lie_in_the_users_folder(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("candlewick.settings._data_folder", lambda: tmp_path / "data")
    url = postgres_server().url()
    assert run("keys", "list", "--store", url, "--json").json == []
    assert run("keys", "create", "desk", "--role", "viewer", "--store", url).code == 0
    assert [one["name"] for one in run("keys", "list", "--store", url, "--json").json] == ["desk"]
    assert [path.suffixes[-2:] for path in (tmp_path / "data").iterdir()] == [[".keys", ".sqlite"]]
    with build(url) as application:
        assert [one.name for one in application.keys.all()] == ["desk"]
        assert application.url.startswith("postgresql://")
