"""Exchange calendars: the table on disk, when the library is needed, and answers of exchanges themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from candlewick.errors import HorizonError, InputError
from candlewick.sessions import exchange, find_calendar
from candlewick.sessions.calendar import Calendar
from candlewick.sessions.exchange import Exchange
from candlewick.sessions.names import ZONES
from candlewick.sessions.overrides import Overrides
from candlewick.sessions.table import DAY
from candlewick.timeframe import MINUTE, Span

SOME = int(np.datetime64("2024-05-17", "us").astype(np.int64))


def utc(name: str, date: str) -> list[str]:
    at = int(np.datetime64(date, "us").astype(np.int64))
    calendar = find_calendar(name)
    periods = calendar.periods(at - DAY, at + 2 * DAY)
    rows = zip(periods.open, periods.close, periods.label)
    return [
        f"{np.datetime64(int(a), 'us').astype('datetime64[m]')}/{np.datetime64(int(b), 'us').astype('datetime64[m]')}"
        for a, b, label in rows
        if label * DAY == at
    ]


@pytest.mark.parametrize(
    ("name", "date", "periods"),
    [
        ("XNYS", "2023-11-24", ["2023-11-24T14:30/2023-11-24T18:00"]),  # the day after Thanksgiving: a half day
        ("XNYS", "2024-03-08", ["2024-03-08T14:30/2024-03-08T21:00"]),
        ("XNYS", "2024-03-11", ["2024-03-11T13:30/2024-03-11T20:00"]),
        ("XNYS", "2024-07-04", []),
        ("XNYS", "2001-09-12", []),
        ("XLON", "2024-03-28", ["2024-03-28T08:00/2024-03-28T16:30"]),
        ("XLON", "2024-04-02", ["2024-04-02T07:00/2024-04-02T15:30"]),
        ("XTKS", "2024-11-01", ["2024-11-01T00:00/2024-11-01T02:30", "2024-11-01T03:30/2024-11-01T06:00"]),
        ("XTKS", "2024-11-05", ["2024-11-05T00:00/2024-11-05T02:30", "2024-11-05T03:30/2024-11-05T06:30"]),
        ("XHKG", "2024-05-17", ["2024-05-17T01:30/2024-05-17T04:00", "2024-05-17T05:00/2024-05-17T08:00"]),
        ("XHKG", "2024-12-24", ["2024-12-24T01:30/2024-12-24T04:00"]),  # a half day has no afternoon
        ("CMES", "2024-05-20", ["2024-05-19T22:00/2024-05-20T22:00"]),  # opens on the evening before its date
        ("XNSE", "2024-05-17", ["2024-05-17T03:45/2024-05-17T10:00"]),
        ("NASDAQ", "2024-05-17", ["2024-05-17T13:30/2024-05-17T20:00"]),
    ],
)
def test_sessions_as_the_exchanges_published_them(name: str, date: str, periods: list[str]) -> None:
    assert utc(name, date) == periods


def test_our_demo_data_is_covered() -> None:
    since, until = find_calendar("XNYS").known
    assert since <= int(np.datetime64("2000-01-03", "us").astype(np.int64))
    assert until > SOME


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CANDLEWICK_CACHE", str(tmp_path))
    return tmp_path


def test_the_table_is_kept_and_the_library_is_not_needed_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = Exchange("XTKS", Overrides()).table(SOME, SOME + DAY)
    assert [file.suffix for file in (cache / "sessions").iterdir()] == [".npz"]
    monkeypatch.setattr(exchange, "_from_library", None)
    read = Exchange("XTKS", Overrides()).table(SOME, SOME + DAY)
    for name in ("open", "close", "label"):
        assert np.array_equal(getattr(built, name), getattr(read, name))
    assert (built.since, built.until, built.last_day) == (read.since, read.until, read.last_day)


def test_a_process_with_the_table_on_disk_does_not_import_the_library(cache: Path) -> None:
    code = (
        "import sys; from candlewick.sessions import find_calendar; "
        f"n = len(find_calendar('XLON').periods({SOME}, {SOME + 30 * DAY})); "
        "print(n, 'exchange_calendars' in sys.modules, 'pandas' in sys.modules)"
    )
    answers = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(2)
    ]
    assert answers == [["20", "True", "True"], ["20", "False", "False"]]


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", None])
def test_a_damaged_table_is_built_again(cache: Path, damage: bytes | None) -> None:
    first = Exchange("XLON", Overrides())
    whole = first.table(SOME, SOME + DAY)
    if damage is None:
        content = bytearray(first.file.read_bytes())
        content[len(content) // 3] ^= 0xFF
        damage = bytes(content)
    first.file.write_bytes(damage)
    again = Exchange("XLON", Overrides()).table(SOME, SOME + DAY)
    assert np.array_equal(whole.open, again.open)
    assert np.array_equal(whole.close, again.close)


def test_a_table_of_an_earlier_day_is_extended_when_it_does_not_reach(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = [20_000]
    calls: list[str] = []
    real = exchange._from_library

    def counted(name: str) -> object:
        calls.append(name)
        return real(name)

    monkeypatch.setattr(exchange, "_from_library", counted)
    source = Exchange("XLON", Overrides(), today=lambda: today[0])
    until = source.table(SOME, SOME + DAY).until
    source.table(until, until + DAY)
    assert calls == ["XLON"]  # built today: the library knows no more
    today[0] += 1
    source.table(SOME, until)
    assert calls == ["XLON"]
    source.table(until, until + DAY)
    assert calls == ["XLON", "XLON"]


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("CANDLEWICK_CACHE", str(blocked))
    assert len(Exchange("XLON", Overrides()).table(SOME, SOME + DAY)) > 5000


def test_before_and_beyond_what_is_known_is_an_error_that_says_so() -> None:
    calendar = find_calendar("XNYS")
    since, until = calendar.known
    for start, end in ((since - 1, SOME), (SOME, until + 1), (2**60, 2**60 + 1)):
        with pytest.raises(HorizonError, match=r"XNYS, known from 1990-01-01 to 20\d\d.*CANDLEWICK_SESSIONS"):
            calendar.periods(start, end)
    with pytest.raises(HorizonError):
        calendar.label_opens(np.array([0]))


def test_a_calendar_that_the_library_cannot_build_is_an_error(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> object:
        raise NotImplementedError("not with this pandas")

    monkeypatch.setattr(exchange, "_widest", broken)
    with pytest.raises(InputError, match=r"XLON.*cannot be built by exchange-calendars.*not with this pandas"):
        Calendar(Exchange("XLON", Overrides())).periods(SOME, SOME + DAY)


def test_a_calendar_whose_own_bound_is_later_begins_there() -> None:
    since, _ = find_calendar("XBOM").known
    assert np.datetime64(since, "us") == np.datetime64("1996-12-31T18:30")  # 1997-01-01 in Kolkata


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ZONES))
def test_periods_of_every_calendar_are_ascending_and_disjoint(name: str) -> None:
    try:
        table = find_calendar(name).table(SOME, SOME + DAY)
    except InputError as error:
        pytest.skip(str(error))
    assert np.all(table.open < table.close)
    assert np.all(table.close[:-1] <= table.open[1:])
    assert np.all(table.open % MINUTE == 0)
    assert np.all(np.diff(table.label) >= 0)
    assert len(find_calendar(name).periods(SOME, SOME + DAY, Span.MONTH)) >= 15
