"""Special sessions: our table, the user's extension file, and what is refused in one."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from candlewick.errors import FileFormatError, HorizonError, InputError, MissingColumnError, UnknownNameError
from candlewick.sessions import find_calendar, overrides
from candlewick.sessions.overrides import VARIABLE, find_overrides, parse_overrides
from candlewick.sessions.table import DAY
from candlewick.timeframe import Span

HOUR = DAY // 24
HEADER = "calendar,date,periods,kind\n"


def day(text: str) -> int:
    return (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days


def local(calendar: str, date: str) -> list[str]:
    """The periods of the session of that date on the calendar's clock (Asia/Kolkata has one offset)."""
    periods = find_calendar(calendar).periods(day(date) * DAY, day(date) * DAY + 15 * HOUR)
    shift = np.timedelta64(330, "m")
    return [
        f"{str(np.datetime64(int(a), 'us') + shift)[11:16]}-{str(np.datetime64(int(b), 'us') + shift)[11:16]}"
        for a, b, label in zip(periods.open, periods.close, periods.label)
        if label == day(date)
    ]


@pytest.fixture
def extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "sessions.csv"
    monkeypatch.setenv(VARIABLE, str(file))
    monkeypatch.setenv("CANDLEWICK_CACHE", str(tmp_path))
    return file


def test_special_sessions_are_those_of_the_shared_list(shared_data: Path) -> None:
    with (shared_data / "xbom_special_sessions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    for row in rows:
        assert local("XBOM", row["date"]) == row["periods (Asia/Kolkata)"].split()


def test_two_periods_on_the_days_of_the_recovery_site() -> None:
    assert local("XNSE", "2024-03-02") == ["09:15-10:00", "11:30-12:30"]
    assert local("XNSE", "2024-05-18") == ["09:15-10:00", "11:45-12:40"]
    assert local("XBOM", "2024-03-03") == []


def test_extension_adds_replaces_and_removes(extension: Path) -> None:
    extension.write_text(
        HEADER
        + "XBOM,2024-01-22,,holiday\nBSE,2024-01-23,10:00-11:00 12:00-12:30,short\nXBOM,2024-01-21,09:15-15:30,\n"
    )
    assert local("XBOM", "2024-01-22") == []
    assert local("XBOM", "2024-01-23") == ["10:00-11:00", "12:00-12:30"]
    assert local("XBOM", "2024-01-21") == ["09:15-15:30"]
    assert local("XBOM", "2024-03-02") == ["09:15-10:00", "11:30-12:30"]  # ours stand beside them


def test_extension_is_part_of_identity_and_version(extension: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extension.write_text(HEADER + "XBOM,2024-01-22,,\n")
    changed = find_calendar("XBOM")
    extension.write_text(HEADER + "XBOM,2024-01-22,09:15-12:00,later\n")
    again = find_calendar("XBOM")
    monkeypatch.delenv(VARIABLE)
    plain = find_calendar("XBOM")
    assert len({changed.version, again.version, plain.version}) == 3
    assert changed != plain
    assert plain == find_calendar("XNSE")
    assert plain is find_calendar("XNSE")


def test_extension_moves_the_horizon_as_far_as_weekdays_are_listed(
    extension: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    beyond = find_calendar("XBOM").known[1] // DAY + 1
    friday = beyond + (4 - (beyond + 3)) % 7 + 7
    first, last = (str(dt.date(1970, 1, 1) + dt.timedelta(days=d)) for d in (beyond, friday))
    with pytest.raises(HorizonError, match=f"XBOM.*{VARIABLE}"):
        find_calendar("XBOM").periods((friday - 1) * DAY, friday * DAY)
    monkeypatch.setenv(VARIABLE, str(extension))
    extension.write_text(HEADER + f"XBOM,{first}/{last},09:15-15:30,\nXBOM,{last},10:00-11:00,half\n")
    calendar = find_calendar("XBOM")
    assert local("XBOM", last) == ["10:00-11:00"]
    assert calendar.known[1] > friday * DAY
    with pytest.raises(HorizonError):
        calendar.periods(friday * DAY, (friday + 1) * DAY, Span.MONTH)
    extension.write_text(HEADER + f"XBOM,{last},09:15-15:30,alone\n")
    with pytest.raises(InputError, match="list every weekday"):
        find_calendar("XBOM").periods(0 + 20_000 * DAY, 20_001 * DAY)


def test_extension_gives_own_hours_their_holidays(extension: Path) -> None:
    name = "09:15-15:30@Asia/Kolkata"
    extension.write_text(HEADER)
    assert local(name, "2024-01-26") == ["09:15-15:30"]
    extension.write_text(HEADER + f"{name},2024-01-26,,holiday\n{name},2024-01-27,09:15-10:00,Saturday\n")
    assert local(name, "2024-01-26") == []
    assert local(name, "2024-01-27") == ["09:15-10:00"]


def test_sessions_that_overlap_their_neighbour_are_refused(extension: Path) -> None:
    extension.write_text(HEADER + "XBOM,2024-01-25,15:00-14:00,overnight from within the 24th\n")
    with pytest.raises(InputError, match=r"2024-01-25.*overlaps"):
        find_calendar("XBOM").periods(20_000 * DAY, 20_001 * DAY)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("calendar,date\nXBOM,2024-01-01\n", MissingColumnError, "periods"),
        (HEADER + "XBOMM,2024-01-01,,\n", UnknownNameError, "line 2"),
        (HEADER + "24/7,2024-01-01,,\n", InputError, "never closes"),
        (HEADER + "XBOM,2024-13-01,,\n", InputError, "line 2 date"),
        (HEADER + "XBOM,2024-01-01,9-10,\n", InputError, "line 2 periods"),
        (HEADER + "XBOM,2024-01-01,,\nXBOM,2024-01-01,09:00-10:00,\n", InputError, "line 3.*stands twice"),
    ],
)
def test_what_cannot_be_understood_names_file_and_line(text: str, error: type[InputError], says: str) -> None:
    with pytest.raises(error, match=says):
        parse_overrides(text, "mine.csv")


def test_an_absent_or_unreadable_file_is_an_error(extension: Path) -> None:
    with pytest.raises(FileFormatError, match=VARIABLE):
        find_calendar("XBOM")
    extension.write_bytes(b"calendar,date,periods\n\xff\xfe\n")
    with pytest.raises(FileFormatError, match="cannot be read"):
        find_calendar("XBOM")


def test_the_file_in_the_configuration_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    file = tmp_path / "sessions.csv"
    monkeypatch.setattr(overrides, "_default_file", lambda: file)
    without = find_overrides("XLON")
    assert without.sessions == ()
    file.write_text(HEADER + "LSE,2024-01-02,,\n")
    assert find_overrides("XLON").sessions == ((day("2024-01-02"), ()),)
