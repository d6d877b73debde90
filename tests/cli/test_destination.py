"""Destination: a file appears whole or not at all, and is what its name says."""

from __future__ import annotations

from pathlib import Path

import pytest

from candlewick.cli import destination as module
from candlewick.cli.destination import choose_format, destination
from candlewick.errors import InputError

OFFERED = ("csv", "json", "parquet")


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "bars.csv"
    target.write_text("old")
    with destination(str(target)) as to:
        to.write(b"new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["bars.csv"]


def test_a_new_file_has_the_rights_of_any_other(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    with destination(str(tmp_path / "bars.csv")) as to:
        to.write(b"new")
    assert (tmp_path / "bars.csv").stat().st_mode == other.stat().st_mode


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "bars.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="half way"), destination(str(target)) as to:
        to.write(b"new")
        raise RuntimeError("half way")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("bars.csv", "old")]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"output: .* is a folder"), destination(str(tmp_path)):
        pytest.fail("never opened")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"output: .* has no folder to be in"),
        destination(str(tmp_path / "a" / "b.csv")),
    ):
        pytest.fail("never opened")


def test_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with destination(None) as to:
        to.write(b"bars")
    assert capfdbinary.readouterr().out == b"bars"


@pytest.mark.parametrize(
    ("given", "output", "chosen"),
    [
        (None, None, "table"),
        ("csv", None, "csv"),
        (None, "bars.PARQUET", "parquet"),
        ("csv", "bars.txt", "csv"),
        ("json", "bars.json", "json"),
        (None, "bars.txt", "table"),
    ],
)
def test_the_format_asked_for_else_the_one_named(given: str | None, output: str | None, chosen: str) -> None:
    assert choose_format(given, output, OFFERED, "table") == chosen


@pytest.mark.parametrize(
    ("given", "output", "message"),
    [
        ("csv", "bars.parquet", "does not look like csv; give a name ending in .csv"),
        ("parquet", "bars.csv", "does not look like parquet; give a name ending in .parquet"),
        ("csv", "bars.csv.gz", "does not look like csv; give a name ending in .csv"),
    ],
)
def test_a_file_that_would_not_be_what_its_name_says(given: str, output: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        choose_format(given, output, OFFERED, "table")


def test_a_format_that_is_not_offered_does_not_come_from_the_name() -> None:
    with pytest.raises(InputError, match=r"output: 'bars.json' does not look like csv; give a name ending in .csv"):
        choose_format(None, "bars.json", ("csv", "parquet"), "csv")


def test_parquet_is_not_for_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_format("parquet", None, OFFERED, "table") == "parquet"
    monkeypatch.setattr(module.sys.stdout, "isatty", lambda: True)
    with pytest.raises(InputError, match="format: 'parquet' suits no terminal; give --output FILE"):
        choose_format("parquet", None, OFFERED, "table")


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    with pytest.raises(InputError, match=r"output: .* is in a folder that cannot be; give"), destination("bars.csv"):
        pytest.fail("never opened")


def test_a_failing_disk_is_told_in_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"output: .* fails: No space left; give a file"),
        destination(str(tmp_path / "bars.csv")),
    ):
        raise OSError(28, "No space left")
    assert list(tmp_path.iterdir()) == []
