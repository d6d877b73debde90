"""Candles: validated once, frozen, sharing memory, cut by row and time, through Arrow both ways."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import candlewick as cw
from candlewick.candles import COLUMNS, VALUES, Candles, check_rows, frozen
from candlewick.errors import (
    CandlewickError,
    InputError,
    MissingColumnError,
    NaiveTimeError,
    UnknownNameError,
)
from candlewick.sessions.calendar import find_calendar
from candlewick.timeframe import Timeframe

MINUTE = 60_000_000
OPEN = 1_704_205_800_000_000
"""2024-01-02 09:30 in New York."""

Columns = dict[str, npt.NDArray[Any]]
PRICE = st.floats(-1e9, 1e9)
TEXTS = {"symbol": "SPY", "timeframe": "1m", "calendar": "XNYS"}


@st.composite
def columns(draw: st.DrawFn, min_size: int = 0, max_size: int = 30) -> Columns:
    """Sound columns: any prices, also zero and negative ones, any gaps between the minutes."""
    rows = draw(st.integers(min_size, max_size))
    gaps = draw(st.lists(st.integers(1, 5000), min_size=rows, max_size=rows))
    prices = np.array([sorted(draw(st.tuples(*[PRICE] * 4))) for _ in range(rows)]).reshape(rows, 4)
    turn = np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)), dtype=np.bool_)
    return {
        "time": OPEN + MINUTE * np.cumsum(np.array(gaps, dtype=np.int64)),
        "open": np.where(turn, prices[:, 1], prices[:, 2]),
        "high": prices[:, 3].copy(),
        "low": prices[:, 0].copy(),
        "close": np.where(turn, prices[:, 2], prices[:, 1]),
        "volume": np.array(draw(st.lists(st.floats(0, 1e12), min_size=rows, max_size=rows)), dtype=np.float64),
    }


def some(rows: int = 6, **changed: Any) -> Columns:
    given: Columns = {
        "time": OPEN + MINUTE * np.arange(rows, dtype=np.int64),
        "open": np.full(rows, 10.0),
        "high": np.full(rows, 12.0),
        "low": np.full(rows, 9.0),
        "close": np.full(rows, 11.0),
        "volume": np.arange(rows, dtype=np.float64),
    }
    return given | changed


def make(values: Columns | None = None, **changed: Any) -> Candles:
    return Candles(**({**TEXTS, **(some() if values is None else values)} | changed))


# Made


@given(columns())
def test_every_value_is_kept(values: Columns) -> None:
    candles = make(values)
    assert len(candles) == len(values["time"])
    for name in VALUES:
        assert getattr(candles, name).tobytes() == values[name].tobytes()
    assert candles.microseconds.tolist() == values["time"].tolist()
    assert candles.time.dtype == np.dtype("datetime64[us]")
    assert (candles.symbol, candles.timeframe, candles.calendar) == (
        "SPY",
        Timeframe.parse("1m"),
        find_calendar("XNYS"),
    )


@pytest.mark.parametrize("dtype", ["int64", "datetime64[us]"])
def test_memory_is_shared(dtype: str) -> None:
    values = some()
    candles = make(values | {"time": values["time"].view(dtype)})
    for name in VALUES:
        assert np.shares_memory(getattr(candles, name), values[name])
    assert np.shares_memory(candles.time, values["time"])
    assert np.shares_memory(candles.time, candles.microseconds)


def test_what_was_given_stays_writable() -> None:
    values = some()
    make(values)
    assert all(column.flags.writeable for column in values.values())


@given(columns(min_size=1), st.sampled_from(VALUES), st.data())
def test_every_unsound_value_is_refused_with_its_row(values: Columns, name: str, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(values["time"]) - 1))
    bad = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    values[name][row] = bad
    with pytest.raises(InputError) as caught:
        make(values)
    assert caught.value.parameter == f"{name}[{row}]"
    assert repr(caught.value.value) == repr(float(bad))
    assert caught.value.expected == "give finite numbers"


@given(columns(min_size=1), st.data())
def test_every_broken_law_of_a_row_is_refused_with_its_row(values: Columns, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(values["time"]) - 1))
    name, bound = data.draw(
        st.sampled_from([("high", "open"), ("high", "close"), ("low", "open"), ("low", "close"), ("volume", "")])
    )
    limit = values[bound][row] if bound else 0.0
    values[name][row] = np.nextafter(limit, np.inf if name == "low" else -np.inf)
    with pytest.raises(InputError) as caught:
        make(values)
    assert caught.value.parameter == f"{name}[{row}]"
    assert caught.value.value == values[name][row]
    assert caught.value.problem == {"high": "is too low", "low": "is too high", "volume": "is negative"}[name]


@given(columns(min_size=2), st.data())
def test_every_time_out_of_order_is_refused_with_its_row(values: Columns, data: st.DataObject) -> None:
    row = data.draw(st.integers(1, len(values["time"]) - 1))
    back = data.draw(st.integers(0, 10 * MINUTE))
    values["time"][row] = values["time"][row - 1] - back
    with pytest.raises(InputError) as caught:
        make(values)
    assert caught.value.parameter == f"time[{row}]"
    assert caught.value.value == str(values["time"][row].view("datetime64[us]"))
    assert caught.value.problem == ("is before the row above it" if back else "stands twice")


@given(columns(), st.sampled_from(VALUES), st.sampled_from([-1, 1]))
def test_every_wrong_length_is_refused(values: Columns, name: str, more: int) -> None:
    rows = len(values["time"])
    if rows + more < 0:
        more = 1
    values[name] = np.resize(values[name], rows + more)
    with pytest.raises(InputError, match=f"give one value for each of the {rows} times") as caught:
        make(values)
    assert (caught.value.parameter, caught.value.value) == (name, (rows + more,))


def test_no_candles_are_candles() -> None:
    empty = make(time=[], open=[], high=[], low=[], close=[], volume=[])
    assert len(empty) == 0
    assert empty == make()[3:3] == make().between("2024-01-03", "2024-01-02")
    assert repr(empty).startswith("<Candles SPY 1m XNYS: 0 rows>")
    assert pickle.loads(pickle.dumps(empty)) == empty
    assert Candles.from_arrow(empty.to_arrow()) == empty


@pytest.mark.parametrize(
    "convert",
    [
        lambda column: column.astype(np.float32),
        lambda column: column.astype(np.float16),
        lambda column: column.astype(np.int64),
        lambda column: column.astype(np.uint8),
        lambda column: column.astype(">f8"),
        lambda column: column.astype(">i4"),
        lambda column: column.repeat(3)[::3],
        lambda column: column[::-1].copy()[::-1],
        lambda column: column.tolist(),
        lambda column: tuple(int(each) for each in column),
        lambda column: [Decimal(int(each)) for each in column],
        lambda column: [Fraction(int(each)) for each in column],
        lambda column: column.astype(object),
        lambda column: np.ma.array(column, mask=False),
        pd.Series,
        lambda column: pd.Series(column, dtype="Float64"),
        pl.Series,
        pa.array,
        lambda column: pa.chunked_array([column[:2], column[2:]]),
        lambda column: pa.array([Decimal(int(each)) for each in column]),
    ],
)
def test_every_form_of_numbers_becomes_float64(convert: Any) -> None:
    values = some()
    candles = make(values | {name: convert(values[name]) for name in VALUES})
    assert candles == make(values)
    for name in VALUES:
        column = getattr(candles, name)
        assert column.dtype == np.float64
        assert column.dtype.isnative
        assert column.flags.c_contiguous


@pytest.mark.parametrize("bad", ["10.5", b"1", True, object(), "", 10**400])
def test_what_is_no_number_is_refused(bad: object) -> None:
    with pytest.raises(InputError, match="; give numbers") as caught:
        make(close=[bad] * 6)
    assert caught.value.parameter.split("[")[0] == "close"


@pytest.mark.parametrize(
    "column",
    [
        np.full(6, 10j),
        np.full(6, True),
        np.arange(6).astype("datetime64[us]"),
        np.arange(6).astype("m8[s]"),
        pa.array(["1"] * 6),
        pl.Series(["1"] * 6),
        pl.Series([True] * 6),
        pd.Series(["1"] * 6),
        [[1], [1, 2], [3], [4], [5], [6]],
        "abcdef",
        object(),
        iter([1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_column_of_something_else_is_refused(column: Any) -> None:
    with pytest.raises(InputError, match=r"^close.*; give numbers"):
        make(close=column)


def test_a_number_as_text_among_numbers_is_refused_with_its_row() -> None:
    with pytest.raises(InputError, match=r"close\[4\]: '11' is not a number"):
        make(close=np.array([11, 11, 11, 11, "11", 11], dtype=object))


@pytest.mark.parametrize("shape", [(6, 1), (1, 6), (2, 3), ()])
def test_a_column_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="has the wrong length"):
        make(open=np.full(shape, 10.0))
    with pytest.raises(InputError, match="has the wrong length"):
        make(some(1), open=np.full(shape, 10.0) if shape != (6, 1) else 10.0)


@pytest.mark.parametrize(
    "column",
    [
        [11.0, None, 11.0, 11.0, 11.0, 11.0],
        np.ma.array(np.full(6, 11.0), mask=np.arange(6) == 1),
        np.ma.array(np.full(6, 11), mask=np.arange(6) == 1),
        pa.array([11.0, None, 11.0, 11.0, 11.0, 11.0]),
        pa.array([11, None, 11, 11, 11, 11]),
        pl.Series([11, None, 11, 11, 11, 11]),
        pd.Series([11, None, 11, 11, 11, 11], dtype="Float64"),
    ],
)
def test_a_missing_value_is_refused_with_its_row(column: Any) -> None:
    with pytest.raises(InputError, match=r"close\[1\]: nan is not finite; give finite numbers"):
        make(close=column)


def test_negative_and_zero_prices_are_legal() -> None:
    oil = make(open=np.full(6, -10.0), high=np.zeros(6), low=np.full(6, -40.32), close=np.full(6, -37.63))
    assert oil.low.tolist() == [-40.32] * 6


@pytest.mark.parametrize("symbol", ["", "  ", None, 5, b"SPY"])
def test_a_symbol_is_a_text(symbol: Any) -> None:
    with pytest.raises(InputError, match=r"^symbol: .* is not a symbol; give a name such as 'AAPL'"):
        make(symbol=symbol)


@pytest.mark.parametrize("symbol", ["BTC/USD", "A|B", "NSE:NIFTY 50", "日経"])
def test_any_text_may_be_a_symbol(symbol: str) -> None:
    assert make(symbol=symbol).symbol == symbol


def test_timeframe_and_calendar_are_checked() -> None:
    with pytest.raises(InputError, match="timeframe: '5s'"):
        make(timeframe="5s")
    with pytest.raises(UnknownNameError, match=r"XNYS.*nearest"):
        make(calendar="XNYC")
    with pytest.raises(TypeError):
        Candles(**some(), symbol="SPY", timeframe="1m")  # type: ignore[call-arg]


def test_naive_times_are_refused() -> None:
    with pytest.raises(NaiveTimeError):
        make(time=pd.Series(pd.date_range("2024-01-02 09:30", periods=6, freq="min")))


def test_a_date_is_a_session_for_daily_candles_only() -> None:
    days = [dt.date(2024, 1, 2), dt.date(2024, 7, 3)]
    daily = make(some(2, time=days), timeframe="1d")
    assert daily.time.astype(str).tolist() == ["2024-01-02T14:30:00.000000", "2024-07-03T13:30:00.000000"]
    assert make(some(2, time=np.array(days, dtype="datetime64[D]")), timeframe="1d") == daily
    with pytest.raises(InputError, match="2024-01-01' is not a session of XNYS"):
        make(some(1, time=["2024-01-01"]), timeframe="1d")
    with pytest.raises(NaiveTimeError, match="needs a 1d timeframe"):
        make(some(2, time=days))


# Cut

ROW = st.none() | st.integers(-40, 40)


@given(columns(), ROW, ROW)
def test_cut_by_row_as_a_list(values: Columns, start: int | None, stop: int | None) -> None:
    candles = make(values)
    cut = candles[start:stop]
    assert cut.microseconds.tolist() == values["time"].tolist()[start:stop]
    assert cut.close.tolist() == values["close"].tolist()[start:stop]
    assert not len(cut) or np.shares_memory(cut.close, values["close"])


@given(columns(), st.data())
def test_cut_by_time_is_half_open(values: Columns, data: st.DataObject) -> None:
    times = values["time"].tolist()
    edge = st.none() | st.integers(OPEN, OPEN + 40 * 5000 * MINUTE) | (st.sampled_from(times) if times else st.none())
    start, end = data.draw(edge), data.draw(edge)
    expected = [at for at in times if (start is None or start <= at) and (end is None or at < end)]
    candles = make(values)
    assert candles.between(start, end).microseconds.tolist() == expected
    low, high = (None if at is None else np.datetime64(at, "us") for at in (start, end))
    assert candles[low:high] == candles.between(start, end)  # type: ignore[misc]


@given(columns(min_size=1), st.data())
def test_two_halves_are_the_whole(values: Columns, data: st.DataObject) -> None:
    candles = make(values)
    at = data.draw(st.integers(OPEN, OPEN + 40 * 5000 * MINUTE))
    assert len(candles.between(None, at)) + len(candles.between(at)) == len(candles)


def test_a_date_is_the_open_of_its_session() -> None:
    days = np.array(["2024-01-02T14:29", "2024-01-02T14:30", "2024-01-03T14:29", "2024-01-03T14:30"], "datetime64[us]")
    candles = make(some(4, time=days))
    assert candles.between("2024-01-02", "2024-01-03").volume.tolist() == [1, 2]
    assert candles[dt.date(2024, 1, 3) :].volume.tolist() == [3]  # type: ignore[misc]
    assert candles[: np.datetime64("2024-01-02")].volume.tolist() == [0]  # type: ignore[misc]
    with pytest.raises(InputError, match=r"2024-01-01.* is not a session of XNYS; the nearest are"):
        candles.between("2024-01-01")


@pytest.mark.parametrize("cut", [0, "2024-01-02", slice(0, 4, 2), slice(None, None, -1), None, (1, 2)])
def test_what_is_no_cut_is_refused(cut: Any) -> None:
    with pytest.raises(InputError, match="give a slice without a step, by row or by time"):
        make()[cut]


@pytest.mark.parametrize("name", ["start", "end"])
def test_a_bad_edge_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(NaiveTimeError, match=f"{name}: '2024-01-02T09:30:00' has no timezone"):
        make().between(**{name: "2024-01-02T09:30"})
    with pytest.raises(InputError, match=f"{name}: 'soon' is not a time"):
        make().between(**{name: "soon"})


# Frozen


def test_nothing_can_be_set_deleted_or_written() -> None:
    candles = make()
    for name in ("close", "symbol", "anything"):
        with pytest.raises(AttributeError, match=f"Candles is frozen: {name} cannot be set"):
            setattr(candles, name, 5)
        with pytest.raises(AttributeError, match=f"Candles is frozen: {name} cannot be deleted"):
            delattr(candles, name)
    for name in ("time", "microseconds", *VALUES):
        with pytest.raises(ValueError, match="read-only"):
            getattr(candles, name)[0] = 0
        with pytest.raises(ValueError, match="read-only"):
            getattr(candles[1:], name)[0] = 0
    assert frozen(some()["open"]).flags.writeable is False


@given(columns())
def test_pickled_and_copied(values: Columns) -> None:
    candles = make(values)
    for again in (pickle.loads(pickle.dumps(candles)), copy.copy(candles), copy.deepcopy(candles)):
        assert again == candles
        assert again.calendar is candles.calendar
        with pytest.raises(AttributeError):
            again.symbol = "X"
        assert not again.close.flags.writeable


def test_what_is_pickled_of_a_cut_is_the_cut() -> None:
    long = make(some(10_000))
    assert len(pickle.dumps(long[:10])) < 3000 < len(pickle.dumps(long))


def test_a_memo_is_made_once() -> None:
    candles, made = make(), []
    for _ in range(2):
        assert candles.memo("rows", lambda given: made.append(given) or len(given)) == 6
    assert made == [candles]
    assert candles[:3].memo("rows", len) == 3


def test_equal_by_values_symbol_timeframe_and_calendar() -> None:
    assert make() == make()
    for changed in ({"symbol": "IBM"}, {"timeframe": "5m"}, {"calendar": "XLON"}, {"volume": np.full(6, 7.0)}):
        assert make() != make(**changed)
    assert make() != make()[:5]
    with pytest.raises(TypeError, match="unhashable"):
        hash(make())


def test_repr() -> None:
    assert repr(make()[:2]) == "\n".join(
        [
            "<Candles SPY 1m XNYS: 2 rows>",
            "                time  open  high  low  close  volume",
            "2024-01-02T14:30:00Z    10    12    9     11       0",
            "2024-01-02T14:31:00Z    10    12    9     11       1",
        ]
    )


def test_trusted_candles_are_not_checked_and_share_memory() -> None:
    values = some()
    given = {name: values[name] for name in VALUES}
    candles = Candles.trusted("SPY", Timeframe.parse("1m"), find_calendar("XNYS"), values["time"], given)
    assert candles == make()
    assert np.shares_memory(candles.close, values["close"])


def test_check_rows_reports_the_first_row_of_the_first_column() -> None:
    values = some(high=np.array([12, 12, 1, 1, 12, 12.0]), close=np.array([11, 11, 11, 11, 11, np.inf]))
    with pytest.raises(InputError, match=r"close\[5\]: inf is not finite"):
        check_rows(values)
    with pytest.raises(InputError, match=r"high\[2\]: 1.0 is too low; high is at least open and close"):
        check_rows(values | {"close": np.full(6, 11.0)})


# Arrow both ways


@given(columns())
def test_candles_go_through_arrow_unchanged(values: Columns) -> None:
    candles = make(values)
    assert Candles.from_arrow(candles) == candles
    assert Candles.from_arrow(pa.table(candles)) == candles
    for table in (pl.DataFrame(candles), pd.DataFrame.from_arrow(candles), pa.table(candles).to_batches()):
        if isinstance(table, list):
            table = pa.RecordBatchReader.from_batches(pa.schema(candles), table)
        assert Candles.from_arrow(table, **TEXTS) == candles


def test_arrow_shares_memory() -> None:
    candles = make()
    arrow = pa.table(candles)
    assert arrow.schema.field("time").type == pa.timestamp("us", "UTC")
    assert all(arrow.schema.field(name).type == pa.float64() for name in VALUES)
    for name in VALUES:
        assert np.shares_memory(arrow.column(name).chunk(0).to_numpy(), getattr(candles, name))
    again = Candles.from_arrow(arrow)
    assert np.shares_memory(again.close, candles.close)
    assert np.shares_memory(again.time, candles.time)


def test_polars_takes_and_gives_candles() -> None:
    candles = make()
    frame = pl.DataFrame(candles)
    assert frame.schema["time"] == pl.Datetime("us", "UTC")
    assert frame["close"].to_list() == candles.close.tolist()
    struct = pl.from_arrow(candles)  # polars makes a stream of unknown origin one column
    assert isinstance(struct, pl.Series)
    assert struct.struct.unnest().equals(frame)
    assert pl.from_arrow(candles.to_arrow()).equals(frame)  # type: ignore[arg-type]
    moved = frame.with_columns(pl.col("time").dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ns"))
    assert Candles.from_arrow(moved, **TEXTS) == candles


def test_pandas_takes_and_gives_candles() -> None:
    candles = make()
    frame = pd.DataFrame.from_arrow(candles)
    assert str(frame.dtypes["time"]) == "datetime64[us, UTC]"
    assert frame["close"].tolist() == candles.close.tolist()
    frame["time"] = frame["time"].dt.tz_convert("America/New_York").astype("datetime64[ns, America/New_York]")
    assert Candles.from_arrow(frame, **TEXTS) == candles
    assert Candles.from_arrow(frame.set_index("time"), **TEXTS) == candles


def test_duckdb_takes_and_gives_candles() -> None:
    candles = make()
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'Asia/Tokyo'")
        assert connection.sql("select sum(volume), count(*), max(close) from candles").fetchall() == [(15.0, 6, 11.0)]
        connection.register("registered", candles)
        found = connection.sql("select * from registered order by time")
        assert Candles.from_arrow(found, **TEXTS) == candles


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "+05:30"])
def test_times_of_any_zone_and_unit(unit: str, zone: str) -> None:
    arrow = make().to_arrow()
    times = arrow.column("time").cast(pa.timestamp(unit, zone))
    assert Candles.from_arrow(arrow.set_column(0, "time", times)) == make()


def test_a_timestamp_without_a_zone_is_refused() -> None:
    arrow = make().to_arrow()
    naive = arrow.set_column(0, "time", arrow.column("time").cast(pa.timestamp("us")))
    with pytest.raises(NaiveTimeError, match=r"time: 'timestamp\[us\]' has no timezone"):
        Candles.from_arrow(naive)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_null_is_refused_with_its_row(name: str) -> None:
    arrow = make().to_arrow()
    at = arrow.column_names.index(name)
    gap = pa.array(
        [None if i == 4 else each for i, each in enumerate(arrow.column(at).to_pylist())], arrow.field(at).type
    )
    with pytest.raises(InputError, match=rf"^{name}\[4\]: (None is missing; give a time|nan is not finite)"):
        Candles.from_arrow(arrow.set_column(at, name, gap))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_missing_column_is_refused_by_name(name: str) -> None:
    arrow = make().to_arrow().drop_columns([name])
    with pytest.raises(MissingColumnError, match=f"table: '{name}' column is missing; the columns found are: "):
        Candles.from_arrow(arrow)


def test_other_columns_and_other_metadata_are_ignored() -> None:
    arrow = make().to_arrow().append_column("note", pa.array(["x"] * 6))
    foreign = {b"pickled": b"\xff\xfe", **arrow.schema.metadata}
    assert Candles.from_arrow(arrow.select([*reversed(arrow.column_names)]).replace_schema_metadata(foreign)) == make()


def test_a_column_that_stands_twice_is_refused() -> None:
    arrow = make().to_arrow()
    with pytest.raises(InputError, match="table: 'close' column stands twice; give each column once"):
        Candles.from_arrow(arrow.append_column("close", arrow.column("close")))


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_table_does_not_carry_must_be_given(name: str) -> None:
    with pytest.raises(InputError, match=f"{name}: None is missing; give it: this table does not carry it"):
        Candles.from_arrow(pl.DataFrame(make()), **{key: text for key, text in TEXTS.items() if key != name})


def test_what_is_given_goes_before_what_a_table_carries() -> None:
    again = Candles.from_arrow(make(), symbol="IBM", calendar="XLON", timeframe=Timeframe.parse("2m"))
    assert again == make(symbol="IBM", calendar="XLON", timeframe="2m")


@pytest.mark.parametrize("table", [5, None, "candles.csv", [1, 2], object()])
def test_what_is_no_table_is_refused(table: object) -> None:
    with pytest.raises(InputError, match=r"table: .* is not a table; give a table of polars, pandas"):
        Candles.from_arrow(table, **TEXTS)


@given(columns(min_size=1), st.data())
def test_whatever_is_wrong_is_one_kind_of_error(values: Columns, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*values, *TEXTS]))
    bad = data.draw(
        st.none() | st.text() | st.integers() | st.floats() | st.lists(st.none() | st.text() | st.booleans())
    )
    if name == "symbol" and isinstance(bad, str) and bad.strip():
        assert make(values, symbol=bad).symbol == bad
        return
    with pytest.raises(CandlewickError) as caught:
        make(values, **{name: bad})
    assert name in str(caught.value) or name == "time"  # of a wrong count of times the other columns complain


@pytest.mark.parametrize("given", [None, 5, {"open": [1.0]}])
def test_what_is_no_candles_is_told_how_to_become_some(given: Any) -> None:
    for call in (lambda: cw.aggregate(given, "5m"), lambda: cw.compute(given, "sma(2)")):
        with pytest.raises(InputError, match=r"candles: .* is no Candles; make candles of it first: from_frame"):
            call()
    stream = cw.Stream("sma(2)", symbol="A", timeframe="5m", calendar="XNYS", source="1m")
    with pytest.raises(InputError, match="is no Candles"):
        stream.update(given)
