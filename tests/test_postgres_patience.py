"""Patience counts the turns in which the socket had nothing, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.postgres_server import postgres_server

from candlewick.errors import StoreUnavailableError
from candlewick.postgres_address import PostgresAddress
from candlewick.postgres_patience import TURN, _awaited, patient, was_silent


@pytest.fixture(scope="module")
def address() -> PostgresAddress:
    return PostgresAddress.parse(postgres_server().url())


@pytest.fixture
def connection(address: PostgresAddress) -> Iterator[Any]:
    with address.connect(2 * TURN) as connection:
        yield connection


def test_a_database_that_says_nothing_is_given_up(address: PostgresAddress, connection: Any) -> None:
    with pytest.raises(StoreUnavailableError, match=r"not said anything for 0\.2 s") as caught, address.told():
        connection.execute("SELECT pg_sleep(30)")
    assert was_silent(caught.value)
    assert connection.closed


def test_inside_a_transaction_too(connection: Any) -> None:
    with pytest.raises(psycopg.OperationalError) as caught, connection.transaction():
        connection.execute("SELECT pg_sleep(30)")
    assert was_silent(caught.value)
    assert connection.closed


def test_one_that_answers_is_not(connection: Any) -> None:
    assert connection.execute("SELECT pg_sleep(0.01), 7").fetchall()[0][1] == 7
    with pytest.raises(psycopg.errors.DivisionByZero) as caught:
        connection.execute("SELECT 1 / 0")
    assert not was_silent(caught.value)
    assert not was_silent(None)
    assert connection.execute("SELECT 8").fetchall() == [(8,)]


def test_another_patience_for_a_while(connection: Any) -> None:
    with patient(connection, None):
        connection.execute("SELECT pg_sleep(0.5)")
    with patient(connection, 5):
        connection.execute("SELECT pg_sleep(0.5)")
    assert connection.patience == 2 * TURN


def test_a_process_that_stood_still_finds_the_answer(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sleeps between question and answer for longer than its patience."""
    run = psycopg.Cursor._execute_gen

    def late(*given: Any, **named: Any) -> Generator[Any, Any, Any]:
        inner = run(*given, **named)
        wanted = next(inner)
        while True:
            time.sleep(3 * TURN)
            try:
                wanted = inner.send((yield wanted))
            except StopIteration as end:
                return end.value

    monkeypatch.setattr(psycopg.Cursor, "_execute_gen", late)
    assert connection.execute("SELECT pg_sleep(0.25), 9").fetchall()[0][1] == 9


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 5))
def test_silence_is_turns_in_a_row(turns: list[bool], patience: int) -> None:
    def inner() -> Generator[str, bool, list[bool]]:
        seen = []
        for _ in turns:
            seen.append((yield "read"))
        return seen

    expected = next(
        (at for at in range(len(turns)) if at + 1 >= patience and not any(turns[at + 1 - patience : at + 1])), None
    )
    outer = _awaited(inner(), patience * TURN)
    ended: object = None
    try:
        next(outer)
        for at, ready in enumerate(turns):
            ended = at
            outer.send(ready)
    except StopIteration as end:
        ended = end.value
    except psycopg.OperationalError as error:
        ended = (ended, was_silent(error))
    assert ended == (turns if expected is None else (expected, True))
