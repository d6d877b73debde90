"""Tail: what a fresh answer adds to what was sent."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from candlewick.live.rows import Rows
from candlewick.live.tail import FEWEST, MOST, Tail
from candlewick.store.history import DAY

MINUTE = 60_000_000


def rows(bars: dict[int, float], finals: int, step: int = 1) -> Rows:
    """A row for each bar: its place and what it holds; the first ones are final."""
    time = np.array(sorted(bars), dtype=np.int64)
    values = np.array([[bars[at]] * 6 for at in time.tolist()]).reshape(len(time), 6)
    return Rows(time * step, values, np.ones(len(time), dtype=np.int32), np.arange(len(time)) < finals)


MARKETS = st.dictionaries(st.integers(0, 30), st.sampled_from([1.0, 2.0, float("nan"), -0.0, 0.0]), max_size=12)


@given(st.lists(st.tuples(MARKETS, st.integers(0, 12)), min_size=1, max_size=6), st.integers(0, 30))
def test_whoever_applies_the_steps_has_the_last_rows(markets, since):
    first = rows(*markets[0])
    tail = Tail.of(first, 0)
    client = dict(zip(first.time.tolist(), zip(first.marks(), first.final, strict=True), strict=True))
    for market, finals in markets[1:]:
        kept = {at: value for at, value in markets[0][0].items() if at < since}
        now = rows(kept | {at: value for at, value in market.items() if at >= since}, finals)
        before = rows(markets[0][0], markets[0][1])
        now.final[: np.searchsorted(now.time, since)] = before.final[: np.searchsorted(before.time, since)]
        fresh = now.chosen(slice(int(np.searchsorted(now.time, since)), None))
        step = tail.advance(fresh, since)
        tail = step.tail
        if step.revised is not None:
            assert not len(step.rows)
            client = {at: bar for at, bar in client.items() if at < step.revised}
            client |= {
                at: bar
                for at, bar in zip(fresh.time.tolist(), zip(fresh.marks(), fresh.final, strict=True), strict=True)
                if at >= step.revised
            }
        for at, bar in zip(step.rows.time.tolist(), zip(step.rows.marks(), step.rows.final, strict=True), strict=True):
            client[at] = bar
        right = {at: bar for at, bar in client.items() if at < since}
        right |= dict(zip(fresh.time.tolist(), zip(fresh.marks(), fresh.final, strict=True), strict=True))
        assert client == right


def test_marks_know_every_bit():
    base = rows({1: 1.0, 2: 2.0}, 2)
    changed = [
        Rows(base.time, np.nextafter(base.values, 9.0), base.n, base.final),
        Rows(base.time, base.values, base.n + 1, base.final),
        Rows(base.time, base.values, base.n, ~base.final),
        Rows(base.time, base.values[:, ::-1] + np.arange(6) * 0.0 - 0.0, base.n, base.final),
    ]
    marks = [set(one.marks().tolist()) for one in changed[:3]]
    assert all(not (one & set(base.marks().tolist())) for one in marks)
    assert np.array_equal(changed[3].marks(), base.marks())
    swapped = base.values.copy()
    swapped[:, 0], swapped[:, 1] = 5.0, 6.0
    other = base.values.copy()
    other[:, 0], other[:, 1] = 6.0, 5.0
    assert not set(Rows(base.time, swapped, base.n, base.final).marks()) & set(
        Rows(base.time, other, base.n, base.final).marks()
    )


def test_no_more_rows_are_held_than_needed():
    minutes = dict.fromkeys(range(3 * 1440), 1.0)
    tail = Tail.of(rows(minutes, 3 * 1440 - 1, MINUTE), 0)
    assert len(tail.time) == 2 * 1440  # this day and the one before
    assert tail.floor == DAY - MINUTE + 1
    assert tail.floor // DAY == 0  # every row of the second day is held
    assert (tail.asks, tail.forming) == ((3 * 1440 - 2) * MINUTE, (3 * 1440 - 1) * MINUTE)
    days = Tail.of(rows(dict.fromkeys(range(300), 1.0), 300, DAY), 0)
    assert (len(days.time), days.forming) == (FEWEST, None)
    many = Tail.of(rows(dict.fromkeys(range(3 * MOST), 1.0), 3 * MOST), 0)
    assert len(many.time) == MOST
    forming = Tail.of(rows(dict.fromkeys(range(3 * MOST), 1.0), 5), 0)
    assert (len(forming.time), forming.asks) == (3 * MOST - 4, 4)
    nothing = Tail.of(rows({}, 0), 7)
    assert (nothing.asks, nothing.forming) == (7, None)
