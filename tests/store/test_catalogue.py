"""The catalogue against the plain dictionary of entries that it stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import UnknownSeriesError
from candlewick.store.catalogue import Catalogue, Entry, Key
from candlewick.store.history import History
from candlewick.store.repository import Series
from candlewick.timeframe import Timeframe

SYMBOLS = ("A", "B", "C")
LENGTHS = tuple(Timeframe.parse(text) for text in ("1m", "5m", "1d"))
entries = st.builds(
    lambda symbol, length, rows, place: Entry(
        Series(symbol, length, "24/7", rows, 0, 0, 1, 0), History().written(0, 1), place
    ),
    st.sampled_from(SYMBOLS),
    st.sampled_from(LENGTHS),
    st.integers(0, 1),
    st.integers(),
)
batches = st.lists(st.lists(entries, max_size=4).map(lambda some: {entry.key: entry for entry in some}), max_size=8)


@given(batches)
def test_it_knows_what_a_dictionary_knows(steps: list[dict[Key, Entry[int]]]) -> None:
    catalogue: Catalogue[int] = Catalogue.empty()
    known: dict[Key, Entry[int]] = {}
    for fresh in steps:
        before, listed = catalogue, catalogue.series()
        catalogue = catalogue.changed(fresh)
        known.update(fresh)
        assert before.series() == listed, "the old one stays what it was"
    stored = sorted(key for key, entry in known.items() if entry.series.rows)
    assert [(one.symbol, one.timeframe) for one in catalogue.series()] == stored
    for symbol in SYMBOLS:
        assert [entry.key for entry in catalogue.of(symbol)] == [key for key in stored if key[0] == symbol]
        for length in LENGTHS:
            key = (symbol, length)
            assert catalogue.calendar_of(key) == ("24/7" if key in stored else None)
            if key in stored:
                assert catalogue.find(symbol, length) is known[key]
            else:
                with pytest.raises(UnknownSeriesError):
                    catalogue.find(symbol, length)
    assert catalogue.entries == known
