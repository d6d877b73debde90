from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.postgres_server import postgres_server


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
