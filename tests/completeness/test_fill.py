"""Gaps filled from files: what was found missing comes back bit for bit, and nothing else changes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.completeness.conftest import LONG_AFTER, at, kept, rows, stored

from candlewick.candles import VALUES, Candles
from candlewick.completeness.asked import Asked
from candlewick.completeness.fill import Filling, fill, fix
from candlewick.completeness.finding import Kind
from candlewick.completeness.grid import Grid
from candlewick.completeness.scan import Scan, scan
from candlewick.errors import InputError, MissingColumnError
from candlewick.sources.simulated import simulate
from candlewick.store.repository import CandleRepository, iso

START, END = at("2024-01-02T00:00:00Z"), at("2024-01-09T00:00:00Z")


def write(path: Path, *series: Candles, extra: str = "", symbols: bool = True) -> Path:
    names = ["symbol", "time", *VALUES] if symbols else ["time", *VALUES]
    lines = [",".join(names)]
    for one in series:
        columns = [getattr(one, name).tolist() for name in VALUES]
        for time, *values in zip(one.microseconds.tolist(), *columns, strict=True):
            lines.append(",".join([one.symbol] * symbols + [iso(time), *map(repr, values)]))
    path.write_text("\n".join([*lines, extra]) + "\n")
    return path


def look(store: CandleRepository) -> Scan:
    return scan(store, Asked(start=START, end=END, now=LONG_AFTER))


def fixed(store: CandleRepository, files: object, **about: str) -> Filling:
    return fix(store, partial(look, store), files, **about)[0]


@given(
    seed=st.integers(0, 2**32),
    lost=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 300), st.integers(1, 390)), max_size=2),
)
@settings(max_examples=15)
def test_what_was_found_missing_comes_back_and_nothing_else_changes(
    seed: int, lost: list[tuple[int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    candles, other = simulate(["A", "B"], "XNYS", 5, seed)
    grid = Grid.between(candles.calendar, candles.timeframe, START, END)
    gone = np.zeros(len(candles), dtype=np.bool_)
    for session, since, many in lost:
        low = int(grid.first[session]) + since
        high = min(low + many, int(grid.first[session + 1]))
        if low < high:
            gone |= rows(candles, int(grid.open[low]), int(grid.close[high - 1]))
    left = kept(candles, ~gone)
    store = stored([left, other])
    # The file has other values for all that is stored: none of them may go in.
    shifted = kept(candles, slice(None), volume=candles.volume + np.where(gone, 0.0, 1.0))
    file = write(tmp_path_factory.mktemp("fill") / "a.csv", shifted)
    filling, rest = fix(store, partial(look, store), file)
    if not len(left):
        assert filling.count == 0
        return
    after = store.read("A", "1m")
    back = np.isin(candles.microseconds, after.microseconds)
    assert after == kept(candles, back)
    assert np.count_nonzero(gone & back) == filling.count == filling.vacant - sum(one.count for one in rest.single)
    # What did not come back are a few minutes at a time, which look like those without a trade.
    lost_still = np.diff(np.flatnonzero(np.append(np.insert(back | ~rows(candles, START, END), 0, True), True)))
    assert lost_still.max(initial=1) < 20
    assert all(one.kind is not Kind.MISSING_SESSIONS for one in rest.single)
    assert store.read("B", "1m") == other
    assert fixed(store, file).count == 0


def market() -> tuple[Candles, Candles, Candles]:
    first, second, index = *simulate(["A", "B"], "XNYS", 5, 4), next(iter(simulate(["I"], "24/7", 7, 4)))
    return first, second, index


def test_several_calendars_and_files_are_told_apart(tmp_path: Path) -> None:
    first, second, index = market()
    hole = at("2024-01-04T15:00:00Z"), at("2024-01-04T17:00:00Z")
    left = [kept(one, ~rows(one, *hole)) for one in (first, second, index)]
    store = stored(left)
    write(tmp_path / "us.csv", first, second)
    write(tmp_path / "i.csv", kept(index, rows(index, hole[0], hole[0] + (hole[1] - hole[0]) // 2)))
    filling = fixed(store, tmp_path)
    assert {(Path(one.file).name, one.symbol) for one in filling.filled} == {
        ("us.csv", "A"),
        ("us.csv", "B"),
        ("i.csv", "I"),
    }
    assert store.read("A", "1m") == first
    about = filling.as_dict()
    assert about["filled"] == sum(one["count"] for one in about["files"]) < about["vacant"]
    (rest,) = scan(store, Asked(start=START, end=END, now=LONG_AFTER)).findings
    assert (rest.symbol, rest.end) == ("I", hole[1])


def test_rows_that_fail_the_check_and_rows_that_conflict_are_counted(tmp_path: Path) -> None:
    first, _, _ = market()
    hole = at("2024-01-04T15:00:00Z"), at("2024-01-04T15:30:00Z")
    inside = kept(first, rows(first, *hole))
    store = stored([kept(first, ~rows(first, *hole))])
    bad = f"A,{iso(int(inside.microseconds[0]))},1,0.5,1,1,1\nB,2024-01-04T15:00:00Z,1,1,1,1,1\nA,unreadable,1,1,1,1,1"
    twice = f"{bad}\nA,{iso(int(inside.microseconds[1]))},9,9,9,9,9"
    filling = fixed(store, write(tmp_path / "a.csv", inside, extra=twice))
    assert (filling.unusable, filling.conflicts) == (1, 1)
    assert filling.count == len(inside)
    assert store.read("A", "1m", int(inside.microseconds[1])).close[0] == 9


def test_a_file_without_symbols_needs_one(tmp_path: Path) -> None:
    first, _, _ = market()
    hole = at("2024-01-04T15:00:00Z"), at("2024-01-04T15:30:00Z")
    file = write(tmp_path / "a.csv", first, symbols=False)
    store = stored([kept(first, ~rows(first, *hole))])
    with pytest.raises(InputError, match="symbol"):
        fixed(store, file)
    assert fixed(store, file, symbol="A", timezone="America/New_York").count > 0
    assert store.read("A", "1m") == first


def test_a_file_that_cannot_be_used_is_told_before_anything_is_written(tmp_path: Path) -> None:
    first, _, _ = market()
    hole = at("2024-01-04T15:00:00Z"), at("2024-01-04T15:30:00Z")
    store = stored([kept(first, ~rows(first, *hole))])
    write(tmp_path / "a.csv", first)
    (tmp_path / "b.csv").write_text("time,open\n2024-01-04T15:00:00Z,1\n")
    with pytest.raises((MissingColumnError, InputError)):
        fixed(store, tmp_path)
    assert store.read("A", "1m") == kept(first, ~rows(first, *hole))
    with pytest.raises(InputError, match="does not exist"):
        fill(store, [], tmp_path / "none.csv")


def test_a_symbol_that_was_never_stored_is_not_filled(tmp_path: Path) -> None:
    first, _, _ = market()
    store = stored([])
    seen = scan(store, Asked(("A",), start=START, end=END, now=LONG_AFTER))
    filling = fill(store, seen.single, write(tmp_path / "a.csv", first))
    assert (filling.vacant, filling.count) == (0, 0)
    assert not store.series()
