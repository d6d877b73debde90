"""Columnar: any table of numpy columns, through Arrow and back, its equality and its repr."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from candlewick.columnar import SHOWN, Columnar, arrow_column
from candlewick.errors import InputError

ROWS = st.integers(0, 40)


class Table(Columnar):
    """The smallest table there is."""

    def __init__(self, columns: Mapping[str, npt.NDArray[Any]], **about: str) -> None:
        self.columns = columns
        self.about = about

    def _columns(self) -> Mapping[str, npt.NDArray[Any]]:
        return self.columns

    def _metadata(self) -> Mapping[str, str]:
        return self.about


def table(n: int) -> Table:
    value = np.arange(n, dtype=np.float64)
    value[::3] = np.nan
    time = (np.arange(n, dtype=np.int64) * 60_000_000).view("datetime64[us]")
    return Table({"time": time, "value": value, "n": np.arange(n, dtype=np.int32), "final": value > 2}, symbol="A")


@given(ROWS.flatmap(lambda n: arrays.arrays(np.float64, n, elements=st.floats(allow_subnormal=True, width=64))))
def test_floats_go_through_arrow_bit_for_bit_and_nan_is_null(values: npt.NDArray[np.float64]) -> None:
    arrow = arrow_column(values)
    arrow.validate(full=True)
    missing = np.isnan(values)
    assert arrow.null_count == missing.sum()
    assert arrow.is_null().to_pylist() == missing.tolist()
    sound = np.array(arrow.drop_null().to_pylist(), dtype=np.float64)
    assert sound.tobytes() == values[~missing].tobytes()


@given(
    ROWS, st.sampled_from(["int8", "int32", "int64", "uint8", "float64", "bool", "datetime64[us]"]), st.integers(1, 3)
)
def test_every_dtype_and_stride(n: int, dtype: str, step: int) -> None:
    values = np.arange(n * step).astype("int64").astype(dtype)[::step]
    arrow = arrow_column(values)
    arrow.validate(full=True)
    again = arrow.to_numpy(zero_copy_only=False)
    assert again.dtype == values.dtype
    np.testing.assert_array_equal(again, values)


@pytest.mark.parametrize("dtype", ["int32", "float64", "datetime64[us]"])
def test_memory_is_shared(dtype: str) -> None:
    values = np.arange(9).astype(dtype)
    assert np.shares_memory(arrow_column(values).to_numpy(), values)


@given(ROWS)
def test_arrow_holds_every_row_and_who_it_is_about(n: int) -> None:
    arrow = table(n).to_arrow()
    assert len(table(n)) == arrow.num_rows == n
    assert arrow.schema.field("time").type == pa.timestamp("us", "UTC")
    assert arrow.schema.field("n").type == pa.int32()
    assert arrow.schema.field("final").type == pa.bool_()
    assert arrow.schema.metadata == {b"candlewick.symbol": b"A"}


@given(ROWS)
def test_the_capsule_is_the_table(n: int) -> None:
    assert pa.table(table(n)) == table(n).to_arrow()
    assert pa.schema(table(n)) == table(n).to_arrow().schema
    assert pl.DataFrame(table(n)).rows() == [tuple(row.values()) for row in table(n).to_arrow().to_pylist()]


def test_a_reader_may_ask_for_another_schema() -> None:
    one = Table({"value": np.array([1.0, 2.0])})
    wanted = pa.schema([pa.field("value", pa.float32())])
    assert pa.table(one, schema=wanted).schema.field("value").type == pa.float32()


def test_equal_by_kind_names_values_and_what_it_is_about() -> None:
    one = table(4)
    assert one == table(4)
    assert one != table(5)
    assert one != Table(one.columns, symbol="B")
    assert one != Table(dict(reversed(one.columns.items())), symbol="A")
    assert one != Table({**one.columns, "more": np.zeros(4)}, symbol="A")
    assert one != Table({**one.columns, "n": one.columns["n"] + 1}, symbol="A")
    assert one != "a table"
    assert (one == 5) is False

    class Other(Table):
        pass

    assert one != Other(one.columns, symbol="A")


def test_nan_equals_nan_only() -> None:
    nan, zero = Table({"value": np.array([np.nan])}), Table({"value": np.array([0.0])})
    assert nan == Table({"value": np.array([np.nan])})
    assert nan != zero


def test_a_table_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(table(1))


def test_repr_of_a_short_table() -> None:
    values = {"time": np.array([0], dtype="datetime64[us]"), "value": np.array([np.nan]), "n": np.array([7])}
    assert repr(Table(values, symbol="A", timeframe="1m")) == (
        "<Table A 1m: 1 row>\n                time  value  n\n1970-01-01T00:00:00Z         7"
    )


@given(ROWS)
def test_repr_is_short_and_says_how_many_rows(n: int) -> None:
    lines = repr(table(n)).splitlines()
    assert lines[0] == f"<Table A: {n} row{'' if n == 1 else 's'}>"
    assert len(lines) == 2 + (n if n <= 2 * SHOWN else 2 * SHOWN + 1)
    assert len({len(line) for line in lines[1:]}) == 1


def test_repr_of_a_long_table_shows_both_ends() -> None:
    text = repr(table(1_234_567))
    assert "1,234,567 rows" in text
    assert "..." in text.splitlines()[2 + SHOWN]
    assert text.splitlines()[2].startswith("1970-01-01T00:00:00Z")
    assert " 1234566" in text.splitlines()[-1]


def test_a_subclass_says_what_its_columns_are() -> None:
    with pytest.raises(NotImplementedError):
        len(Columnar())
    with pytest.raises(NotImplementedError):
        Columnar()._metadata()


@given(ROWS)
def test_frames_of_pandas_and_polars_have_the_same_values(n: int) -> None:
    made = table(n)
    pandas, polars = made.to_pandas(), made.to_polars()
    assert pandas.index.name == "time"
    assert str(pandas.index.dtype) == "datetime64[us, UTC]"
    assert pandas.index.tz_localize(None).to_numpy().tolist() == made.columns["time"].tolist()
    for name in ("value", "n", "final"):
        assert pandas[name].to_numpy().tobytes() == made.columns[name].tobytes()
    assert polars.to_arrow().column_names == list(made.columns)
    assert polars["value"].null_count() == np.isnan(made.columns["value"]).sum()
    assert polars["n"].to_list() == made.columns["n"].tolist()


def test_a_table_is_no_array_of_its_names() -> None:
    """pandas would take an iterable table for the list of its column names."""
    for make in (np.asarray, np.array):
        with pytest.raises(InputError, match=r"array: 'Table' has columns of several types; .*to_pandas\(\)"):
            make(table(3))
