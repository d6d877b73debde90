"""A journal's copy put back is the journal: entries, state, and what was spent of each rollout's evidence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.postgres_server import postgres_server

from candlewick.delivery.journal import ControlJournal
from candlewick.delivery.journal_copy import copy_of, put_back
from candlewick.delivery.open import open_journal
from candlewick.errors import InputError, StoreError, StoreVersionError

Place = Callable[[Path], Path | str]
PLACES: dict[str, Place] = {
    "file": lambda folder: folder / f"{len(list(folder.iterdir()))}.control.sqlite",
    "database": lambda _: postgres_server().url(),
}


def lived(place: Path | str) -> ControlJournal:
    """A journal with a rollout in it."""
    journal = open_journal(place)
    journal.set("rollout_percentage", 10, who="a\0é", why="erste Stufe 😀")
    journal.begin_trial(1)
    journal.begin_trial(1)
    journal.kill(who="guard", why="errors", evidence={"pairs": 12, "rate": 0.25})
    journal.clear(who="b", why="mended")
    journal.set("rollout_percentage", 2.5, who="b", why="again")
    journal.leave_report("p", {"x": 1})
    return journal


@pytest.mark.parametrize("into", PLACES)
@pytest.mark.parametrize("kind", PLACES)
def test_put_back_it_is_the_journal(tmp_path: Path, kind: str, into: str) -> None:
    with lived(PLACES[kind](tmp_path)) as journal, open_journal(PLACES[into](tmp_path)) as other:
        data = copy_of(journal)
        count = len(journal.entries())
        assert put_back(other, data) == count
        assert other.entries() == journal.entries()
        assert other.state() == journal.state()
        assert other.reports() == []
        assert put_back(other, data) == count, "a second time nothing happens"
        assert copy_of(other) == data
        assert other.begin_trial(1) == 3
        other.set("rollout_percentage", 5, who="c", why="on")
        assert other.entries()[-1].seq == count + 1
        with pytest.raises(InputError, match="entries of its own already"):
            put_back(other, data)


def test_entries_stay_protected(tmp_path: Path) -> None:
    with lived(tmp_path / "a") as journal, open_journal(tmp_path / "b") as other:
        put_back(other, copy_of(journal))
        for statement in ("DELETE FROM entries", "UPDATE entries SET who = 'x'"):
            with pytest.raises(Exception, match="entries are never"):
                other._connection.execute(statement)


@pytest.mark.parametrize("into", PLACES)
def test_all_or_nothing(tmp_path: Path, into: str) -> None:
    with lived(tmp_path / "a") as journal, open_journal(PLACES[into](tmp_path)) as other:
        before = other.entries(), other.state()
        told = json.loads(copy_of(journal))
        told["entries"].append(told["entries"][-1])  # the same number twice
        with pytest.raises(StoreError):
            put_back(other, json.dumps(told).encode())
        assert (other.entries(), other.state()) == before
        with pytest.raises(StoreVersionError, match="version 9"):
            put_back(other, json.dumps(told | {"version": 9}).encode())
