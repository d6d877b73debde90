from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from candlewick.store.room import SPARE, Room

lengths = st.lists(st.integers(1, 40), max_size=12)


@given(st.integers(0, 100), lengths)
def test_what_was_given_out_is_never_touched_again(rows: int, appends: list[int]) -> None:
    held = {"time": np.arange(rows), "value": np.arange(rows) * 0.5}
    kept = {name: column.copy() for name, column in held.items()}
    given_out = []
    room = Room.around(held, 0)
    for more in appends:
        if not room.holds(len(held["time"]), more):
            room = Room.around(held, more)
        after = {"time": np.arange(more) + len(held["time"]), "value": 7.0}
        held = room.extended(after, more)
        kept = {
            "time": np.concatenate([kept["time"], after["time"]]),
            "value": np.concatenate([kept["value"], np.full(more, 7.0)]),
        }
        given_out.append((held, kept))
    for found, expected in given_out:
        assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_rows_that_another_took_are_not_written_again() -> None:
    room = Room.around({"time": np.arange(3)}, 1)
    assert room.holds(3, 1 + SPARE)
    assert not room.holds(3, 2 + SPARE)
    first = room.extended({"time": np.array([3])}, 1)
    assert not room.holds(3, 1)
    assert room.holds(4, 1)
    assert first["time"].tolist() == [0, 1, 2, 3]


def test_an_append_copies_nothing_that_is_there() -> None:
    room = Room.around({"time": np.arange(1000)}, 1)
    first = room.extended({"time": np.array([1000])}, 1)
    second = room.extended({"time": np.array([1001])}, 1)
    assert np.shares_memory(first["time"], second["time"])
