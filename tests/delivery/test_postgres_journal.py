"""The control journal in a database; `test_journal.py` holds it to what every journal promises."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from tests.postgres_server import frail_server, postgres_server

from candlewick.delivery import postgres_journal
from candlewick.delivery.control import Control
from candlewick.delivery.postgres_journal import PostgresJournal
from candlewick.errors import StoreError, StoreUnavailableError, StoreVersionError


@pytest.fixture
def url() -> str:
    return postgres_server().url()


@pytest.fixture
def journal(url: str) -> Iterator[PostgresJournal]:
    with PostgresJournal(url) as journal:
        yield journal


def soon(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.005)


def test_a_kill_by_one_holds_for_all(url: str, journal: PostgresJournal) -> None:
    mine = Control(journal)
    with PostgresJournal(url) as second:
        other = Control(second)
        mine.set("rollout_percentage", 50, who="me")
        soon(lambda: other.current.share == 50)
        assert other.kill(who="you", why="bad")
        soon(lambda: mine.current.killed)
        assert mine.current.share == 0
        other.close()
    mine.close()


def test_entries_are_never_changed(url: str, journal: PostgresJournal) -> None:
    schema = url.rpartition("=")[2]
    for statement in ("UPDATE {} SET who = 'nobody'", "DELETE FROM {}", "TRUNCATE {}"):
        with pytest.raises(psycopg.Error, match="entries are never"):
            postgres_server().execute(statement.format(f"{schema}.control_entries"))
    assert len(journal.entries()) == 1


def test_a_newer_journal_is_refused(url: str, journal: PostgresJournal) -> None:
    postgres_server().execute(f"UPDATE {url.rpartition('=')[2]}.control SET version = 99")
    with pytest.raises(StoreVersionError, match="newer candlewick"):
        PostgresJournal(url)


def test_a_broken_connection_is_made_anew(journal: PostgresJournal) -> None:
    journal._session.execute("SET application_name = 'to be ended'")
    postgres_server().execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to be ended'"
    )
    with pytest.raises(StoreUnavailableError):
        journal.state()
    assert journal.state().seq == 1


def test_closed(journal: PostgresJournal) -> None:
    journal.close()
    journal.close()
    with pytest.raises(StoreError, match="closed"):
        journal.state()


def test_any_text_comes_back(journal: PostgresJournal) -> None:
    journal.set("max_cache_mb", 1, who="a\x00b", why="\x00 東京")
    assert (journal.entries()[-1].who, journal.entries()[-1].why) == ("a\x00b", "\x00 東京")


def test_after_a_fork_the_child_has_its_own(journal: PostgresJournal) -> None:
    before = journal._session
    journal.reopen()
    assert journal._session is not before
    journal.set("max_cache_mb", 7, who="me")
    before.close()


def test_its_candles_may_come_later(url: str, journal: PostgresJournal, tmp_path: Path) -> None:
    from candlewick.store.open import open_store

    with open_store(url) as store:
        assert store.series() == []


def test_a_database_that_hangs_is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_journal, "PATIENCE", 0.3)
    server = frail_server()
    with PostgresJournal(server.url()) as journal:
        server.hang()
        try:
            with pytest.raises(StoreUnavailableError, match=r"not said anything for 0\.3 s"):
                journal.kill(who="me", why="bad")
            with pytest.raises(StoreUnavailableError) as first:
                journal.state()
            with pytest.raises(StoreUnavailableError) as second:
                journal.entries()
            assert first.value.reason == second.value.reason, "nobody waits for a connection that another did not get"
        finally:
            server.go_on()
        soon(lambda: _answers(journal))
        assert journal.kill(who="me", why="bad")
        assert journal.state().killed


def _answers(journal: PostgresJournal) -> bool:
    try:
        return journal.state().seq > 0
    except StoreUnavailableError:
        return False


def test_a_writer_waits_for_another_for_longer(
    url: str, journal: PostgresJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_journal, "PATIENCE", 0.1)
    with PostgresJournal(url) as hasty, ThreadPoolExecutor(1) as pool:
        with journal._writing():
            killing = pool.submit(hasty.kill, who="you", why="bad")
            with pytest.raises(TimeoutError):
                killing.result(0.5)
        assert killing.result(20)
