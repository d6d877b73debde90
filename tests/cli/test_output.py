"""Output: what is written reads back as the same bits."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from candlewick.cli import output
from candlewick.cli.output import iso_times, note, print_json, write_csv, write_json, write_parquet

FLOATS = st.floats(allow_nan=True, allow_infinity=False)
MOMENTS = st.integers(min_value=-(10**15), max_value=4 * 10**15)


def written(write: object, *arguments: object) -> bytes:
    to = io.BytesIO()
    write(*arguments, to)  # type: ignore[operator]
    return to.getvalue()


@given(hnp.arrays(np.float64, st.integers(0, 20), elements=FLOATS))
def test_csv_floats_are_the_shortest_form_that_reads_back(values: np.ndarray) -> None:
    lines = written(write_csv, {"x": values, "n": np.arange(len(values))}).decode().splitlines()
    assert lines[0] == "x,n"
    cells = [line.split(",")[0] for line in lines[1:]]
    assert cells == ["" if math.isnan(value) else repr(float(value)) for value in values]


@given(hnp.arrays(np.float64, st.integers(0, 20), elements=FLOATS))
def test_json_reads_back_with_null_for_undefined(values: np.ndarray) -> None:
    found = json.loads(written(write_json, {"symbol": "A"}, {"x": values}))
    assert found["symbol"] == "A"
    assert found["columns"]["x"] == [None if math.isnan(value) else value for value in values]


@given(st.lists(MOMENTS, max_size=20))
def test_times_are_iso_utc_and_exact(moments: list[int]) -> None:
    times = np.array(moments, dtype=np.int64).view("datetime64[us]")
    texts = iso_times(times)
    assert all(text.endswith("Z") for text in texts)
    assert [np.datetime64(text[:-1], "us") for text in texts] == list(times)


def test_a_fraction_of_a_second_stands_only_where_there_is_one() -> None:
    times = np.array(["2024-01-02T00:00:00", "2024-01-02T00:00:00.5"], dtype="datetime64[us]")
    assert iso_times(times) == ["2024-01-02T00:00:00Z", "2024-01-02T00:00:00.500000Z"]


def test_csv_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "CHUNK", 1)
    columns = {
        "symbol": np.array(["A,B", 'say "x"'], dtype=object),
        "time": np.array(["2024-01-02T14:30", "2024-01-02T14:31"], dtype="datetime64[us]"),
        "close": np.array([100.0, np.nan]),
        "n": np.array([1, 2], dtype=np.int32),
        "final": np.array([True, False]),
    }
    text = written(write_csv, columns).decode()
    assert text == (
        "symbol,time,close,n,final\n"
        '"A,B",2024-01-02T14:30:00Z,100.0,1,true\n'
        '"say ""x""",2024-01-02T14:31:00Z,,2,false\n'
    )
    assert [row["symbol"] for row in csv.DictReader(io.StringIO(text))] == ["A,B", 'say "x"']


def test_json_forms() -> None:
    columns = {
        "time": np.array(["2024-01-02T14:30"], dtype="datetime64[us]"),
        "n": np.array([3], dtype=np.int32),
        "final": np.array([True]),
        "high": np.array([np.inf]),
    }
    found = json.loads(written(write_json, {"symbol": "Zürich"}, columns))
    assert found == {
        "symbol": "Zürich",
        "columns": {"time": [1704205800000], "n": [3], "final": [True], "high": [None]},
    }


def test_parquet_keeps_types_nulls_and_what_it_is_about() -> None:
    columns = {
        "symbol": np.array(["A"], dtype=object),
        "time": np.array(["2024-01-02T14:30"], dtype="datetime64[us]"),
        "sma_9": np.array([np.nan]),
    }
    table = pq.read_table(io.BytesIO(written(write_parquet, {"symbol": "A"}, columns)))
    assert str(table.schema.field("time").type) == "timestamp[us, tz=UTC]"
    assert table["sma_9"].null_count == 1
    assert table["symbol"].to_pylist() == ["A"]
    assert table.schema.metadata[b"candlewick.symbol"] == b"A"


def test_print_json_writes_one_value_and_refuses_nan(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"symbol": "Zürich", "rows": 1})
    assert json.loads(capsys.readouterr().out) == {"symbol": "Zürich", "rows": 1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json(math.nan)


def test_a_note_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    note("five bars")
    assert capsys.readouterr() == ("", "five bars\n")
