from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from candlewick.errors import FileFormatError, InputError, NaiveTimeError, UnknownNameError
from candlewick.sources.read import read_csv
from candlewick.testing.repository_contract import START
from candlewick.timeframe import MINUTE

Write = Callable[..., Path]


def row(minute: int, close: str = "1", symbol: str = "A") -> str:
    return f"{symbol},2024-01-02T14:{minute:02d}:00Z,1,2,0.5,{close},3"


def test_one_symbol_newest_first_with_identical_duplicates(csv_file: Write) -> None:
    candles = read_csv(csv_file(row(32), row(30), row(31), row(30)), timeframe="1m", calendar="XNYS")
    assert candles.symbol == "A"
    assert candles.microseconds.tolist() == [START + k * MINUTE for k in range(3)]
    assert candles.close.tolist() == [1, 1, 1]


def test_the_real_file(shared_data: Path) -> None:
    candles = read_csv(shared_data / "minute" / "SPY.csv", timeframe="1m", calendar="XNYS")
    assert len(candles) == 5786
    assert str(candles.time[0]) == "2013-10-04T08:06:00.000000"
    assert candles.open[0] == 167.65


def test_a_symbol_is_chosen_or_named(csv_file: Write) -> None:
    several = csv_file(row(30), row(30, symbol="B"), row(31, "bad", symbol="B"), row(31))
    assert len(read_csv(several, symbol="A", timeframe="1m", calendar="XNYS")) == 2
    with pytest.raises(InputError, match="several symbols"):
        read_csv(csv_file(row(30), row(30, symbol="B")), timeframe="1m", calendar="XNYS")
    with pytest.raises(UnknownNameError, match="AA"):
        read_csv(csv_file(row(30)), symbol="AA", timeframe="1m", calendar="XNYS")
    plain = csv_file("2024-01-02 09:30,1,1,1,1,1", header="time,o,h,l,c,v")
    read = read_csv(plain, symbol="X", timeframe="1m", calendar="XNYS", timezone="America/New_York")
    assert (read.symbol, read.microseconds.tolist()) == ("X", [START])
    with pytest.raises(InputError, match="symbol"):
        read_csv(plain, timeframe="1m", calendar="XNYS", timezone="America/New_York")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(31, "9"), "high below open or close"),
        ("A,x,1,1,1,1,1", "unreadable time"),
        ("A,2024", "too few fields"),
        (row(30, "1.5"), "conflicting duplicate"),
    ],
)
@pytest.mark.parametrize("symbol", [None, "A"])
def test_a_bad_row_is_an_error_with_line_and_reason(csv_file: Write, bad: str, reason: str, symbol: str | None) -> None:
    lines = [row(32), bad, row(30)]
    with pytest.raises(InputError, match=rf"a\.csv line 3: .*{reason}") as caught:
        read_csv(csv_file(*lines), symbol=symbol, timeframe="1m", calendar="XNYS")
    assert caught.value.value == bad


def test_files_of_no_use(csv_file: Write, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="empty"):
        read_csv(csv_file(data=b""), timeframe="1m", calendar="XNYS")
    with pytest.raises(NaiveTimeError):
        read_csv(csv_file("A,2024-01-02 09:30,1,1,1,1,1"), timeframe="1m", calendar="XNYS")
    csv_file(row(30), name="b.csv")
    with pytest.raises(FileFormatError, match="one CSV file"):
        read_csv(tmp_path, timeframe="1m", calendar="XNYS")
