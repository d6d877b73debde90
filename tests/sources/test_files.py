from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from candlewick.errors import FileFormatError, InputError
from candlewick.sources.files import sources
from candlewick.sources.ingest import ingest
from candlewick.store.memory import MemoryStore

ROW = "A,2024-01-02T14:{:02d}:00Z,1,2,0.5,1,3"
HEADER = "symbol,timestamp,open,high,low,close,volume"


def text(*minutes: int, end: str = "\n") -> bytes:
    return (end.join([HEADER, *(ROW.format(minute) for minute in minutes)]) + end).encode()


def test_a_folder_and_a_glob_are_expanded_in_order(tmp_path: Path, csv_file: Callable[..., Path]) -> None:
    for name in ("b.csv", "a.CSV", "c.tsv"):
        csv_file(data=text(30), name=name)
    csv_file(data=b"", name="readme.md")
    (tmp_path / "inner.csv").mkdir()
    csv_file(data=text(31), name="inner.csv/d.csv")
    assert [Path(one.name).name for one in sources(tmp_path)] == ["a.CSV", "b.csv", "c.tsv"]
    assert [Path(one.name).name for one in sources(str(tmp_path / "*.csv"))] == ["b.csv"]
    assert [Path(one.name).name for one in sources(str(tmp_path / "**" / "*.csv"))] == ["b.csv", "d.csv"]
    twice = [tmp_path / "b.csv", str(tmp_path / "*.csv"), tmp_path]
    assert [Path(one.name).name for one in sources(twice)] == ["b.csv", "a.CSV", "c.tsv"]


def test_nothing_to_read(tmp_path: Path) -> None:
    for nothing, problem in ((tmp_path / "no.csv", "exist"), (tmp_path, "bare folder"), (tmp_path / "*.csv", "exist")):
        with pytest.raises(InputError, match=problem):
            sources(str(nothing))
    with pytest.raises(InputError, match="names no file"):
        sources([])
    with pytest.raises(InputError, match="is no file"):
        sources([7])
    with pytest.raises(InputError, match="is no file"):
        sources(7)


def test_a_name_with_glob_characters_is_a_file_first(csv_file: Callable[..., Path]) -> None:
    path = csv_file(data=text(30), name="a[1].csv")
    assert len(sources(str(path))) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\n\n"])
def test_plain_gz_and_zip_hold_the_same_rows(tmp_path: Path, end: str, start: bytes) -> None:
    data = start + text(30, 31, 32, end=end).rstrip()
    (tmp_path / "a.csv").write_bytes(data)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(data))
    with zipfile.ZipFile(tmp_path / "c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/x.csv", data)
        archive.writestr("__MACOSX/x.csv", b"\x00")
    with MemoryStore() as store:
        for name, unchanged in (("a.csv", 0), ("b.csv.gz", 3), ("c.zip", 3)):
            summary = ingest(store, tmp_path / name, calendar="XNYS")
            assert (summary.rows, summary.unchanged, summary.quarantined) == (3, unchanged, 0)


def test_every_member_of_a_zip_is_a_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("b.csv", text(31))
        archive.writestr("a.csv", text(30) + b"bad\n")
    with MemoryStore() as store:
        summary = ingest(store, tmp_path / "a.zip", calendar="XNYS")
        assert (summary.rows, summary.inserted, summary.quarantined) == (3, 2, 1)
        (row,) = store.quarantined()
        assert row.file.endswith("a.zip/a.csv")
        assert row.line == 3


def test_archives_of_no_use(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(FileFormatError, match="empty archive"):
        sources(tmp_path / "empty.zip")
    whole = gzip.compress(b"".join(text(30) for _ in range(10)) + bytes(range(1, 255)) * 2000)
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    with MemoryStore() as store, pytest.raises(FileFormatError, match="not gzip"):
        ingest(store, tmp_path / "cut.csv.gz", calendar="XNYS")
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("a.csv", text(30))
    data = bytearray((tmp_path / "bad.zip").read_bytes())
    at = data.index(b"A,2024")
    data[at] ^= 1
    (tmp_path / "bad.zip").write_bytes(data)
    with MemoryStore() as store, pytest.raises(FileFormatError, match="unpacked"):
        ingest(store, tmp_path / "bad.zip", calendar="XNYS")


def test_a_file_that_turns_out_broken_stores_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("candlewick.sources.text_file.LONGEST", 5000)
    monkeypatch.setattr("candlewick.sources.text_file.BLOCK", 1000)
    path = tmp_path / "a.csv"
    path.write_bytes(text(30, 31) + b"x" * 10_000)
    with MemoryStore() as store:
        with pytest.raises(FileFormatError, match="longer line"):
            ingest(store, path, calendar="XNYS")
        assert store.series() == []


def test_an_archive_of_a_later_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", text(30))
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 6] = 99  # the version that is needed to unpack it
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match="is not a zip file"):
        sources(path)
