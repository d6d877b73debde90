from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from candlewick.errors import FileFormatError
from candlewick.store.duckdb import DuckDBStore
from candlewick.testing.repository_contract import some


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "store.duckdb"


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("DELETE FROM history", "does not end at revision 2"),
        ("UPDATE history SET revision = 9 WHERE revision = 2", "does not end at revision 2"),
        ("INSERT INTO history SELECT series, day, 3 FROM history WHERE revision = 2", "do not ascend"),
        ("UPDATE history SET revision = 2", "do not ascend"),
        ("DROP TABLE history", "history"),
        ("DELETE FROM candlewick", "does not say its schema"),
        ("UPDATE candlewick SET schema = 0", "does not say its schema"),
        ("INSERT INTO candlewick SELECT * FROM candlewick", "does not say its schema"),
        ("UPDATE candlewick SET schema = NULL", "does not say its schema"),
    ],
)
def test_records_that_do_not_fit_together_are_told(path: Path, damage: str, problem: str) -> None:
    with DuckDBStore(path) as store:
        store.upsert(some())
        store.upsert(some(minutes=[1440]))
    with duckdb.connect(str(path)) as raw:
        raw.execute(damage)
    for _ in range(2):
        with pytest.raises(FileFormatError, match=f"{problem}.* is damaged|is damaged.*{problem}"):
            DuckDBStore(path)
