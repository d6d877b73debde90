"""The law that nothing is lost: every input row is stored or quarantined, once, however the file is cut into pieces."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.sources.ingest import ingest
from candlewick.store.memory import MemoryStore
from candlewick.store.repository import CandleRepository

pytestmark = pytest.mark.untraced

HEADER = "symbol,timestamp,open,high,low,close,volume"
minutes = st.integers(0, 9)
symbols = st.sampled_from(["A", "B", "ü/|"])
good = st.builds(
    lambda symbol, minute, close: f"{symbol},2024-01-02T14:3{minute}:00Z,1,2,0.5,{close},3",
    symbols,
    minutes,
    st.sampled_from(["1", "1.5", "1.50", "+1"]),
)
bad = st.sampled_from(
    [
        "A,2024-01-02T14:30:00Z,1,0.5,0.5,1,3",
        "A,2024-01-02T14:30:00Z,1,2,1.5,1,3",
        "A,2024-01-02T14:30:00Z,1,2,0.5,1,-1",
        "A,2024-01-02T14:30:00Z,1,2,0.5,x,1",
        "A,2024-01-02T14:30:00Z,,2,0.5,1,1",
        "A,2024-01-02T14:30,1,2,0.5,1",
        "A,2024-01-02,1,2,0.5,1,1",
        "A,1704205800,1,2,0.5,1,1",
        ",2024-01-02T14:30:00Z,1,2,0.5,1,1",
        "A,2024-01-02T14:30:00Z,1,2",
        "A,2024-01-02T14:30:00Z,1,2,0.5,1,1,9",
        '"A,2024-01-02T14:30:00Z,1,2,0.5,1,1',
        ",,,,,,",
        "x",
    ]
)
blank = st.sampled_from(["", " ", "\t"])
line = st.one_of(good, good, good, good, bad, blank)
wild = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), max_size=30)


@contextmanager
def pieces(block: int, held: int) -> Iterator[None]:
    """Read in blocks of so many bytes; hold so many rows before they go to disk; many small buckets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("candlewick.sources.text_file.BLOCK", block)
        patch.setattr("candlewick.sources.staging.HELD", held)
        patch.setattr("candlewick.sources.staging.PER_BUCKET", 200)
        yield


def state(store: CandleRepository) -> Any:
    refused = [(row.line, row.symbol, row.reason, row.row) for row in store.quarantined()]
    candles = [store.read(one.symbol, "1m") for one in store.series()]
    return candles, refused


