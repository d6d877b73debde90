"""Gate: never more inside than there are places."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from candlewick.cache.gate import Gate


@pytest.mark.parametrize("places", [1, 3])
def test_never_more_inside_than_places(places: int) -> None:
    gate, lock = Gate(places), threading.Lock()
    inside, most = 0, 0
    full = threading.Barrier(places)

    def work(_: int) -> None:
        nonlocal inside, most
        with gate:
            with lock:
                inside += 1
                most = max(most, inside)
            full.wait(10)  # as many as there are places are inside together
            with lock:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(6 * places)))
    assert most == places


def test_more_places_let_the_waiting_in() -> None:
    gate, entered = Gate(1), threading.Event()

    def work() -> None:
        with gate:
            entered.set()

    with gate:
        thread = threading.Thread(target=work)
        thread.start()
        assert not entered.wait(0.02)
        gate.resize(2)
        assert entered.wait(10)
        thread.join()
    gate.resize(1)
    with gate:
        pass


def test_an_error_leaves_the_gate() -> None:
    gate = Gate(1)
    with pytest.raises(ValueError), gate:
        raise ValueError
    with gate:
        pass
