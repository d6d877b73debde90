"""A backup is all that a store answers: from any kind of store into any other, while others write."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.backup.lived import KINDS, LIVED, Edit, asked, edited, made, moments

from candlewick.backup import backup, restore, try_restore
from candlewick.backup.archive import Archive
from candlewick.errors import InputError, StoreError
from candlewick.store.duckdb import DuckDBStore
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository
from candlewick.store.telling import TellingRepository
from candlewick.testing.stored_candles import refused, some

Lived = dict[str, tuple[CandleRepository, Path]]
PAIRS = (  # what is in a backup is the same from every kind (the digests): each gives once, and takes once
    ("memory", "duckdb"),
    ("duckdb", "postgres"),
    ("postgres", "memory"),
    pytest.param("memory", "postgres", marks=pytest.mark.slow),
    pytest.param("duckdb", "duckdb", marks=pytest.mark.slow),
    pytest.param("postgres", "postgres", marks=pytest.mark.slow),
)
_answers: dict[str, tuple[list[int], dict[Any, Any]]] = {}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """A store of each kind with the same history, and its backup."""
    folder = tmp_path_factory.mktemp("lived")
    found = {}
    for kind in KINDS:
        store = made(kind, folder)
        edited(store, LIVED)
        store.quarantine([refused("a", 1, ""), refused("b", 7)])
        store.set_split("SPY", "2024-01-03", 4)
        found[kind] = store, folder / f"{kind}.backup"
        backup(*found[kind])
    yield found
    for store, _ in found.values():
        store.close()


@pytest.mark.parametrize(("kind", "into"), PAIRS)
def test_every_answer_is_that_of_the_original(lived: Lived, tmp_path: Path, kind: str, into: str) -> None:
    store, file = lived[kind]
    with made(into, tmp_path) as other:
        restore(file, other)
        if kind not in _answers:
            at = moments(store)
            _answers[kind] = at, asked(store, at)
        at, answers = _answers[kind]
        assert asked(other, at) == answers
        assert other.check() == []
        before = other.find("SPY", "1m").revision
        other.upsert_many([some("NEW", range(3)), some("SPY", [999])])  # and it goes on from there
        assert (other.find("NEW", "1m").revision, other.find("SPY", "1m").revision) == (1, before + 1)
        assert other.check() == []


def test_all_kinds_have_the_same_digests(lived: Lived, tmp_path: Path) -> None:
    """One after the other, each restored from the one before: the last one has what the first one had."""
    file = lived["memory"][1]
    with Archive(file) as archive:
        before = archive.manifest
    for kind in ("postgres", "duckdb", "memory"):
        with made(kind, tmp_path) as store:
            restore(file, store)
            file = tmp_path / kind
            backup(store, file)
        with Archive(file) as archive:
            now = archive.manifest
        assert (set(now.series), now.rest) == (set(before.series), before.rest)
        assert now.tables == before.tables, "a table or column that one kind of store has and another one not"


def test_every_table_of_a_database_is_in_it(lived: Lived) -> None:
    store, file = lived["duckdb"]
    with store.tables() as cursor:
        names = {row[0] for row in cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    with Archive(file) as archive:
        assert set(archive.manifest.tables) == names - {"candlewick"}
        assert {one.table for one in archive.manifest.parts} == names - {"candlewick"}, "each with rows in this test"


def test_a_trial_finds_what_was_backed_up(lived: Lived) -> None:
    seen: list[tuple[int, int]] = []
    for store, file in (lived["memory"], lived["postgres"]):
        tried = try_restore(file, progress=lambda done, total: seen.append((done, total)))
        assert tried.good
        assert tried.compared >= len(store.series())
        assert seen[-1][0] == seen[-1][1] > 0
    assert not list(file.parent.glob(".candlewick-trial*")), "the trial leaves nothing behind"


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["write"] * 4 + ["delete", "retire", "purge", "refuse"]),
        st.integers(0, 3),
        st.integers(0, 40),
        st.integers(1, 20),
        st.integers(0, 30),
    ),
    max_size=12,
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(edits=EDITS)
def test_law_restored_is_as_the_original(tmp_path_factory: pytest.TempPathFactory, edits: list[Edit]) -> None:
    folder = tmp_path_factory.mktemp("law")
    with MemoryStore() as store, MemoryStore() as other, DuckDBStore(folder / "a.duckdb") as third:
        edited(store, [one for one in edits if one[0] != "refuse"])
        backup(store, folder / "one")
        restore(folder / "one", third)
        backup(third, folder / "two")
        restore(folder / "two", other)
        at = moments(store, 2)
        assert asked(store, at) == asked(third, at) == asked(other, at)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_store(tmp_path: Path, kind: str) -> None:
    with made(kind, tmp_path) as store, made(kind, tmp_path) as other:
        done = backup(store, tmp_path / "backup")
        assert (done.series, done.rows) == (0, 0)
        restore(tmp_path / "backup", other)
        other.upsert(some("SPY"))
        assert other.find("SPY", "1m").rows == 5


@pytest.mark.parametrize("kind", KINDS)
def test_writers_go_on_and_the_backup_is_of_one_moment(tmp_path: Path, kind: str) -> None:
    """Each write goes to two series at once: a backup that has more of one than of the other is of two moments."""
    with made(kind, tmp_path) as store, made("memory", tmp_path) as other:
        ended = threading.Event()
        store.upsert_many([some("SPY", [0]), some("BRK/B", [0])])

        def write() -> None:
            for at in range(1, 500):
                if ended.is_set():
                    return
                store.upsert_many([some("SPY", [at]), some("BRK/B", [at])])
                store.upsert_many([some("SPY", [at - 1], price=at), some("BRK/B", [at - 1], price=at)])

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(3):
                backup(TellingRepository(store) if kind == "duckdb" else store, tmp_path / f"{number}")
        finally:
            ended.set()
            writer.join()
        restore(tmp_path / "2", other)
        spy, brk = (other.snapshot(name, "1m") for name in ("SPY", "BRK/B"))
        assert spy.series.revision == brk.series.revision
        assert (spy.candles.close == brk.candles.close).all()
        assert other.writes("SPY", "1m")[-1].revision == spy.series.revision


def test_parts_are_small_and_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("candlewick.backup.archive.PART", 150)
    monkeypatch.setattr("candlewick.store.postgres_contents.BATCH", 64)
    told: list[tuple[int, int]] = []
    for kind in ("postgres", "duckdb"):
        with made(kind, tmp_path) as store, made(kind, tmp_path) as other:
            store.upsert_many([some("SPY", range(500)), some("BRK/B", range(77))])
            file = tmp_path / kind
            done = backup(store, file, progress=lambda done, total: told.append((done, total)))
            assert done.rows == 577
            assert told[-1][0] == told[-1][1] == sum(one.rows for one in Archive(file).manifest.parts)
            with Archive(file) as archive:
                parts = [one for one in archive.manifest.parts if one.table == "candles"]
                assert len(parts) > (1 if kind == "postgres" else 0)
                assert sum(one.rows for one in parts) == 577
            assert all(one.compress_type == zipfile.ZIP_STORED for one in zipfile.ZipFile(file).infolist())
            restore(file, other)
            for name in ("SPY", "BRK/B"):
                assert (other.read(name, "1m").close == store.read(name, "1m").close).all()


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "candles.duckdb"
    with DuckDBStore(path) as store:
        store.upsert(some("SPY"))
        for file in (path, tmp_path / "none" / "backup"):
            with pytest.raises(InputError, match=r"is there already|has no folder"):
                backup(store, file)
        assert len(store.read("SPY", "1m")) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_that_fails_leaves_nothing(tmp_path: Path, kind: str) -> None:
    with made(kind, tmp_path) as store:
        edited(store, LIVED)

        def fail(done: int, total: int) -> None:
            raise StoreError("the disk is gone")

        with pytest.raises(StoreError, match="the disk is gone"):
            backup(store, tmp_path / "backup", progress=fail)
        assert [one.name for one in tmp_path.iterdir() if "backup" in one.name] == []
        assert store.series()
        backup(store, tmp_path / "backup")


def test_text_that_is_no_unicode(tmp_path: Path) -> None:
    with MemoryStore() as store, made("postgres", tmp_path) as other, made("duckdb", tmp_path) as third:
        edited(store, [("refuse", 0, 1, 0, 5)])
        assert "\ud800" in store.quarantined()[0].row
        backup(store, tmp_path / "backup")
        restore(tmp_path / "backup", other)
        assert other.quarantined() == store.quarantined()
        with pytest.raises(StoreError, match="DuckDB cannot hold it"):
            restore(tmp_path / "backup", third)
        assert third.quarantined() == []


def test_what_lies_beside_a_store(tmp_path: Path) -> None:
    with MemoryStore() as store:
        backup(store, tmp_path / "backup", beside={"control.json": b"{}"})
    with Archive(tmp_path / "backup") as archive:
        assert archive.plain("control.json") == b"{}"
        assert archive.plain("none.json") is None
