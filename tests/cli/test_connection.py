"""Connection: which store a command opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from candlewick.cli.connection import is_there, open_for_reading, open_for_writing, store_url
from candlewick.errors import InputError


def test_the_option_is_before_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "candlewick.toml").write_text('store = "toml.duckdb"')
    assert store_url(None) == "toml.duckdb"
    monkeypatch.setenv("CANDLEWICK_STORE", "environment.duckdb")
    assert store_url(None) == "environment.duckdb"
    assert store_url("option.duckdb") == "option.duckdb"


def test_writing_makes_a_store_and_reading_does_not(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "new.duckdb"
    with pytest.raises(InputError, match=r"store: .* is absent; run `candlewick ingest`"):
        open_for_reading(str(path))
    assert not path.parent.exists()
    with open_for_writing(str(path)) as store:
        assert store.series() == []
    with open_for_reading(f"duckdb://{path}") as store:
        assert store.series() == []


@pytest.mark.parametrize(
    ("url", "there"),
    [
        ("memory:", True),
        ("postgres://host/base", True),
        ("", True),
        ("sqlite:x.db", True),
        ("duckdb://relative.duckdb", True),
        ("absent.duckdb", False),
        ("duckdb:///absent/x.duckdb", False),
        ("duckdb:///C:/absent/x.duckdb", False),
    ],
)
def test_what_is_there(url: str, there: bool) -> None:
    assert is_there(url) is there
