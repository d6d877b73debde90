"""Flights: one computation for a question that is asked again meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from candlewick.cache.flights import Flights


def together(flights: Flights[int], started: threading.Event, let_go: threading.Event, error: bool) -> tuple[list, int]:
    """Eight askers of one question, seven of them while it is being answered: outcomes, and how often it was."""
    calls = []

    def call() -> int:
        calls.append(1)
        started.set()
        assert let_go.wait(10)
        if error:
            raise ValueError("no")
        return 7

    def ask() -> object:
        try:
            return flights.run("q", call)
        except ValueError as failure:
            return str(failure)

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(ask)
        assert started.wait(10)
        others = [pool.submit(ask) for _ in range(7)]
        while flights.waiting < 7:
            threading.Event().wait(0.001)
        let_go.set()
        return [one.result() for one in (first, *others)], len(calls)


def test_all_who_ask_meanwhile_get_the_one_answer() -> None:
    outcomes, calls = together(Flights(), threading.Event(), threading.Event(), error=False)
    assert outcomes == [(7, True)] + [(7, False)] * 7
    assert calls == 1


def test_an_error_is_everybodys_and_not_kept() -> None:
    flights: Flights[int] = Flights()
    outcomes, calls = together(flights, threading.Event(), threading.Event(), error=True)
    assert outcomes == ["no"] * 8
    assert calls == 1
    assert flights.run("q", lambda: 3) == (3, True)


def test_questions_do_not_wait_for_each_other_and_answers_are_not_kept() -> None:
    flights: Flights[int] = Flights()
    assert flights.run("a", lambda: flights.run("b", lambda: 2)[0]) == (2, True)
    assert flights.run("a", lambda: 5) == (5, True)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_also_an_interruption_ends_the_flight(error: type[BaseException]) -> None:
    flights: Flights[int] = Flights()

    def call() -> int:
        raise error

    with pytest.raises(error):
        flights.run("a", call)
    assert flights.run("a", lambda: 5) == (5, True)