def run(store: CandleRepository, text: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(text.encode())
        figures = ingest(store, path, calendar="XNYS", timezone="America/New_York").as_dict()
    del figures["seconds"]
    figures["warnings"] = [warning.replace(str(path), "a.csv") for warning in figures["warnings"]]
    assert figures["rows"] == sum(
        figures[name] for name in ("inserted", "updated", "unchanged", "duplicates", "quarantined")
    )
    return figures


def by_hand(lines: list[str]) -> tuple[dict[tuple[str, str], float], int, int]:
    """The candles, duplicates and refused rows that plain Python finds."""
    sound, refused = [], 0
    for text in lines:
        if not text.strip():
            continue
        cells = next(csv.reader([text]))
        try:
            symbol, time, *numbers = cells
            opened, high, low, close, volume = map(float, numbers)
            assert symbol
            assert time.endswith("Z")
            assert high >= max(opened, close)
            assert low <= min(opened, close)
            assert volume >= 0
        except (ValueError, AssertionError):
            refused += 1
        else:
            sound.append(((symbol, time), close))
    last = dict(sound)
    same = sum(close == last[key] for key, close in sound) - len(last)
    return last, same, refused + len(sound) - len(last) - same


@given(
    st.lists(line, max_size=60).map(lambda lines: [good_line(), *lines]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.integers(1, 400),
    st.integers(1, 50),
)
def test_every_row_is_stored_or_quarantined(lines: list[str], end: str, ended: bool, block: int, held: int) -> None:
    text = end.join([HEADER, *lines]) + (end if ended else "")
    whole, cut = MemoryStore(), MemoryStore()
    figures = run(whole, text)
    candles, same, refused = by_hand(lines)
    assert figures["rows"] == sum(bool(text.strip()) for text in lines)
    assert (figures["inserted"], figures["duplicates"], figures["quarantined"]) == (len(candles), same, refused)
    stored = {
        (one.symbol, f"{str(at)[:19]}Z"): float(close)
        for one in state(whole)[0]
        for at, close in zip(one.time, one.close, strict=True)
    }
    assert stored == candles
    for line, _, _, raw in state(whole)[1]:
        assert raw == lines[line - 2]
    with pieces(block, held):
        assert run(cut, text) == figures
        assert state(cut) == state(whole)
    again = run(whole, text)
    assert again["unchanged"] == len(candles)
    assert (again["inserted"], again["updated"], again["quarantined"]) == (0, 0, refused)
    assert state(cut) == state(whole)


@given(st.lists(st.one_of(good, wild), min_size=1, max_size=30), st.integers(1, 200))
def test_wild_lines_are_counted_alike_in_any_pieces(lines: list[str], block: int) -> None:
    text = "\n".join([HEADER, good_line(), *lines])
    whole, cut = MemoryStore(), MemoryStore()
    figures = run(whole, text)
    assert figures["rows"] == 1 + sum(bool(text.strip()) for text in lines)
    with pieces(block, 5):
        assert run(cut, text) == figures
    assert state(cut) == state(whole)


FORMS = {
    "offset": "2024-01-02T14:3{}:00Z",
    "local": "2024-01-02 09:3{}:00",
    "dots": "2024.01.02 09:3{}",
    "slashes": "2024/01/02 09:3{}:00-05:00",
    "epoch": "17042058{}0",
    "milliseconds": "17042058{}0000",
    "pair": "2024-01-02,09:3{}",
}
ODD_TIMES = [
    "",
    " ",
    "0x65940F48",
    "2024-01-02",
    "20240102",
    "2024.01-02 09:30",
    "NaN",
    "1e9",
    "2024-01-02T24:00Z",
    "+5",
]
ODD_TIMES += [" 1704205800 ", "1704205800.0", "2024-01-02T09", "2024-01-02 09:30:00.5", "2024.01.02 09:30:00.05Z", "-1"]
ODD_TIMES += ["2024-01-02T09:30:60Z", "2024-01-02T09:30:00+5", "99999999999999999999", "2024-01-02T09:30:00.1234567Z"]
ODD_NUMBERS = [
    "1",
    " 1 ",
    "+1",
    "1.",
    ".5e1",
    "inf",
    "NAN",
    "0x1",
    "1_0",
    "1e400",
    "-0",
    "",
    "1,5",
    '"1"',
    "\u0661",
    "1e-400",
]


@given(
    st.sampled_from(sorted(FORMS)),
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 9), st.sampled_from(ODD_TIMES)),
            st.one_of(st.just("1"), st.sampled_from(ODD_NUMBERS)),
        ),
        max_size=25,
    ),
    st.integers(1, 200),
)
def test_every_form_of_time_and_number_is_read_alike_in_any_pieces(
    form: str, cells: list[tuple[int | str, str]], block: int
) -> None:
    def written(at: int | str) -> str:
        return FORMS[form].format(at) if isinstance(at, int) else f"{at},09:30" if form == "pair" else at

    header = "symbol,date,time,o,h,l,c,v" if form == "pair" else "symbol,time,o,h,l,c,v"
    lines = [f"A,{written(at)},1,2,0.5,1,{number}" for at, number in [(0, "1"), *cells]]
    text = "\n".join([header, *lines])
    whole, cut = MemoryStore(), MemoryStore()
    figures = run(whole, text)
    assert figures["rows"] == len(lines)
    with pieces(block, 5):
        assert run(cut, text) == figures
    assert state(cut) == state(whole)
    for reading in (whole, cut):
        assert "A" in reading.symbols()


def good_line() -> str:
    return "A,2024-01-02T14:30:00Z,1,2,0.5,1,3"
