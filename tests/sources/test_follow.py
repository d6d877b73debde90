"""Follow: of a file that grows every whole line is taken once, whatever happens to the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewick.errors import InputError
from candlewick.sources import follow
from candlewick.sources.follow import GrowingFile, Piece, Settled, check_followed, grows

HEADER = b"time,open,high,low,close,volume\n"


def line(minute: int, close: float = 1.0) -> bytes:
    """A row of its own minute."""
    return f"2024-01-02T{minute // 60:02d}:{minute % 60:02d}:00Z,{close},{close},{close},{close},1\n".encode()


def contents(growing: GrowingFile) -> list[bytes]:
    """The lines of the pieces that came, without the header that stands before each."""
    found = []
    for piece in growing.pieces():
        assert piece.content.startswith(HEADER)
        found += piece.content.removeprefix(HEADER).splitlines(keepends=True)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feed.csv"


@given(cuts=st.lists(st.integers(0, 1500), max_size=12), most=st.sampled_from([1, 40, 8 << 20]))
def test_every_line_comes_once_however_it_is_written(tmp_path, cuts, most):
    path = tmp_path / "feed.csv"
    path.write_bytes(b"")
    lines = [line(minute) for minute in range(30)]
    text = HEADER + b"".join(lines)
    growing = GrowingFile(path)
    found = []
    before, follow.MOST = follow.MOST, most
    try:
        for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(text)], strict=True):
            with path.open("ab") as file:
                file.write(text[start:end])
            found += contents(growing)
    finally:
        follow.MOST = before
        growing.close()
    assert found == lines


def test_a_file_may_come_later_and_a_line_waits_for_its_end(path: Path) -> None:
    growing = GrowingFile(path)
    assert not list(growing.pieces())
    path.write_bytes(HEADER + line(0)[:-5])
    assert not list(growing.pieces())
    with path.open("ab") as file:
        file.write(line(0)[-5:])
    assert list(growing.pieces()) == [Piece("feed.csv", HEADER + line(0))]
    assert not list(growing.pieces())
    growing.close()


def test_a_file_that_is_moved_away_is_read_to_its_end(path: Path) -> None:
    path.write_bytes(HEADER + line(0))
    growing = GrowingFile(path)
    assert contents(growing) == [line(0)]
    with path.open("ab") as writer:
        writer.write(line(1))
        writer.flush()
        path.rename(path.with_name("feed.csv.1"))
        assert contents(growing) == [line(1)]
        path.write_bytes(HEADER + line(3))
        writer.write(line(2))  # it does not know yet
        writer.flush()
        assert contents(growing) == [line(2), line(3)]
    for _ in range(follow.LOOKS + 1):
        assert not contents(growing)
    assert not growing._leaving
    growing.close()
    growing.close()


@pytest.mark.parametrize("again", [[7], [7, 8, 9]])
def test_a_file_that_is_cut_is_read_from_its_beginning(path: Path, again: list[int]) -> None:
    path.write_bytes(HEADER + line(0) + line(1))
    growing = GrowingFile(path)
    assert len(contents(growing)) == 2
    path.write_bytes(HEADER + b"".join(map(line, again)))  # the same file, written anew, longer or shorter
    assert contents(growing) == [line(minute) for minute in again]
    growing.close()


def test_of_several_lines_for_a_candle_the_last_one_counts(path: Path) -> None:
    path.write_bytes(HEADER + line(0, 1.0) + line(1) + line(0, 2.0) + b"no row\n" + line(0, 3.0))
    growing = GrowingFile(path)
    (piece,) = growing.pieces()
    assert piece == Piece("feed.csv", HEADER + line(1) + b"no row\n" + line(0, 3.0), 2)
    growing.close()


def test_symbols_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "feed.tsv"
    rows = [f"{symbol}\t2024-01-02\t09:30\t1\t1\t1\t{close}\t5\n" for symbol, close in (("A", 1), ("B", 1), ("A", 1))]
    path.write_text("symbol\tdate\ttime\topen\thigh\tlow\tclose\tvolume\n" + "".join(rows))
    growing = GrowingFile(path)
    (piece,) = growing.pieces()
    assert piece.superseded == 1
    assert piece.content.decode().splitlines(keepends=True)[1:] == [rows[1], rows[2]]
    growing.close()


def test_a_header_of_no_use_is_for_the_ingest_to_refuse(path: Path) -> None:
    path.write_bytes(b"a,b\n1,2\n1,2\n")
    growing = GrowingFile(path)
    assert list(growing.pieces()) == [Piece("feed.csv", b"a,b\n1,2\n1,2\n")]
    growing.close()


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "feed.ndjson"
    rows = [
        f'{{"t": {minute}, "o": 1, "h": 1, "l": 1, "c": {close}, "v": 1, "symbol": "A"}}\n'.encode()
        for minute, close in ((60, 1), (60, 2), (120, 1))
    ]
    path.write_bytes(rows[0] + b"{\n" + rows[1] + b"3\n")
    growing = GrowingFile(path)
    (piece,) = growing.pieces()
    assert piece == Piece("feed.ndjson", b"{\n" + rows[1] + b"3\n", 1)
    with path.open("ab") as file:
        file.write(rows[2])
    assert list(growing.pieces()) == [Piece("feed.ndjson", rows[2])]
    growing.close()


@pytest.mark.parametrize("content", [b"{\n", b'{"a": 1}\n'])
def test_json_lines_of_no_use_are_for_the_ingest_to_refuse(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "feed.jsonl"
    path.write_bytes(content)
    growing = GrowingFile(path)
    assert list(growing.pieces()) == [Piece("feed.jsonl", content)]
    growing.close()


def test_files_of_a_folder_are_taken_once_they_stopped_growing(tmp_path: Path) -> None:
    settled = Settled(tmp_path)
    (tmp_path / "notes.md").write_text("no candles")
    assert not settled.ready()
    first, second = tmp_path / "a.csv", tmp_path / "b.parquet"
    first.write_text("x")
    assert not settled.ready()
    first.write_text("xy")
    second.write_text("")
    assert not settled.ready()
    assert settled.ready() == [first]
    assert not settled.ready()
    second.write_text("z")
    first.write_text("xyz")
    assert not settled.ready()
    assert settled.ready() == [first, second]


def test_a_single_file_that_is_no_text(tmp_path: Path) -> None:
    settled = Settled(tmp_path / "a.parquet")
    assert not settled.ready()
    settled.given.write_text("x")
    assert not settled.ready()
    assert settled.ready() == [settled.given]
    os.utime(settled.given, (1, 1))
    assert not settled.ready()
    assert settled.ready() == [settled.given]


def test_what_can_be_followed(tmp_path: Path) -> None:
    check_followed(tmp_path)
    check_followed(tmp_path / "later.csv")
    assert grows(Path("a.CSV"))
    assert not grows(Path("a.csv.gz"))
    for bad in (tmp_path / "a.xlsx", tmp_path / "nowhere" / "a.csv"):
        with pytest.raises(InputError, match="path: "):
            check_followed(bad)
