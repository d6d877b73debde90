from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from candlewick.sources.duplicates import resolve
from candlewick.sources.staging import ROW

row = st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 2))


@given(st.lists(row, max_size=60), st.sampled_from([0, 1 << 17]))
def test_the_last_line_wins(given_rows: list[tuple[int, int, int]], offset: int) -> None:
    rows = np.zeros(len(given_rows), dtype=ROW)
    last: dict[tuple[int, int], tuple[int, int]] = {}
    for line, (series, time, close) in enumerate(given_rows):
        rows[line] = (series + offset, time, line, close, close, close, close, 0)
        last[series + offset, time] = (line, close)
    found = resolve(rows)
    kept = [(int(one["series"]), int(one["time"])) for one in found.rows]
    assert kept == sorted(last)
    assert {key: (int(one["line"]), int(one["close"])) for key, one in zip(kept, found.rows, strict=True)} == last
    losers = [
        (line, close != last[series + offset, time][1])
        for line, (series, time, close) in enumerate(given_rows)
        if last[series + offset, time][0] != line
    ]
    assert found.identical == sum(not differs for _, differs in losers)
    assert sorted(found.conflicts["line"].tolist()) == [line for line, differs in losers if differs]
