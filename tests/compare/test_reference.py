"""Reference: exports as they come, and what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from candlewick.compare.reference import read_reference, reference_of
from candlewick.errors import FileFormatError, InputError, MissingColumnError, NaiveTimeError
from candlewick.sessions.calendar import find_calendar

XNYS = find_calendar("XNYS")
OPEN = 1_704_205_800
"""2024-01-02T14:30Z in seconds."""


def read(tmp_path, text, timeframe="5m", **asked):
    path = tmp_path / "r.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_reference(path, timeframe=timeframe, calendar=XNYS, **asked)


@pytest.mark.parametrize(
    "text",
    [
        f"time,EMA\n{OPEN},1.5\n{OPEN + 300},2.25\n",
        f"time,EMA\n{OPEN + 300},2.25\n{OPEN},1.5\n",
        f"\ufefftime;EMA\r\n{OPEN};1.5\r\n\r\n{OPEN + 300};2.25\r\n",
        f"Timestamp\tEMA\n{OPEN}000\t1.5\n{OPEN + 300}000\t2.25\n",
        "time,EMA\n2024-01-02T09:30:00-05:00,1.5\n2024-01-02T09:35:00-05:00,2.25\n",
        'Date,Time,EMA\n2024-01-02,14:30:00Z,"1.5"\n2024-01-02,14:35:00Z,2.25\n',
    ],
)
def test_forms_of_one_export(tmp_path, text):
    found = read(tmp_path, text)
    assert (found.time // 1_000_000).tolist() == [OPEN, OPEN + 300]
    (column,) = found.columns
    assert column.title == "EMA"
    assert column.values.tolist() == [1.5, 2.25]
    assert (column.written.decimals, column.written.significant) == (2, 3)
    assert (found.refused, found.other) == ((), ())


def test_local_times_and_dates(tmp_path):
    local = "time,EMA\n2024-01-02 09:30,1\n"
    assert read(tmp_path, local, timezone="America/New_York").time.tolist() == [OPEN * 10**6]
    with pytest.raises(NaiveTimeError):
        read(tmp_path, local)
    assert read(tmp_path, "date,EMA\n2024-01-02,1\n", "1d").time.tolist() == [OPEN * 10**6]


def test_columns_without_numbers_are_told_and_blanks_are_none(tmp_path):
    found = read(tmp_path, f"time,EMA,note,empty,final,n\n{OPEN},NaN,buy,,true,5\n{OPEN + 300},2,sell,,true,5\n")
    assert found.other == ("note", "empty")
    (column,) = found.columns
    assert np.isnan(column.values[0])
    assert column.values[1] == 2


def test_rows_that_cannot_be_used_are_told(tmp_path):
    found = read(tmp_path, f"time,EMA\n{OPEN},1\nnever,2\n{OPEN + 300}\n{OPEN + 300},3,4\n{OPEN + 600},5\n{OPEN},6\n")
    assert found.columns[0].values.tolist() == [6, 5]  # the last row of a time stays
    assert [(one.line, one.reason) for one in found.refused] == [
        (4, "too few fields"),
        (5, "too many fields"),
        (3, "unreadable time"),
        (2, "its time stands again further down"),
    ]


def test_rows_of_other_symbols_are_left_out(tmp_path):
    text = f"ticker,time,EMA\nA,{OPEN},1\nB,{OPEN},2\n"
    assert read(tmp_path, text, symbol="B").columns[0].values.tolist() == [2]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", FileFormatError, "is an empty file"),
        ("\n\n", FileFormatError, "is an empty file"),
        ("a,b\n1,2\n", MissingColumnError, "time"),
        ("time,EMA\n", FileFormatError, "has no row that can be used"),
        ("time,EMA\nnever,1\n", FileFormatError, "line 2: unreadable time"),
        (b"time,EMA\n\xff\xfe,1\n", FileFormatError, "is not text"),
        (b"time,EMA\n\x00,1\n", FileFormatError, "is not text"),
    ],
)
def test_what_is_no_export(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        read(tmp_path, text)


def test_tables_and_mappings():
    times = np.array([OPEN, OPEN + 300]) * 10**6
    for table in (
        {"time": times, "EMA": [1, 2], "note": ["a", "b"], "n": [1, 1]},
        pa.table({"time": pa.array(times, pa.timestamp("us", "UTC")), "EMA": [1.0, 2.0], "note": ["a", "b"]}),
    ):
        found = reference_of(table, timeframe="5m", calendar=XNYS)
        assert found.time.tolist() == times.tolist()
        assert [column.title for column in found.columns] == ["EMA"]
        assert found.other == ("note",)
    assert len(found.between(int(times[1]), None)) == 1
    assert len(found.between(None, int(times[1]))) == 1


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (3, InputError, "is no table"),
        ({"EMA": [1.0]}, MissingColumnError, "time"),
        ({"time": [], "EMA": []}, InputError, "has no rows"),
        ({"time": [OPEN * 10**6], "EMA": [1.0, 2.0]}, InputError, "has the wrong length"),
    ],
)
def test_what_is_no_table(table, error, message):
    with pytest.raises(error, match=message):
        reference_of(table, timeframe="5m", calendar=XNYS)
