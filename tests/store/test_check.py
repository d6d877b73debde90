from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.postgres_server import postgres_server

from candlewick.store.check import MOST, Problem
from candlewick.store.memory import MemoryStore
from candlewick.store.open import open_store
from candlewick.store.repository import CandleRepository
from candlewick.testing.stored_candles import START, some
from candlewick.timeframe import MINUTE

TWICE = "INSERT INTO candles (series, time, open, high, low, close, volume, revision) "
ONE = f"WHERE time = {START + MINUTE} AND series = (SELECT id FROM series WHERE symbol = 'SPY')"
DAMAGE = [
    ("UPDATE series SET rows = rows + 1 WHERE symbol = 'SPY'", "record", "says 7 candles, there are 6"),
    ("UPDATE series SET first = first - 60000000 WHERE symbol = 'SPY'", "record", "the candles are from"),
    (f"UPDATE candles SET revision = 99 {ONE}", "record", "a candle of 99"),
    (f"DELETE FROM candles {ONE}", "record", "says 6 candles, there are 5"),
    (f"UPDATE candles SET close = 'NaN'::float8 {ONE}", "candle", "values that no candle has"),
    (f"UPDATE candles SET volume = 'Infinity'::float8 {ONE}", "candle", "values that no candle has"),
    (f"UPDATE candles SET high = low - 1 {ONE}", "candle", "2024-01-02T14:31:00Z has values"),
    (f"UPDATE candles SET volume = -1 {ONE}", "candle", "values that no candle has"),
    (f"UPDATE candles SET series = 77 {ONE}", "stray", "1 rows of candles belong to series 77: there is none"),
    ("UPDATE series SET calendar = 'XXXX' WHERE symbol = 'SPY'", "series", "'XXXX'"),
    ("UPDATE series SET timeframe = '7x' WHERE symbol = 'SPY'", "series", "'7x'"),
    ("UPDATE revisions SET until = revision", "revision", "cannot have been"),
    ("UPDATE revisions SET until = 50", "revision", "cannot have been"),
    ("UPDATE candles SET revision = 1 WHERE revision = 3", "revision", "version of revision 1 came before"),
    ("DELETE FROM writes WHERE revision = 2", "write", "2 candles were stored by writes that are not noted"),
    ("DELETE FROM writes WHERE revision = 4", "write", "1 versions were replaced by writes that are not noted"),
    ("UPDATE writes SET written_at = written_at + 90000000 WHERE revision = 2", "writes", "does not ascend"),
    ("DELETE FROM writes WHERE revision = 4", "writes", "end at revision 3, the series is of 4"),
    ("UPDATE history SET revision = 2 WHERE revision = 4", "history", "end at revision 2, the series is of 4"),
    ("DELETE FROM history", "history", "are not there"),
]


@contextmanager
def on(kind: str, folder: Path) -> Iterator[CandleRepository]:
    with open_store(folder / "store.duckdb" if kind == "duckdb" else postgres_server().url()) as store:
        yield store


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def held(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CandleRepository]:
    """SPY at revision 4 with two earlier versions, and another series."""
    with on(request.param, tmp_path_factory.mktemp("check")) as store:
        store.upsert_many([some(), some("B/C", timeframe="1d", calendar="24/7")])
        store.upsert(some(minutes=[5, 6]))
        store.upsert(some(minutes=[2], price=7))
        store.delete("SPY", "1m", START + 4 * MINUTE, START + 5 * MINUTE)
        yield store


class Undone(Exception):
    pass


def damaged(store: CandleRepository, statement: str) -> list[Problem]:
    """What the check says after a statement, which is undone afterwards."""
    from candlewick.store.check import check

    found: list[Problem] = []
    with pytest.raises(Undone), store.tables(writing=True) as cursor:
        cursor.execute(statement)
        found += check(cursor)
        raise Undone
    return found


@pytest.mark.parametrize(("statement", "kind", "says"), DAMAGE)
def test_damage_is_found_and_named(held: CandleRepository, statement: str, kind: str, says: str) -> None:
    found = damaged(held, statement)
    assert any(one.kind == kind and says in one.says for one in found), found
    assert held.check() == [], "a check changes nothing, and the store was sound before"


def test_what_keys_forbid_in_postgres_is_found_in_duckdb(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.duckdb") as store:
        store.upsert(some())
        copy = f"INSERT INTO candles SELECT * FROM candles {ONE}"
        assert "2024-01-02T14:31:00Z stands 2 times" in str(damaged(store, copy))
        twice = damaged(store, "INSERT INTO series SELECT * FROM series")
        assert [one.says for one in twice if one.kind == "series"] == ["number 0 is given twice", "stands twice"]


def test_so_many_problems_of_a_kind_are_named(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.duckdb") as store:
        store.upsert(some(minutes=range(3 * MOST)))
        found = damaged(store, "UPDATE candles SET volume = -1")
        assert [one.kind for one in found] == ["candle"] * MOST
        assert str(found[0]).startswith("candle: SPY 1m: 2024-01-02T")
        assert found[0].as_dict() == {"kind": "candle", "symbol": "SPY", "timeframe": "1m", "says": found[0].says}


def test_a_store_in_memory_has_nothing_to_check() -> None:
    with MemoryStore() as store:
        store.upsert(some())
        assert store.check() == []


def test_histories_of_any_kind_are_sound(held: CandleRepository) -> None:
    """A series that went and came again, retirement and purge leave nothing that the check takes for damage."""
    store: Any = held
    store.upsert(some("gone"))
    store.upsert(some("gone", minutes=[1], price=3))
    store.delete("gone", "1m", None, START + 2 * MINUTE, for_good=True)
    assert store.check() == []
    store.purge(2**52, "gone")
    assert store.check() == []
    store.delete("gone")
    store.upsert(some("gone", calendar="24/7"))
    store.compact()
    assert store.check() == []
